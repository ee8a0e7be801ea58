"""Check a release: `make release-check`. It needs uv and the network.

The wheel is built from the source archive, and twine reads both. In an empty environment with the wheel, and
in one with each extra besides, the doctor then finds nothing wrong, and the README's examples print what they
say. The words of the command are the extras to try; "" is the wheel alone.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from project import Project

EXAMPLE = re.compile(r"^```(?:python|pycon)\n(>>> .*?)^```", re.MULTILINE | re.DOTALL)


def examples(readme: str) -> str:
    """The interactive sessions of the README, one after the other."""
    found = EXAMPLE.findall(readme)
    return "\n".join(found) or sys.exit(
        "README.md: expected a block of Python that begins with >>>, found none."
    )


def build(project: Project, folder: Path) -> Path:
    """The wheel, built from the source archive beside it."""
    source = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder]
    subprocess.run(source, cwd=project.root, check=True)
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder]
    subprocess.run([*pip, next(folder.glob("*.tar.gz"))], check=True)
    return next(folder.glob("*.whl"))


def main(project: Project, extras: list[str]) -> None:
    """Build, read, install, run; the first command that fails ends it."""
    if not shutil.which("uv"):
        sys.exit("make release-check needs uv: install it with `pip install uv`.")
    folder = project.root / "_build" / "release"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "examples.txt").write_text(examples((project.root / "README.md").read_text()))
    wheel = build(project, folder)
    subprocess.run(["uvx", "twine", "check", "--strict", *folder.glob("ntkal-*")], check=True)
    for extra in extras or ["", *project.pyproject["project"]["optional-dependencies"]]:
        print(f"== ntkal[{extra}]", flush=True)
        python = folder / f"with-{extra}" / "bin" / "python"
        subprocess.run(["uv", "venv", "-q", "--python", sys.executable, python.parents[1]], check=True)
        # From the repository, because uv reads in pyproject.toml that TensorFlow stays out.
        install = ["uv", "pip", "install", "-q", "--python", python, f"ntkal[{extra}] @ {wheel.as_uri()}"]
        subprocess.run(install, cwd=project.root, check=True)
        for module in (["ntkal", "doctor"], ["doctest", "-o", "NORMALIZE_WHITESPACE", "examples.txt"]):
            subprocess.run([python, "-m", *module], cwd=folder, check=True)


if __name__ == "__main__":
    main(Project(), sys.argv[1:])
