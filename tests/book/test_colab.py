"""Colab's environment: what is in it, what the setup cell must not do, and when it is made anew."""

import importlib.metadata
import subprocess
import sys
import zipfile

import colab
import colab_pins
import pytest
from colab import Colab
from project import ROOT, BookError, Project
from setup_cell import setup_cell


def test_all_that_the_notebooks_use_is_on_colabs_list():
    names = set(colab.pins((ROOT / "book/_tools/colab/notebooks.txt").read_text()))
    listed = colab_pins.by_name(colab.pins(colab_pins.newest(Project()).read_text()))
    assert names <= listed.keys()
    assert names >= {"tensorflow", "jax", "flax", "optax", "ipykernel", "ipython", "pip"}
    assert not listed.keys() & {"ntkal", "jaxtyping", "neural-tangents", "jedi"}  # the cell's business


def wheel(folder, name, *needs):
    """A package with nothing in it but its needs."""
    info, text = f"{name}-1.dist-info", "".join(f"Requires-Dist: {need}\n" for need in needs)
    with zipfile.ZipFile(folder / f"{name}-1-py3-none-any.whl", "w") as packed:
        packed.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n{text}")
        packed.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        packed.writestr(f"{info}/RECORD", "")


@pytest.mark.slow
def test_what_a_package_needs_comes_with_it_and_what_colab_lacks_does_not(sample, tmp_path, monkeypatch):
    wheel(tmp_path, "first", "Second", "never ; sys_platform == 'amiga'", "tests ; extra == 'test'", "jedi")
    wheel(tmp_path, "second", "third>=1")
    for name in ("third", "never", "tests", "jedi", "other"):
        wheel(tmp_path, name)
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(tmp_path)}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    place = Colab(sample)
    subprocess.run([sys.executable, "-m", "venv", place.folder], check=True)
    before = place.packages().keys()
    place.fill(
        {"first", "unlisted"}, dict.fromkeys(("first", "second", "third", "never", "tests", "other"), "1")
    )
    assert place.packages().keys() - before == {"first", "second", "third"}


def test_the_cell_that_is_run_differs_from_the_notebooks_in_the_address_alone(sample, tmp_path):
    cell, wheel = colab.from_wheel(sample, tmp_path / "w.whl"), f"ntkal @ {(tmp_path / 'w.whl').as_uri()}"
    assert wheel in cell
    assert sample.url not in cell
    assert cell.replace(wheel, f"ntkal @ git+{sample.url}@{sample.branch}") == setup_cell(sample)


GOOD = ({"jax": "0.9", "numpy": "2"}, {"jax": "0.9", "numpy": "2", "ntkal": "1"}, "ntkal 1 with JAX 0.9\n", 9)


@pytest.mark.parametrize(
    ("place", "value", "fault"),
    [
        (1, {"jax": "0.10", "numpy": "2", "ntkal": "1"}, "jax 0.9 became 0.10"),
        (1, {"jax": "0.9", "ntkal": "1"}, "numpy 2 became nothing"),
        (1, {**GOOD[1], "tensorflow-cpu": "2"}, "tensorflow-cpu was installed"),
        (1, {**GOOD[1], "keras": "3"}, "keras was installed"),
        (1, {**GOOD[1], "tensorflow": "2.21"}, "tensorflow was installed"),
        (1, GOOD[0], "ntkal was not installed"),
        (2, "TensorFlow binary is optimized\n", "speaks of TensorFlow"),
        (3, 61, "it took 61 s of processor time, more than 60 s"),
    ],
)
def test_what_the_setup_cell_must_not_do_is_noticed(place, value, fault):
    colab.check(*GOOD)
    measured = [*GOOD[:place], value, *GOOD[place + 1 :]]
    with pytest.raises(BookError, match=fault):
        colab.check(*measured)


def test_tensorflow_may_be_there_and_has_to_stay_as_it_is():
    before, after, *measured = GOOD
    there = {"tensorflow": "2.20"}
    colab.check(before | there, after | there, *measured)
    with pytest.raises(BookError, match="tensorflow 2.20 became 2.21"):
        colab.check(before | there, after | {"tensorflow": "2.21"}, *measured)


@pytest.fixture
def remake(sample, monkeypatch):
    """Run main with the slow parts replaced by a record of which were called."""
    calls, state = [], {"wheel": b"one", "fault": None}

    def build(project, folder):
        (folder / "x.whl").write_bytes(state["wheel"])
        return folder / "x.whl"

    def make(self, stock, names):
        calls.append("packages")
        self.folder.mkdir(parents=True, exist_ok=True)
        return len(names)

    def install(self, wheel):
        calls.append("ntkal")
        if state["fault"]:
            raise BookError(state["fault"])
        return "fine"

    monkeypatch.setattr(colab, "build_wheel", build)
    monkeypatch.setattr(Colab, "make", make)
    monkeypatch.setattr(Colab, "install", install)

    (sample.root / "book" / "assignments").mkdir()

    def remake(**changes):
        state.update(changes)
        calls.clear()
        return colab.main(["--root", str(sample.root)]), list(calls)

    return remake


def test_only_what_has_changed_is_made_again(remake, sample):
    assert remake() == (0, ["packages", "ntkal"])
    assert remake() == (0, [])
    assert remake(wheel=b"two") == (0, ["ntkal"])
    assert remake() == (0, [])
    (sample.root / "requirements.lock").write_text(f"{sample.lock}# changed\n")
    assert remake() == (0, ["packages", "ntkal"])
    listed = colab_pins.newest(sample)
    listed.write_text(listed.read_text().replace("\npip==", "\npip==9"))
    (sample.root / "book/_tools/colab/notebooks.txt").write_text("jax\n")
    assert remake() == (0, ["packages", "ntkal"])
    config = sample.root / "_config.yml"
    config.write_text(config.read_text().replace("branch: main", "branch: other"))
    assert remake() == (0, ["ntkal"])


def test_a_fault_is_shown_and_not_forgotten(remake, capsys):
    assert remake(fault="The setup cell: it sulks.") == (1, ["packages", "ntkal"])
    assert "it sulks" in capsys.readouterr().err
    assert remake()[0] == 1
    assert remake(fault=None)[0] == 0


def test_the_wheel_has_the_package_with_its_data_and_is_the_same_each_time(tmp_path):
    one, two = (colab.build_wheel(Project(), tmp_path / name) for name in "ab")
    assert one.read_bytes() == two.read_bytes()
    packed = set(zipfile.ZipFile(one).namelist())
    listed = subprocess.run(["git", "ls-files", "ntkal"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a Git checkout")
    assert packed >= {name for name in listed.stdout.split() if (ROOT / name).is_file()}


@pytest.fixture
def bare(sample, tmp_path):
    """An environment whose Python is this one, for cells that install nothing."""
    colab_ = Colab(sample)
    colab_.folder.mkdir(parents=True)
    (colab_.folder / "bin").mkdir()
    colab_.python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    colab_.python.chmod(0o755)
    return colab_


def test_a_cell_is_timed_and_hears_what_it_may_add(bare):
    work = "import os, time\nwhile time.process_time() < 0.5: pass\ntime.sleep(0.5)\n"
    printed, seconds = bare.run_cell(work + "print(os.environ['PIP_CONSTRAINT'])")
    assert printed == f"{bare.folder / 'constraints.txt'}\n"
    assert 0.45 < seconds < 0.95  # its work, not its sleep
    assert bare.packages()["numpy"] == importlib.metadata.version("numpy")


def test_a_cell_that_fails_is_shown_with_what_it_printed(bare):
    with pytest.raises(BookError, match=r"(?s)The setup cell failed:.*no network today"):
        bare.run_cell("raise SystemExit('no network today')")
