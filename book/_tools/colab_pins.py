"""What stock Colab has, by the list that Google publishes: `make colab-pins` renews it from the network.

The list is book/_tools/colab/DATE.txt: the plain pins of pip-freeze.txt at the commit of that day, and the
release of Python that goes with them.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from lock import pins
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from project import BookError, Project, command, fill_in, write

SOURCE = "googlecolab/backend-info"
COMMIT = f"https://api.github.com/repos/{SOURCE}/commits?path=pip-freeze.txt&per_page=1"
FILES = f"https://raw.githubusercontent.com/{SOURCE}"
PIN = re.compile(r"[A-Za-z0-9][\w.-]*==[\w.!+-]+")
HEADER = re.compile(r"^# .* Python (3\.\d+)\.", re.MULTILINE)


@dataclass(frozen=True)
class Stock:
    """What the environment has before the setup cell runs: a Python, and versions by canonical names."""

    python: str
    pins: dict[str, str]
    said: str


def release_of(python: str) -> str | None:
    """Its release, as `3.13`; None where it does not run or cannot make environments."""
    say = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
    try:
        asked = subprocess.run([python, "-c", say], capture_output=True, text=True)
    except OSError:
        return None
    return asked.stdout.strip() or None


def find(release: str) -> str | None:
    """A Python of this release: by its name on the path, one of pyenv's, or the one that runs this."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or "~/.pyenv").expanduser()
    theirs = map(str, sorted(pyenv.glob(f"versions/{release}.*[0-9]/bin/python"), reverse=True))
    names = [shutil.which(f"python{release}"), *theirs, sys.executable]
    return next((name for name in names if name and release_of(name) == release), None)


def by_name(lines: list[str]) -> dict[str, str]:
    """The versions of these pins, without those for other machines."""
    here = [pin for pin in map(Requirement, lines) if not pin.marker or pin.marker.evaluate()]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in here}


def newest(project: Project) -> Path:
    """The list with the latest date."""
    return max((project.root / "book" / "_tools" / "colab").glob("2*.txt"))


def stock(project: Project) -> Stock:
    """Colab's list where its Python is found; else the lock and the Python that runs this."""
    listed, given = newest(project), os.environ.get("COLAB_PYTHON")
    release = HEADER.search(listed.read_text())[1]
    if given and (found := release_of(given)) != release:
        is_ = f"Python {found}" if found else "no Python that can make environments"
        raise BookError(
            f"COLAB_PYTHON: {given} is {is_}; Colab's list of {listed.stem} is for Python {release}."
        )
    if python := given or find(release):
        packages = by_name(pins(listed.read_text()))
        return Stock(
            python, packages, f"The notebooks run on Colab's packages of {listed.stem}, Python {release}."
        )
    instead = f"the notebooks run on Python {release_of(sys.executable)} with the locked versions instead"
    missing = f"No Python {release}, which Colab has, is found here (COLAB_PYTHON=... names one)"
    return Stock(sys.executable, by_name(pins(project.lock)), f"{missing}: {instead}.")


def published(commit: str = COMMIT, files: str = FILES) -> tuple[str, str]:
    """The date of the publisher's newest list, and the list as a file of ours."""

    def ask(address: str) -> str:
        with urlopen(address, timeout=30) as answer:
            return answer.read().decode()

    last = json.loads(ask(commit))[0]
    date, sha = last["commit"]["committer"]["date"][:10], last["sha"]
    python = re.search(r"^Python (\d+\.\d+\.\d+)", ask(f"{files}/{sha}/os-info.txt"), re.MULTILINE)[1]
    listed = [line for line in ask(f"{files}/{sha}/pip-freeze.txt").splitlines() if PIN.fullmatch(line)]
    if not {"jax", "numpy", "ipykernel"} <= by_name(listed).keys():
        raise ValueError("a list without JAX, NumPy or a kernel")
    words = {"source": SOURCE, "commit": sha[:7], "date": date, "python": python}
    return date, fill_in("colab_pins.txt", pins="\n".join(listed), **words)


@command(__doc__.split("\n")[0], {})
def main(project: Project) -> None:
    """Write the newest list in place of the one that is there, or change nothing and say why."""
    try:
        date, text = published()
    except (OSError, ValueError, LookupError, TypeError) as problem:
        raise BookError(f"Colab's list could not be had ({problem}); nothing is changed.") from None
    old = newest(project)
    write(new := old.with_stem(date), text)
    if new != old:
        old.unlink()
    print(f"Colab's list: {date}. Before: {old.stem}.")


if __name__ == "__main__":
    sys.exit(main())
