"""Run answers against a problem set's tests in this process, without nbgrader: many answers to one question.

A `Paper` runs the whole set once with the model answers. Then `Paper.losses` runs one question with other
answers, from the state that the cells before it left, and tells which test cells give no points and what they
say. The read-only cells of the question are not run again: what they made is put back, so that the price of
an answer is the price of the answer and of its tests.
"""

import ast
import contextlib
import copy
import io
import re
import signal
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "book" / "_tools"), str(Path(__file__).resolve().parent)]

from assignment_source import FOLDER, read_set  # noqa: E402
from labels import Book, Page  # noqa: E402
from project import Project  # noqa: E402

matplotlib.use("agg")
MARK = re.compile(r"^\s*### (BEGIN|END) .*\n?", re.MULTILINE)


class TooLong(BaseException):
    """An answer that does not come to an end; no `except Exception` of an answer may catch it."""


@dataclass
class Part:
    """A code cell: its name and role to nbgrader (given, solution, tests or none), source, question."""

    name: str
    role: str
    source: str
    question: int
    points: int = 0
    before: dict = field(default_factory=dict)  # the names when the model run came to it
    made: dict = field(default_factory=dict)  # what it bound, if it is read-only


class Paper:
    """A problem set in a variant, with its model answers run once.

    Args:
        name: The set, as `ps1_kernels`.
        seed: The variant.

    Raises:
        AssertionError: When a model answer does not have all points.
    """

    def __init__(self, name: str, seed: int = 0):
        self.name, self.parts, self.space = name, parts_of(name, seed), {"__name__": "__main__"}
        for part in self.parts:
            part.before = dict(self.space)
            problem = run(part.source, self.space)
            assert problem is None, f"{name}, {part.name}: the model answer fails: {problem}"
            if part.role == "given":
                part.made = {key: _own(self.space[key]) for key in _bound(part.source) if key in self.space}

    @property
    def solutions(self) -> dict[str, str]:
        """The model answers in code, by cell."""
        return {part.name: part.source for part in self.parts if part.role == "solution"}

    def losses(self, answers: dict[str, str], *, scratch: str = "", limit: float = 60.0) -> dict[str, str]:
        """Run other answers to one question, or more.

        Args:
            answers: Sources by the names of solution cells; the others are answered by the model answers.
            scratch: A cell that the student runs before each of the answers and each of the tests.
            limit: Seconds for a cell.

        Returns:
            What the tests said, by cell, where points were lost; a cell of an answer that fails is there too.
        """
        unknown = set(answers) - set(self.solutions)
        assert not unknown, f"{self.name} has no solution cells {sorted(unknown)}"
        asked = {part.question for part in self.parts if part.name in answers}
        found: dict[str, str] = {}
        for question in sorted(asked):
            parts = [part for part in self.parts if part.question == question]
            first = next(at for at, part in enumerate(parts) if part.name in answers)
            self._put({key: _own(value) for key, value in parts[first].before.items()})
            for part in parts[first:]:
                if part.role == "given":
                    self.space.update({key: _own(value) for key, value in part.made.items()})
                    continue
                if scratch and part.role in ("solution", "tests"):
                    assert run(scratch, self.space) is None
                problem = run(answers.get(part.name, part.source), self.space, limit)
                if problem is not None and (part.role == "tests" or part.name in answers):
                    found[part.name] = problem
        return found

    def _put(self, names: dict) -> None:
        """Set the names; the dictionary stays, since the functions of read-only cells look into it."""
        self.space.clear()
        self.space.update(names)


def run(source: str, space: dict, limit: float = 600.0) -> str | None:
    """Run a cell; return what went wrong, as `Kind: message`, or None."""

    def stop(*_):
        raise TooLong

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(action="ignore"):
            exec(compile(source, "cell", "exec"), space)
    except (Exception, SystemExit) as problem:
        return f"{type(problem).__name__}: {problem}"
    except TooLong:
        return f"TooLong: not done after {limit:g} s"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    return None


def parts_of(name: str, seed: int) -> list[Part]:
    """The code cells of a problem set in a variant, with its model answers."""
    problems = read_set(Book(Project(ROOT)), Page(ROOT / FOLDER / f"{name}.md"), seed)
    question, parts = 0, []
    for cell in problems.notebook.cells:
        if cell.cell_type != "code":
            question += cell.source.startswith("## ")
            continue
        about = cell.metadata.get("nbgrader", {})
        role = "solution" if about.get("solution") else "tests" if about.get("grade") else "given"
        named, points = about.get("grade_id", ""), about.get("points", 0)
        parts.append(Part(named, role if named else "", MARK.sub("", cell.source), question, points))
    return parts


def answered(name: str, seed: int, cell: str | None = None) -> dict:
    """What the parameters and the question of this solution cell bind, by its model answer, without tests."""
    parts = parts_of(name, seed)
    here = 0 if cell is None else next(part.question for part in parts if part.name == cell)
    space = {"__name__": "__main__"}
    for part in parts:
        if part.question in (0, here) and part.role in ("given", "solution"):
            assert run(part.source, space) is None, (name, seed, part.name)
    return space


def _bound(source: str) -> set[str]:
    """The names that a cell binds at its top level."""
    names = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        else:
            stored = (one for one in ast.walk(node) if isinstance(one, ast.Name))
            names |= {one.id for one in stored if isinstance(one.ctx, ast.Store)}
    return names


def _own(value):
    """A copy of what an answer could change in place; the rest as it is."""
    if isinstance(value, list | tuple | dict | set | np.ndarray | pd.DataFrame | pd.Series):
        with contextlib.suppress(TypeError):  # what holds a generator or a module
            return copy.deepcopy(value)
    return value
