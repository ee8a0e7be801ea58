"""Autograde many submissions with nbgrader in one process: `python in_process.py SET COURSE...`.

Everything is nbgrader's own but the kernel: cells run here, in a fresh namespace for each notebook. A kernel
takes seconds to start and to import the packages, and the bank of wrong answers has many students.
"""

import contextlib
import io
import os
import sys
import traceback
import warnings
from pathlib import Path

import nbformat
from nbgrader.apps import NbGraderAPI
from nbgrader.converters import Autograde
from nbgrader.preprocessors import Execute, NbGraderPreprocessor
from traitlets.config import PyFileConfigLoader

OUTPUT = nbformat.v4.new_output


class InProcess(NbGraderPreprocessor):
    """Runs the cells of a notebook here."""

    def preprocess(self, nb, resources):
        space = {"__name__": "__main__"}
        for cell in nb.cells:
            if cell.cell_type == "code":
                cell.outputs = run(cell.source, space)
        return nb, resources


def run(source: str, space: dict) -> list:
    """Run a cell; return its outputs."""
    printed, outputs = io.StringIO(), []
    with contextlib.redirect_stdout(printed), warnings.catch_warnings(action="ignore"):
        try:
            exec(compile(source, "cell", "exec"), space)
        except Exception as problem:
            lines = traceback.format_exception(problem)
            outputs = [OUTPUT("error", ename=type(problem).__name__, evalue=str(problem), traceback=lines)]
    if text := printed.getvalue():
        outputs.insert(0, OUTPUT("stream", name="stdout", text=text))
    return outputs


def autograde(course: Path, name: str) -> None:
    """Autograde all that was handed in to this set."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    config.CourseDirectory.root = str(course)
    config.Autograde.autograde_preprocessors = [
        InProcess if step is Execute else step for step in Autograde().autograde_preprocessors
    ]
    api = NbGraderAPI(config=config)
    for student in sorted(os.listdir(course / "submitted")):
        result = api.autograde(name, student)
        if not result["success"]:
            raise SystemExit(f"{name}, {student}: {result.get('log')}\n{result.get('error')}")


if __name__ == "__main__":
    for folder in sys.argv[2:]:
        autograde(Path(folder).resolve(), sys.argv[1])
