"""Colab's environment, in which `make nbval` runs the notebooks.

It has the packages of colab/notebooks.txt and all that they need, TensorFlow among them, at the versions of
Colab's list, on its Python. All else, `ntkal` from its wheel included, is put there by the notebooks' own
setup cell, and what that does is measured and checked: under a minute, no TensorFlow, nothing of Colab's
changed, no harm when it runs again.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from assignment_source import read_sets
from colab_pins import Stock, stock
from lock import pins
from packaging.utils import canonicalize_name
from project import BookError, Project, command, write
from setup_cell import package, setup_cell

from notebooks import render

SECONDS = 60  # of processor time for the setup cell: a busy machine or a slow line is not its fault
REFUSED = ("tensorflow", "tf2jax", "keras", "tensorboard")
LIST = "import importlib.metadata as m\nfor d in m.distributions(): print(d.name, d.version)"


def from_wheel(project: Project, wheel: Path) -> str:
    """The setup cell with the repository's address replaced by a wheel."""
    address, cell = package(project), setup_cell(project)
    if cell.count(address) != 1:
        raise BookError(f"the setup cell should name {address!r} once, not {cell.count(address)} times.")
    return cell.replace(address, f"ntkal @ {wheel.resolve().as_uri()}")


def check(before: dict[str, str], after: dict[str, str], printed: str, seconds: float) -> None:
    """Raise a BookError that lists all that the setup cell should not have done."""
    changed = [(name, old, new) for name, old in before.items() if (new := after.get(name, "nothing")) != old]
    faults = [f"{name} {old} became {new}" for name, old, new in changed]
    faults += [f"{name} was installed" for name in sorted(after.keys() - before) if name.startswith(REFUSED)]
    if any(name in printed.lower() for name in REFUSED):
        faults.append(f"it speaks of TensorFlow:\n{printed}")
    if seconds > SECONDS:
        faults.append(f"it took {seconds:.0f} s of processor time, more than {SECONDS} s")
    if "ntkal" not in after:
        faults.append("ntkal was not installed")
    if faults:
        raise BookError("The setup cell: " + "; ".join(faults) + ".")


@dataclass(frozen=True)
class Colab:
    """The environment of a project, in _build/colab."""

    project: Project

    @property
    def folder(self) -> Path:
        return self.project.root / "_build" / "colab"

    @property
    def python(self) -> Path:
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def pip(self, *arguments: str) -> None:
        """Run its pip, quietly."""
        quiet = ["-qq", "--disable-pip-version-check"]
        subprocess.run([self.python, "-m", "pip", arguments[0], *quiet, *arguments[1:]], check=True)

    def packages(self) -> dict[str, str]:
        """The versions of what is installed there, by canonical names."""
        asked = subprocess.run([self.python, "-I", "-c", LIST], check=True, capture_output=True, text=True)
        there = (line.split() for line in asked.stdout.splitlines())
        return {canonicalize_name(name): version for name, version in there}

    def fill(self, names: set[str], versions: dict[str, str]) -> None:
        """Install these and all that they need. What has no version is missing on Colab, and here too."""
        while names := names & versions.keys():
            them = sorted(f"{name}=={versions[name]}" for name in names)
            self.pip("install", "--no-deps", "--no-compile", *them)  # most modules are never imported
            asked = subprocess.run([self.python, "-m", "pip", "check"], capture_output=True, text=True)
            names = set(re.findall(r"requires (\S+), which is not installed", asked.stdout))

    def make(self, stock: Stock, names: set[str]) -> int:
        """Make it anew, with what Colab has and a Jupyter kernel; return how many packages those are."""
        shutil.rmtree(self.folder, ignore_errors=True)
        subprocess.run([stock.python, "-m", "venv", self.folder], check=True)
        self.fill(names, stock.pins)
        register = ["-m", "ipykernel", "install", "--prefix", self.folder, "--name", "colab"]
        subprocess.run([self.python, *register], check=True, capture_output=True)
        # What the cell adds comes at Colab's or locked versions: a release elsewhere changes no test here.
        # What is there is not held that way; it is the cell that has to leave it alone.
        there = self.packages()
        others = [pin for pin in pins(self.project.lock) if pin.split("==")[0] not in {*stock.pins, *there}]
        others += [f"{name}=={version}" for name, version in stock.pins.items() if name not in there]
        write(self.folder / "constraints.txt", "\n".join(others) + "\n")
        return len(there)

    def run_cell(self, cell: str) -> tuple[str, float]:
        """Run the setup cell there; return what it printed and its seconds of processor time."""
        write(path := self.folder / "setup_cell.py", cell)
        environment = os.environ | {"PIP_CONSTRAINT": str(self.folder / "constraints.txt")}
        environment.pop("PYTHONPATH", None)
        start = sum(os.times()[2:4])  # of the children
        into = {"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        ran = subprocess.run([self.python, path], env=environment, **into)
        if ran.returncode:
            raise BookError(f"The setup cell failed:\n{ran.stdout}")
        return ran.stdout, sum(os.times()[2:4]) - start

    def install(self, wheel: Path) -> str:
        """Let the setup cell install ntkal, twice as after a restart, and check it; say how it went."""
        self.pip("uninstall", "--yes", "ntkal")  # where it is
        before = self.packages()
        cell = from_wheel(self.project, wheel)
        start = time.perf_counter()
        printed, seconds = self.run_cell(cell)
        wall, after = time.perf_counter() - start, self.packages()
        check(before, after, printed, seconds)
        again, _ = self.run_cell(cell)
        if not printed.endswith(again) or self.packages() != after:
            raise BookError(f"The setup cell does other things when it runs again:\n{again}")
        cost = f"{wall:.0f} s ({seconds:.0f} s of processor time), {len(after) - len(before)} packages more"
        return f"{cost}; {printed.splitlines()[-1]}"


def build_wheel(project: Project, folder: Path) -> Path:
    """Build the wheel; the same sources make the same bytes."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=project.root, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@command(__doc__.split("\n")[0], {})
def main(project: Project) -> None:
    """Bring the environment up to date: all of it, ntkal alone, or nothing, by what has changed."""
    try:
        bring_up_to_date(Colab(project))
    except subprocess.CalledProcessError as problem:
        raise BookError(f"{problem}\n{problem.stderr or ''}") from None
    for problems in read_sets(project, seed=0):
        write(project.root / "_build" / "solved" / f"{problems.name}.ipynb", render(problems.notebook))


def bring_up_to_date(colab: Colab) -> None:
    """Make again what was made from something else."""
    project, stamp = colab.project, colab.folder / "made-from.txt"
    names = set(pins((project.root / "book/_tools/colab/notebooks.txt").read_text()))
    theirs = stock(project)
    print(theirs.said, flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        wheel = build_wheel(project, Path(scratch))
        base = sha256(f"{theirs}{sorted(names)}{project.lock}".encode()).hexdigest()
        whole = sha256(f"{base}\n{setup_cell(project)}".encode() + wheel.read_bytes()).hexdigest()
        made = stamp.read_text().split() if stamp.exists() else []
        if made == [base, whole]:
            return
        stamp.unlink(missing_ok=True)
        if made[:1] != [base]:
            start = time.perf_counter()
            count = colab.make(theirs, names)
            print(f"Environment: {count} packages, {time.perf_counter() - start:.0f} s")
        print(f"Setup cell: {colab.install(wheel)}", flush=True)
        write(stamp, f"{base}\n{whole}\n")


if __name__ == "__main__":
    sys.exit(main())
