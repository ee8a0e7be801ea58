import subprocess
import sys

import pytest

import ntkal
from ntkal import doctor
from ntkal.__main__ import main
from ntkal.experiments import checkpoint, loop, results

SMALL = ["run", "--data", "digits", "--model", "mlp", "--width", "16", "--steps", "10"]
SMALL += ["--start", "20", "--query", "5", "--cycles", "1", "--subset", "60"]


def complaint(capsys):
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("ntkal: ")
    assert err.count("\n") == 1
    return err


def test_a_run_prints_a_table_and_the_file(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([*SMALL, "--strategy", "mlmoc", "--seed", "3"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0] == "mlmoc (batch) on digits, mlp, seed 3"
    assert lines[1].split()[:3] == ["cycle", "labels", "accuracy"]
    assert [line.split()[:2] for line in lines[2:4]] == [["0", "20"], ["1", "25"]]
    path = lines[4].removeprefix("Written to ")
    assert path.startswith("runs/digits-mlp-mlmoc-batch-seed3-")
    table, made = results.read(path)
    assert table["labels"].tolist() == [20, 25]
    assert made["config"]["train"]["steps"] == 10
    assert "2/2" in err


def test_flags_override_the_file(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text(
        'data = "digits"\nmodel = "mlp"\nstart = 30\ncycles = 0\n[train]\nsteps = 500\nshift = 0\n'
    )
    arguments = ["run", "--config", str(file), "--steps", "5", "--seed", "2", "--subset", "all"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    table, made = results.read(tmp_path / "out" / checkpoint.FILE)
    assert table["labels"].tolist() == [30]
    assert made["config"]["train"]["steps"] == 5
    assert made["config"]["seed"] == 2
    assert made["config"]["subset"] is None


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--strategy best", "strategy: unknown 'best'"),
        ("--query -5", "query: expected a whole number at least 1, got -5"),
        ("--query 5 --cycles 1000", "training inputs"),
        ("--query 30 --subset 20", "subset: 20 inputs are too few"),
        ("--subset some", "subset: expected a whole number or all, got 'some'"),
        ("--steps 0", "train.steps: expected a whole number at least 1"),
        ("--config gone.toml", "gone.toml cannot be read (No such file"),
        ("--strategy random --mode sequential", "mode: 'random' does not score"),
    ],
)
def test_a_bad_setting_is_one_sentence_and_code_2(as_user, tmp_path, monkeypatch, capsys, flags, message):
    monkeypatch.chdir(tmp_path)
    assert main([*SMALL, *flags.split()]) == 2
    assert message in complaint(capsys)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", [[], ["fly"], ["run", "--cycles", "few"], ["run", "--sede", "1"]])
def test_a_bad_command_line_is_one_sentence_and_code_2(capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "--help" in complaint(capsys)


def test_the_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"{ntkal.__version__}\n"


def test_debug_shows_where_an_error_comes_from():
    with pytest.raises(ValueError, match="strategy: unknown"):
        main(["--debug", *SMALL, "--strategy", "best"])


def test_a_run_that_fails_on_the_way_is_one_sentence_and_code_1(tmp_path, monkeypatch, capsys):
    def diverge(*_, **__):
        raise FloatingPointError("The loss is no longer finite.")

    monkeypatch.setattr(loop, "run", diverge)
    assert main(SMALL) == 1
    assert complaint(capsys) == "ntkal: The loss is no longer finite.\n"


def test_an_interrupted_run_says_how_to_go_on(tmp_path, monkeypatch, capsys):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "run", interrupt)
    assert main([*SMALL, "--out", str(tmp_path)]) == 130
    err = capsys.readouterr().err
    assert "give the same command again (without --fresh) to go on" in err
    assert str(tmp_path) in err


def test_help_is_light():
    code = (
        "import sys; sys.argv[1:] = ['run', '--help']\n"
        "from ntkal.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted({'flax', 'pandas', 'pyarrow', 'sklearn', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "--strategy" in done.stdout


def test_the_doctor_s_exit_code_follows_its_report(monkeypatch, capsys):
    report = doctor.Report([("python", "3")], [("A is broken.", "mend A.")])
    monkeypatch.setattr(doctor, "examine", lambda: report)
    assert main(["doctor"]) == 1
    assert "A is broken." in capsys.readouterr().out
    report.problems.clear()
    assert main(["doctor"]) == 0
    assert "All is well." in capsys.readouterr().out
