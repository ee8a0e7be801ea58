"""The tools on the path, a shell for programs, and problem sets made in temporary courses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "book" / "_tools"), str(Path(__file__).resolve().parent)]


def run(*arguments, cwd=ROOT):
    """Run a Python program as a shell with the environment switched on would; return what it printed."""
    environment = {**os.environ, "JUPYTER_PREFER_ENV_PATH": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def tool():
    return run


@pytest.fixture(scope="session")
def make_course(tmp_path_factory):
    """Make the course of a variant, once; tests that hand in work on a copy."""
    made = {}

    def make(seed):
        if seed not in made:
            made[seed] = tmp_path_factory.mktemp("course") / f"variant-{seed}"
            run("book/_tools/assignments.py", "--seed", seed, "--course", made[seed])
        return made[seed]

    return make
