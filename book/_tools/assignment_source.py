"""Read a problem set from book/assignments/ and make the instructor's notebook of one variant.

The sources are MyST notebooks. Cells say what they are to nbgrader in a short form:

    {"nbgrader": {"given": "data"}}                       read-only: restored before grading
    {"nbgrader": {"solution": "paired"}}                  code that the student writes
    {"nbgrader": {"tests": "paired-mean", "points": 2}}   autograded, visible or with a hidden region
    {"nbgrader": {"answer": "missing", "points": 6}}      text that is graded by hand; holds answer and rubric

and `{"question": {"difficulty": 1, "minutes": 15}}` opens a question with a heading.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from assignment_variant import draw, is_parameters, substitute
from citations import Bibliography
from flatten import Flattener
from inline import Inline
from labels import read_book, read_page
from myst import BookError
from project import Project
from setup_cell import setup_cell

from notebooks import METADATA, code, markdown, name_cells

FOLDER = "book/assignments"
ROLES = {  # what nbgrader is told about a cell of each kind: (grade, solution, locked)
    "given": (False, False, True),
    "solution": (False, True, False),
    "tests": (True, False, True),
    "answer": (True, True, False),
}
GRADE_ID = re.compile(r"[a-z][a-z0-9-]{0,60}$")


@dataclass
class Question:
    """A question as its heading announces it."""

    title: str
    difficulty: int
    minutes: int
    by_hand: int = 0  # points
    by_tests: int = 0
    cells: list[str] = field(default_factory=list)  # the names of its graded cells

    @property
    def points(self) -> int:
        return self.by_hand + self.by_tests

    @property
    def graded(self) -> str:
        parts = [(self.by_hand, "by hand"), (self.by_tests, "by tests")]
        return " and ".join(f"{points} {how}" for points, how in parts if points)

    @property
    def stars(self) -> str:
        return "★" * self.difficulty + "☆" * (3 - self.difficulty)

    def line(self) -> str:
        """What stands under the heading."""
        return (
            f"*Difficulty {self.stars}, about {self.minutes} minutes, {self.points} points: {self.graded}.*"
        )


@dataclass
class ProblemSet:
    """One variant of a problem set."""

    name: str
    title: str
    seed: int
    questions: list[Question]
    notebook: nbformat.NotebookNode  # the instructor's, with solutions, tests and rubrics


def sources(project: Project) -> list[Path]:
    """The problem sets, in order."""
    return sorted((project.root / FOLDER).glob("ps[0-9]*.md"))


def read_sets(project: Project, seed: int) -> list[ProblemSet]:
    """Every problem set, in the variant of this seed."""
    _, labels = read_book(project)
    bibliography = Bibliography(project.root / "book" / "references.bib", project.page_url("bibliography"))
    return [read_set(project, path, seed, labels, bibliography) for path in sources(project)]


def read_set(project: Project, path: Path, seed: int, labels: dict, bibliography: Bibliography) -> ProblemSet:
    """Read one set."""
    page = read_page(path)
    flatten = Flattener(
        project,
        page,
        {**labels, **page.labels},
        Inline(project, page, {**labels, **page.labels}, bibliography),
    )
    values: dict = {"SEED": seed}
    for cell in page.cells:
        if is_parameters(cell):
            cell.source, values = draw(cell, seed, f"{path}:{cell.line}")
            cell.metadata = {"nbgrader": {"given": "parameters"}}
    cells, questions, taken = [], [], set()
    for cell in page.cells:
        where = f"{path}:{cell.line}"
        if cell.kind == "markdown":
            cell.source = substitute(cell.source, values, where)
            made = markdown(flatten(cell))
        else:
            made = code(cell.source, {"tags": tags} if (tags := cell.metadata.get("tags")) else {})
        if about := cell.metadata.get("question"):
            questions.append(open_question(made, about, where))
        if short := cell.metadata.get("nbgrader"):
            count(made, short, questions, taken, where)
        cells.append(made)
    title = re.match(r"# (.*)", cells[0]["source"])
    if not title or not questions:
        raise BookError(f"{path}: a problem set begins with its title and has questions")
    number_questions(cells, questions)
    cells[0]["source"] += "\n\n" + overview(questions)
    cells = [
        markdown(header(project, page.name)),
        code(setup_cell(project), {"tags": ["setup"]}, folded=True),
        *cells,
    ]
    name_cells(cells)
    for cell in cells:
        if "nbgrader" in cell["metadata"]:
            cell["id"] = cell["metadata"]["nbgrader"]["grade_id"]
    metadata = {**METADATA, "ntkal": {"problem_set": path.stem, "seed": seed}}
    notebook = nbformat.from_dict({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})
    nbformat.validate(notebook)
    return ProblemSet(path.stem, title[1], seed, questions, notebook)


def overview(questions: list[Question]) -> str:
    """The table of the questions."""
    rows = [
        f"| {number} | {question.title} | {question.stars} | {question.minutes} | {question.points} |"
        for number, question in enumerate(questions, 1)
    ]
    total = f"| | | | **{sum(q.minutes for q in questions)}** | **{sum(q.points for q in questions)}** |"
    head = ["| | Question | Difficulty | Minutes | Points |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows, total])


def open_question(made: dict, about: dict, where: str) -> Question:
    """A question from the metadata and the heading of its first cell."""
    heading = re.match(r"## (.*)", made["source"])
    if not heading or about.get("difficulty") not in {1, 2, 3} or about.get("minutes", 0) < 1:
        raise BookError(f"{where}: a question begins with ## and has a difficulty from 1 to 3 and minutes")
    return Question(heading[1], about["difficulty"], about["minutes"])


def count(made: dict, short: dict, questions: list[Question], taken: set[str], where: str) -> None:
    """Write nbgrader's metadata into a cell and add its points to the question."""
    short = dict(short)
    points = short.pop("points", None)
    if len(short) != 1 or (role := next(iter(short))) not in ROLES:
        raise BookError(
            f"{where}: nbgrader: one of {', '.join(ROLES)}, with points where graded; got {short}"
        )
    name = short[role]
    grade, solution, locked = ROLES[role]
    if not GRADE_ID.match(name) or name in taken:
        raise BookError(f"{where}: {name} is no name for a graded cell, or it is taken")
    if grade != isinstance(points, int) or (role == "answer") != (made["cell_type"] == "markdown"):
        raise BookError(f"{where}: {name}: tests are code and answers are text, and these two have points")
    taken.add(name)
    made["metadata"]["nbgrader"] = {
        "grade": grade, "grade_id": name, "locked": locked, "schema_version": 3, "solution": solution,
        "task": False, **({"points": points} if grade else {}),
    }  # fmt: skip
    if grade:
        question = questions[-1]
        question.cells.append(name)
        question.by_hand += points if role == "answer" else 0
        question.by_tests += points if role == "tests" else 0


def number_questions(cells: list[dict], questions: list[Question]) -> None:
    """Number the headings of the questions and put their particulars below."""
    waiting = list(enumerate(questions, 1))
    for cell in cells:
        if waiting and cell["source"].startswith(heading := f"## {waiting[0][1].title}"):
            number, question = waiting.pop(0)
            body = cell["source"].removeprefix(heading)
            cell["source"] = f"## {number}. {question.title}\n\n{question.line()}{body}"


def header(project: Project, name: str) -> str:
    """The first cell: where the set belongs. No link to the source, which has the answers."""
    return f"*A problem set of [{project.title}]({project.pages}), {name}.*"
