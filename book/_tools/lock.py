"""Make requirements.lock from pyproject.toml with uv, and environment.yml from the lock."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.requirements import Requirement
from project import BookError, Project, command, fill_in, flag, write

OPTIONS = (
    "--all-extras --universal --python-version 3.11 --no-annotate --no-header --no-emit-find-links --quiet"
)
COMPILE = ["pip", "compile", "pyproject.toml", *OPTIONS.split()]


def pins(lock: str) -> list[str]:
    """The requirement lines of a lock."""
    return [line for line in lock.splitlines() if line and not line.startswith("#")]


def conda_environment(project: Project) -> str:
    """The text of environment.yml: the packages that pyproject.toml names first, then all that these need."""
    direct = {Requirement(item).name.lower() for item in project.asked()}
    lines = pins(project.lock)
    named = [line for line in lines if line.split("==")[0] in direct]
    rest = [line for line in lines if line not in named]
    rows = ["# named in pyproject.toml", *map(entry, named), "# needed by those", *map(entry, rest)]
    return fill_in("environment.txt", packages="".join(f"      {row}\n" for row in rows))


def entry(pin: str) -> str:
    """A pin as an item of a YAML list."""
    return f'- "{pin}"' if ";" in pin else f"- {pin}"


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


UPGRADE = flag("newest versions instead of those in the lock")
ENVIRONMENT_ONLY = flag("only environment.yml, from the lock as it is")


@command(__doc__, {"--upgrade": UPGRADE, "--environment": ENVIRONMENT_ONLY})
def main(project: Project, upgrade: bool, environment: bool) -> None:
    """Write both files."""
    if not environment:
        if not shutil.which("uv"):
            raise BookError("make lock needs uv: install it with `pip install uv`")
        write(project.root / "requirements.lock", compile_lock(project, upgrade))
    write(project.root / "environment.yml", conda_environment(Project(project.root)))


if __name__ == "__main__":
    sys.exit(main())
