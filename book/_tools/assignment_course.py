"""A nbgrader course folder: the instructor's notebooks, the configuration, and nbgrader's own release."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
from assignment_source import ProblemSet
from myst import BookError

from notebooks import render

CONFIG = '''\
"""nbgrader's configuration of this course. `make assignments` made it once and does not change it again."""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")  # the same numbers for everybody
os.environ["PYTHONWARNINGS"] = "ignore"  # nbgrader takes what a test prints on the error stream for a failure

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "{course}"
c.ClearSolutions.code_stub = {{"python": "# Your code here.\\nraise NotImplementedError()"}}
c.ClearSolutions.text_stub = "*Your answer here.*"
c.Execute.timeout = 300  # seconds for a cell
c.Execute.extra_arguments = ["--IPKernelApp.log_level=40"]
'''


def write_course(course: Path, sets: list[ProblemSet]) -> None:
    """Write configuration and sources; refuse to change a set that somebody has handed in already."""
    course.mkdir(parents=True, exist_ok=True)
    config = course / "nbgrader_config.py"
    if not config.exists():
        config.write_text(CONFIG.format(course=course.resolve().name))
    for problems in sets:
        path = course / "source" / problems.name / f"{problems.name}.ipynb"
        text = render(problems.notebook)
        if path.exists() and path.read_text() == text:
            continue
        if path.exists() and list(course.glob(f"submitted/*/{problems.name}")):
            raise BookError(
                f"{path} would change (other sources or another SEED), but there are submissions to it: "
                "grade them with the set that was released, or name another folder with COURSE=..."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def release(course: Path, names: list[str]) -> dict[str, nbformat.NotebookNode]:
    """Let nbgrader make the student versions, in the folder's release/; return them by name."""
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import PyFileConfigLoader

    # nbgrader calls alembic by its name when it makes a gradebook.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    config.CourseDirectory.root = str(course.resolve())
    api = NbGraderAPI(config=config)
    released = {}
    for name in names:
        result = api.generate_assignment(name, force=True)
        if not result["success"]:
            raise BookError(
                f"nbgrader generate_assignment {name}:\n{result.get('log')}\n{result.get('error')}"
            )
        released[name] = nbformat.read(course / "release" / name / f"{name}.ipynb", as_version=4)
    return released
