"""Run the fast unit tests on another JAX: ``python tests/versions.py oldest`` (or ``newest``).

JAX, jaxlib, Flax and Optax come from a folder laid over the environment, in ``_build/versions/``, made for
its Python: the oldest that ``pyproject.toml`` admits, or the newest there are. All else is as locked. What
follows the word goes to pytest in place of the fast unit tests.
"""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("jax", "jaxlib", "flax", "optax")
# What the oldest Optax needs and the lock does not have.
OLD = ("chex==0.1.89", "toolz")
# The stored numbers of the book, the doctor and the lock are those of the locked versions.
TESTS = ("tests", "-m", "not slow", "--ignore", "tests/book", "--ignore", "tests/assignments")


def wanted(which: str) -> list[str]:
    """The requirements of the overlay."""
    if which == "newest":
        return list(PACKAGES)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bounds = dict(re.fullmatch(r"([\w-]+)>=([\d.]+)", line).groups() for line in project["dependencies"])
    lowest = bounds | {"jaxlib": bounds["jax"]}
    return [*(f"{name}=={lowest[name]}" for name in PACKAGES), *OLD]


def main(which: str, *given: str) -> int:
    if which not in ("oldest", "newest"):
        raise SystemExit(f"which: expected oldest or newest, got {which!r}.")
    overlay = ROOT / "_build" / "versions" / f"{which}-{'.'.join(map(str, sys.version_info[:2]))}"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*install, "--upgrade", "--target", str(overlay), *wanted(which)], check=True)
    path = os.pathsep.join([str(overlay), str(ROOT)])
    environment = os.environ | {"PYTHONPATH": path}
    said = "import flax, jax, optax, platform as p; print('Python', p.python_version(), *map("
    said += "'{0.__name__} {0.__version__}'.format, (jax, flax, optax)))"
    subprocess.run([sys.executable, "-c", said], check=True, env=environment)
    tests = [sys.executable, "-m", "pytest", *(given or TESTS)]
    return subprocess.run(tests, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:] or ["oldest"]))
