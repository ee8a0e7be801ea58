"""An environment like Colab's, in which `make nbval` runs the notebooks.

It has the packages of colab.txt at the versions of requirements.lock. All else, `ntkal` from its wheel
included, is put there by the notebooks' own setup cell, and what that does is measured and checked: under a
minute, no TensorFlow, nothing of Colab's changed, no harm when it runs again.
"""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from lock import pins
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from project import BookError, Project, command, write
from setup_cell import package, setup_cell

KERNEL = "colab"
SECONDS = 60  # of processor time for the setup cell: a busy machine or a slow line is not its fault
REFUSED = ("tensorflow", "tf2jax", "keras", "tensorboard")
LIST = "import importlib.metadata as m\nfor d in m.distributions(): print(d.name, d.version)"


class ColabError(BookError):
    """The setup cell did what it should not; says what."""


def stock(project: Project) -> list[str]:
    """The names in colab.txt."""
    lines = (project.root / "book" / "_tools" / "colab.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def needed(names: Iterable[str]) -> set[str]:
    """The packages and all that they need on this machine, by what the packages installed here say."""
    seen: set[tuple[str, str]] = set()
    waiting = [(canonicalize_name(name), "") for name in names]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        for text in importlib.metadata.requires(name) or []:
            need = Requirement(text)
            if need.marker is None or need.marker.evaluate({"extra": extra}):
                waiting += [(canonicalize_name(need.name), wanted) for wanted in ("", *need.extras)]
    return {name for name, _ in seen}


def split_lock(project: Project, names: Iterable[str]) -> tuple[list[str], list[str]]:
    """The lock's pins for this machine: those of the packages named and their needs, and the others."""
    here = [pin for pin in map(Requirement, pins(project.lock)) if not pin.marker or pin.marker.evaluate()]
    within = needed(names)
    if absent := within - {canonicalize_name(pin.name) for pin in here}:
        raise ColabError(f"requirements.lock has no {', '.join(sorted(absent))}: run `make lock`.")
    sides: dict[bool, list[str]] = {True: [], False: []}
    for pin in here:
        sides[canonicalize_name(pin.name) in within].append(f"{pin.name}{pin.specifier}")
    return sides[True], sides[False]


def from_wheel(project: Project, wheel: Path) -> str:
    """The setup cell with the repository's address replaced by a wheel."""
    address, cell = package(project), setup_cell(project)
    if cell.count(address) != 1:
        raise ColabError(f"the setup cell should name {address!r} once, not {cell.count(address)} times.")
    return cell.replace(address, f"ntkal @ {wheel.resolve().as_uri()}")


def check(before: dict[str, str], after: dict[str, str], printed: str, seconds: float) -> None:
    """Raise a ColabError that lists all that the setup cell should not have done."""
    changed = [(name, old, new) for name, old in before.items() if (new := after.get(name, "nothing")) != old]
    faults = [f"{name} {old} became {new}" for name, old, new in changed]
    faults += [f"{name} was installed" for name in sorted(after) if name.lower().startswith(REFUSED)]
    if any(name in printed.lower() for name in REFUSED):
        faults.append(f"it speaks of TensorFlow:\n{printed}")
    if seconds > SECONDS:
        faults.append(f"it took {seconds:.0f} s of processor time, more than {SECONDS} s")
    if "ntkal" not in after:
        faults.append("ntkal was not installed")
    if faults:
        raise ColabError("The setup cell: " + "; ".join(faults) + ".")


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
        """The versions of what is installed there."""
        asked = subprocess.run([self.python, "-I", "-c", LIST], check=True, capture_output=True, text=True)
        return dict(line.split() for line in asked.stdout.splitlines())

    def make(self, theirs: list[str], others: list[str]) -> None:
        """Make it anew, with what Colab has and a Jupyter kernel."""
        shutil.rmtree(self.folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", self.folder], check=True)
        self.pip("install", "--no-deps", "--no-compile", *theirs)  # most modules are never imported
        register = ["-m", "ipykernel", "install", "--prefix", self.folder, "--name", KERNEL]
        subprocess.run([self.python, *register], check=True, capture_output=True)
        # What the cell adds comes at the locked versions too: a release elsewhere changes no test here.
        # Colab's own packages are not held that way; it is the cell that has to leave them alone.
        write(self.folder / "constraints.txt", "\n".join(others) + "\n")

    def run_cell(self, cell: str) -> tuple[str, float]:
        """Run the setup cell there; return what it printed and its seconds of processor time."""
        write(path := self.folder / "setup_cell.py", cell)
        environment = os.environ | {"PIP_CONSTRAINT": str(self.folder / "constraints.txt")}
        environment.pop("PYTHONPATH", None)
        start = os.times()
        into = {"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        ran = subprocess.run([self.python, path], env=environment, **into)
        if ran.returncode:
            raise ColabError(f"The setup cell failed:\n{ran.stdout}")
        end = os.times()
        user, system = end.children_user - start.children_user, end.children_system - start.children_system
        return ran.stdout, user + system

    def install(self, wheel: Path) -> str:
        """Let the setup cell install ntkal, twice as after a restart, and check it; say how it went."""
        if "ntkal" in self.packages():
            self.pip("uninstall", "--yes", "ntkal")
        before = self.packages()
        cell = from_wheel(self.project, wheel)
        start = time.perf_counter()
        printed, seconds = self.run_cell(cell)
        wall, after = time.perf_counter() - start, self.packages()
        check(before, after, printed, seconds)
        again, _ = self.run_cell(cell)
        if not printed.endswith(again) or self.packages() != after:
            raise ColabError(f"The setup cell does other things when it runs again:\n{again}")
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


def bring_up_to_date(colab: Colab) -> None:
    """Make again what was made from something else."""
    project, stamp = colab.project, colab.folder / "made-from.txt"
    theirs, others = split_lock(project, stock(project))
    with tempfile.TemporaryDirectory() as scratch:
        wheel = build_wheel(project, Path(scratch))
        base = sha256("\n".join([sys.version, project.lock, *theirs]).encode()).hexdigest()
        whole = sha256(f"{base}\n{setup_cell(project)}".encode() + wheel.read_bytes()).hexdigest()
        made = stamp.read_text().split() if stamp.exists() else []
        if made == [base, whole]:
            return
        stamp.unlink(missing_ok=True)
        if made[:1] != [base]:
            start = time.perf_counter()
            colab.make(theirs, others)
            print(f"Colab-like environment: {len(theirs)} packages, {time.perf_counter() - start:.0f} s")
        print(f"Setup cell: {colab.install(wheel)}", flush=True)
        write(stamp, f"{base}\n{whole}\n")


if __name__ == "__main__":
    sys.exit(main())
