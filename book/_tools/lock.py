"""Make requirements.lock from pyproject.toml with uv, and environment.yml from the lock."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from project import ROOT, Project

COMPILE = [
    *["pip", "compile", "pyproject.toml", "--all-extras", "--universal", "--python-version", "3.11"],
    *["--no-annotate", "--no-header", "--no-emit-find-links", "--quiet"],
]
ENVIRONMENT = """\
# The packages of requirements.lock for conda. Made by `make lock`; do not edit by hand.
#   PIP_NO_DEPS=1 conda env create -f environment.yml
#   conda activate ntkal
#   pip install --no-deps -e .
# The list is complete, so pip has no dependencies to look for. PIP_NO_DEPS keeps it from looking even so:
# neural-tangents declares TensorFlow, which it needs only in a module that we never import, and conda has no
# other way to pass that option. Without it, the first line below stops the installation rather than let
# TensorFlow in.
name: ntkal
channels: [conda-forge]
dependencies:
  - python=3.11
  - pip
  - make
  - pip:
      - -c book/_tools/no_tensorflow.txt
"""


def pins(lock: str) -> list[str]:
    """The requirement lines of a lock."""
    return [line for line in lock.splitlines() if line and not line.startswith("#")]


def environment(project: Project) -> str:
    """The text of environment.yml: the packages that pyproject.toml names first, then all that these need."""
    table = project.pyproject["project"]
    groups = [table["dependencies"], *table["optional-dependencies"].values()]
    direct = {re.match(r"[\w.-]+", item)[0].lower() for group in groups for item in group}
    lines = pins(project.lock)
    named = [line for line in lines if line.split("==")[0] in direct]
    rest = [line for line in lines if line not in named]
    rows = ["# named in pyproject.toml", *(f"- {entry(line)}" for line in named)]
    rows += ["# needed by those", *(f"- {entry(line)}" for line in rest)]
    return ENVIRONMENT + "".join(f"      {row}\n" for row in rows)


def entry(pin: str) -> str:
    """A pin as a YAML string."""
    return f'"{pin}"' if ";" in pin else pin


def compile_lock(project: Project, upgrade: bool) -> str:
    """The new requirements.lock: its old header, what uv resolves, near the old pins unless `upgrade`."""
    old = project.lock
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "pins.txt"
        constraints.write_text("" if upgrade else "\n".join(line for line in pins(old) if ";" not in line))
        new = Path(folder) / "new.lock"
        subprocess.run(["uv", *COMPILE, "-c", str(constraints), "-o", str(new)], cwd=project.root, check=True)
        resolved = [line for line in pins(new.read_text()) if "'never'" not in line]
    header = [line for line in old.splitlines() if line.startswith("#")]
    return "\n".join([*header, *resolved]) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="newest versions instead of those in the lock")
    parser.add_argument(
        "--environment", action="store_true", help="only environment.yml, from the lock as it is"
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository (default: this one)")
    options = parser.parse_args(arguments)
    if not options.environment:
        if not shutil.which("uv"):
            print("make lock needs uv: install it with `pip install uv`", file=sys.stderr)
            return 1
        text = compile_lock(Project(options.root), options.upgrade)
        (options.root / "requirements.lock").write_text(text)
    (options.root / "environment.yml").write_text(environment(Project(options.root)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
