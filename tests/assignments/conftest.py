"""The tools on the path, a shell for programs, and problem sets made in temporary courses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

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
def make_course(tmp_path_factory, worker_id):
    """Make the course of a variant, once for all workers; tests that hand in work on a copy."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent

    def make(seed):
        course = shared / f"course-{seed}"
        with FileLock(f"{course}.lock"):
            if not course.with_suffix(".made").exists():
                run("book/_tools/assignments.py", "--seed", seed, "--course", course)
                course.with_suffix(".made").touch()
        return course

    return make
