"""The environment like Colab's: what is in it, what the setup cell must not do, and when it is made anew."""

import importlib.metadata
import subprocess
import sys
import zipfile

import colab
import pytest
from colab import Colab, ColabError
from packaging.requirements import Requirement
from project import ROOT, Project
from setup_cell import setup_cell


def names(pins):
    return {Requirement(pin).name for pin in pins}


def test_it_has_colabs_packages_and_not_those_that_the_setup_cell_is_for():
    theirs, others = colab.split_lock(Project(), colab.stock(Project()))
    assert names(theirs) >= {"jax", "jaxlib", "flax", "optax", "numpy", "scipy", "pandas", "matplotlib"}
    assert names(theirs) >= {"seaborn", "scikit-learn", "tqdm", "ipykernel", "ipywidgets", "tornado"}
    assert names(others) >= {"jaxtyping", "mlxtend", "pooch", "pyarrow", "neural-tangents", "frozendict"}
    assert not names(theirs + others) & {"ntkal", "tensorflow"}
    assert not names(theirs) & {"pytest", "nbval", "sphinx", "jupyterlab", "dask"}


def test_every_pin_of_the_lock_for_this_machine_is_on_one_side():
    theirs, others = colab.split_lock(Project(), colab.stock(Project()))
    assert len(theirs + others) == len(names(theirs + others))
    here = [Requirement(pin) for pin in colab.pins(Project().lock)]
    here = {f"{pin.name}{pin.specifier}" for pin in here if not pin.marker or pin.marker.evaluate()}
    assert here == {*theirs, *others}
    assert all("==" in pin and ";" not in pin for pin in theirs)


def test_a_need_counts_when_its_marker_holds_and_with_the_extras_asked_for(monkeypatch):
    needs = {
        "a": ["B[fast]>=1", "never ; sys_platform == 'amiga'", "tests ; extra == 'test'"],
        "b": ["c", "quick ; extra == 'fast'", "slow ; extra == 'slow'"],
        "c": ["a"],
    }
    monkeypatch.setattr(importlib.metadata, "requires", needs.get)
    assert colab.needed(["A"]) == {"a", "b", "c", "quick"}


def test_a_need_that_is_not_locked_is_named(sample):
    (sample.root / "requirements.lock").write_text(sample.lock.replace("\nseaborn==", "\nseaborn-too=="))
    with pytest.raises(ColabError, match=r"requirements.lock has no seaborn: run `make lock`"):
        colab.split_lock(Project(sample.root), ["seaborn"])


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
        (1, {**GOOD[1], "Keras": "3"}, "Keras was installed"),
        (1, GOOD[0], "ntkal was not installed"),
        (2, "TensorFlow binary is optimized\n", "speaks of TensorFlow"),
        (3, 61, "it took 61 s of processor time, more than 60 s"),
    ],
)
def test_what_the_setup_cell_must_not_do_is_noticed(place, value, fault):
    colab.check(*GOOD)
    measured = [*GOOD[:place], value, *GOOD[place + 1 :]]
    with pytest.raises(ColabError, match=fault):
        colab.check(*measured)


@pytest.fixture
def remake(sample, monkeypatch):
    """Run main with the slow parts replaced by a record of which were called."""
    calls, state = [], {"wheel": b"one", "fault": None}

    def build(project, folder):
        (folder / "x.whl").write_bytes(state["wheel"])
        return folder / "x.whl"

    def make(self, theirs, others):
        calls.append("packages")
        self.folder.mkdir(parents=True, exist_ok=True)

    def install(self, wheel):
        calls.append("ntkal")
        if state["fault"]:
            raise ColabError(state["fault"])
        return "fine"

    monkeypatch.setattr(colab, "build_wheel", build)
    monkeypatch.setattr(Colab, "make", make)
    monkeypatch.setattr(Colab, "install", install)

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
    with pytest.raises(ColabError, match=r"(?s)The setup cell failed:.*no network today"):
        bare.run_cell("raise SystemExit('no network today')")
