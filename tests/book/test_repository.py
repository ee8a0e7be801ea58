"""The repository's own book: notebooks and environment in step, the address in one place, links to tests."""

import os
import re
import shutil
import subprocess

import lock
import pytest
import retarget
import yaml
from links import find_test
from project import ROOT, Project, chapter_number

import notebooks

PROJECT = Project()


def pages_in_toc():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    return [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])]


def test_the_notebooks_are_in_step_with_the_book(capsys):
    assert notebooks.main(["--check"]) == 0, capsys.readouterr().out


def test_every_page_is_in_the_table_of_contents_and_in_order():
    assert sorted(pages_in_toc()) == sorted(f"book/{path.stem}" for path in PROJECT.sources())
    numbers = [number for number in map(chapter_number, pages_in_toc()) if number]
    assert numbers == sorted(set(numbers))


def test_environment_yml_agrees_with_the_lock():
    assert (ROOT / "environment.yml").read_text() == lock.conda_environment(PROJECT)
    packages = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"][-1]["pip"]
    assert sorted(packages[1:]) == sorted(lock.pins(PROJECT.lock))
    names = {pin.split("==")[0] for pin in packages}
    assert names >= {
        "jupyter",
        "jupytext",
        "jax",
        "neural-tangents",
        "matplotlib",
        "seaborn",
        "nbval",
        "pytest",
    }


def test_the_lock_is_exact_and_without_tensorflow():
    pins = lock.pins(PROJECT.lock)
    assert all(re.match(r"[a-z0-9._-]+==[^\s;]+( ; .*)?$", pin) for pin in pins)
    assert not [pin for pin in pins if pin.startswith(("tensorflow", "tf2jax", "tensorboard", "keras"))]


def test_the_lock_has_what_pyproject_asks_for():
    for requirement in PROJECT.asked():
        assert PROJECT.pin(re.match(r"[\w.-]+", requirement)[0])


@pytest.fixture
def fork(tmp_path):
    """A copy of the files under version control."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a Git checkout")
    for name in filter(lambda name: (ROOT / name).is_file(), listed.stdout.splitlines()):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return Project(tmp_path)


def test_retarget_leaves_no_trace_of_the_old_address(fork):
    old = [fork.slug, fork.pages.removeprefix("https://")]
    retarget.retarget(fork, "someone-else/their.fork")
    for path in retarget.text_files(fork.root):
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        assert not [address for address in old if address in text], path
    assert Project(fork.root).url == "https://github.com/someone-else/their.fork"
    assert Project(fork.root).pages == "https://someone-else.github.io/their.fork"


def test_retargeting_the_sample_makes_its_notebooks_anew(sample, capsys):
    page = sample.root / "book" / "ch09_sample.md"
    page.write_text(page.read_text().replace("# NBVAL_CHECK_OUTPUT\n", ""))
    notebooks.main(["--root", str(sample.root)])
    old = sample.slug
    assert retarget.main(["new/place", "--root", str(sample.root)]) == 0
    assert notebooks.main(["--check", "--root", str(sample.root)]) == 0
    text = (sample.root / "notebooks" / "ch09_sample.ipynb").read_text()
    assert "git+https://github.com/new/place@main" in text
    assert old not in text


@pytest.mark.parametrize("repo", ["", "name", "a/b/c", "https://github.com/a/b", "a b/c"])
def test_retarget_refuses_what_is_no_address(sample, repo, capsys):
    before = (sample.root / "_config.yml").read_text()
    assert retarget.main([repo, "--root", str(sample.root)]) == 2
    assert "REPO=owner/name" in capsys.readouterr().err
    assert (sample.root / "_config.yml").read_text() == before


def test_a_link_to_a_test_finds_its_line(tmp_path):
    (tmp_path / "t.py").write_text(
        "import os\n\n\ndef test_a():\n    pass\n\n\nclass B:\n    def c(self):\n        pass\n"
    )
    assert find_test(tmp_path, "t.py::test_a") == ("t.py", 4)
    assert find_test(tmp_path, "t.py::B::c") == ("t.py", 9)
    assert find_test(tmp_path, "t.py") == ("t.py", 1)
    for wrong in ["t.py::test_b", "t.py::B::d", "u.py::test_a", "t.py::c"]:
        with pytest.raises(ValueError, match=r"there is no file|has no"):
            find_test(tmp_path, wrong)


def test_the_pages_that_have_code_are_the_notebooks():
    made = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert made == {path.stem for path in PROJECT.notebooks()}


@pytest.mark.parametrize(
    ("python", "says"),
    [
        (None, "Python is missing: install Python 3.11 or newer, or name one with make PYTHON="),
        ("echo Python 3.9.1; exit 1", "Python 3.9.1 is too old: install Python 3.11 or newer, or name one"),
        (
            'case "$2" in *ensurepip*) exit 1; esac',
            "This Python cannot make environments: install its venv module",
        ),
    ],
)
def test_make_says_in_a_sentence_what_is_missing(tmp_path, python, says):
    for name in ["Makefile", "requirements.lock", "pyproject.toml"]:
        shutil.copy(ROOT / name, tmp_path / name)
    if python:
        (tmp_path / "python").write_text(f"#!/bin/sh\n{python}\n")
        (tmp_path / "python").chmod(0o755)
    command = ["make", "test", f"PYTHON={tmp_path / 'python'}"]
    # Without what an outer make hands down, such as the wish to name each directory.
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    made = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=outside)
    assert made.returncode
    assert made.stdout.splitlines()[-1].startswith(says)
    assert not (tmp_path / ".venv").exists()
