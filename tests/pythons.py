"""Run the unit tests on each Python found here that ``pyproject.toml`` names and that is not this one.

Each has an environment of its own, ``_build/python-3.12``. After a failure it goes on.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "book" / "_tools"))

from colab_pins import find, release_of  # noqa: E402


def named() -> list[str]:
    """The releases that the package is for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return re.findall(r"Programming Language :: Python :: (3\.\d+)", "\n".join(project["classifiers"]))


def main(target: str = "unit") -> int:
    status = 0
    for release in named():
        if release == release_of(sys.executable):
            print(f"== Python {release} is that of the environment: make {target}", flush=True)
        elif python := find(release):
            print(f"== Python {release}: {python}", flush=True)
            make = [
                "make",
                "--no-print-directory",
                target,
                f"PYTHON={python}",
                f"VENV=_build/python-{release}",
            ]
            failed = subprocess.run(make, cwd=ROOT, check=False).returncode
            print(f"== Python {release}: {'failed' if failed else 'passed'}", flush=True)
            status = status or failed
        else:
            print(f"== Python {release}: none found", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
