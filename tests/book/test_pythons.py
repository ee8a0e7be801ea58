"""The environment has the Python that was named, and the other Pythons have environments of their own."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from project import ROOT, Project


@pytest.fixture
def folder(tmp_path):
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def python(folder, release):
    """A program that answers as a Python would, and makes an environment with itself in it."""
    path = folder / release / "python"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f'#!/bin/sh\ncase "$*" in -VV | *--version) echo "Python {release}" ;;\n'
        '"-m venv "*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;; esac\n'
    )
    path.chmod(0o755)
    return path


def make(folder, *words):
    """What `make env` says."""
    # Without what an outer make hands down.
    mine = {"PYTHON", "VENV"}
    outside = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS")) and k not in mine}
    command = ["make", "--no-print-directory", "env", *map(str, words)]
    return subprocess.run(command, cwd=folder, env=outside, capture_output=True, text=True, check=True).stdout


def test_the_environment_has_the_python_that_is_named(folder):
    one, two = (python(folder, release) for release in ("3.12.1", "3.13.0"))
    assert "Making the environment .venv of Python 3.12.1" in make(folder, f"PYTHON={one}")
    assert make(folder, f"PYTHON={one}") == ""
    said = make(folder, f"PYTHON={two}")
    assert ".venv has Python 3.12.1: making it anew" in said
    assert "Making the environment .venv of Python 3.13.0" in said
    assert make(folder) == ""  # none is named: what is there will do


def test_an_environment_elsewhere_leaves_the_first_alone(folder):
    one, two = (python(folder, release) for release in ("3.12.1", "3.13.0"))
    make(folder, f"PYTHON={one}")
    assert "Making the environment other of Python 3.13.0" in make(folder, f"PYTHON={two}", "VENV=other")
    assert make(folder, f"PYTHON={one}") == ""


def test_the_other_pythons_that_are_found_have_their_turn_and_the_missing_are_named(tmp_path):
    releases = [r for r in ("3.11", "3.12", "3.13") if r != ".".join(map(str, sys.version_info[:2]))]
    there, missing = releases
    shutil.copytree(ROOT / "book" / "_tools", tmp_path / "book" / "_tools")
    (tmp_path / "tests").mkdir()
    for name in ("pyproject.toml", "tests/pythons.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "Makefile").write_text("unit:\n\t@echo $(PYTHON) in $(VENV)\n\t@exit 3\n")
    found = tmp_path / "pyenv" / "versions" / f"{there}.0" / "bin" / "python"
    found.parent.mkdir(parents=True)
    found.write_text(f"#!/bin/sh\necho {there}\n")
    found.chmod(0o755)
    places = os.environ["PATH"].split(os.pathsep)
    path = os.pathsep.join(place for place in places if not shutil.which(f"python{missing}", path=place))
    environment = os.environ | {"PYENV_ROOT": str(tmp_path / "pyenv"), "PATH": path}
    command = [sys.executable, "tests/pythons.py"]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode
    assert f"== Python {there}: {found}\n{found} in _build/python-{there}\n" in ran.stdout
    assert f"== Python {there}: failed" in ran.stdout
    assert f"== Python {missing}: none found" in ran.stdout


def test_the_readme_names_the_pythons_that_the_package_is_for():
    classifiers = "\n".join(Project().pyproject["project"]["classifiers"])
    for release in re.findall(r"Python :: (3\.\d+)", classifiers):
        assert release in (ROOT / "README.md").read_text()
