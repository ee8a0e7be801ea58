"""Read a problem set from book/assignments/ and make the instructor's notebook of one variant.

The sources are MyST notebooks. The numbers of a variant are those of its parameters cell, drawn by a seed;
the text uses them as `{{ NAME }}`. Cells say what they are to nbgrader in a short form:

    {"nbgrader": {"given": "data"}}                       read-only: restored before grading
    {"nbgrader": {"solution": "paired"}}                  code that the student writes
    {"nbgrader": {"tests": "paired-mean", "points": 2}}   autograded, visible or with a hidden region
    {"nbgrader": {"answer": "missing", "points": 6}}      text that is graded by hand; holds answer and rubric

and `{"question": {"difficulty": 1, "minutes": 15}}` opens a question with a heading.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import numpy as np
from flatten import Flattener
from labels import Book, Page
from myst import Cell
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from project import BookError, Project

from notebooks import METADATA, as_notebook, code, first_cells

FOLDER = "book/assignments"
ROLES = {  # what nbgrader is told about a cell of each kind: (grade, solution, locked)
    "given": (False, False, True),
    "solution": (False, True, False),
    "tests": (True, False, True),
    "answer": (True, True, False),
}
GRADE_ID = re.compile(r"[a-z][a-z0-9-]{0,60}$")
ASSIGNMENT = re.compile(r"^(?P<name>[A-Z][A-Z0-9_]*) = (?P<rule>.*?)(?P<comment>\s+# .*)?$")
SUBSTITUTION = re.compile(r"\{\{ (?P<expression>.+?) \}\}")


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
    def stars(self) -> str:
        return "★" * self.difficulty + "☆" * (3 - self.difficulty)

    def line(self) -> str:
        """What stands under the heading."""
        parts = [(self.by_hand, "by hand"), (self.by_tests, "by tests")]
        graded = " and ".join(f"{points} {how}" for points, how in parts if points)
        size = f"about {self.minutes} minutes, {self.points} points"
        return f"*Difficulty {self.stars}, {size}: {graded}.*"


@dataclass
class ProblemSet:
    """One variant of a problem set."""

    name: str
    title: str
    seed: int
    questions: list[Question]
    notebook: NotebookNode  # the instructor's, with solutions, tests and rubrics


def sources(project: Project) -> list[Path]:
    """The problem sets, in order."""
    return sorted((project.root / FOLDER).glob("ps[0-9]*.md"))


def read_sets(project: Project, seed: int) -> list[ProblemSet]:
    """Every problem set, in the variant of this seed."""
    book = Book(project)
    return [read_set(book, Page(path), seed) for path in sources(project)]


def read_set(book: Book, page: Page, seed: int) -> ProblemSet:
    """Read one set."""
    flatten, values = Flattener(book, page), {"SEED": seed}
    for cell in page.cells:
        if cell.kind == "code" and "parameters" in cell.metadata.get("tags", []):
            cell.source, values = draw(cell, seed, f"{page.path}:{cell.line}")
            cell.metadata = {"nbgrader": {"given": "parameters"}}
    cells, questions, taken = [], [], set()
    for cell in page.cells:
        where = f"{page.path}:{cell.line}"
        if cell.kind == "markdown":
            cell.source = substitute(cell.source, values, where)
            made = new_markdown_cell(flatten(cell))
        else:
            made = code(cell.source, {"tags": tags} if (tags := cell.metadata.get("tags")) else {})
        if about := cell.metadata.get("question"):
            questions.append(open_question(made, about, where))
        if short := cell.metadata.get("nbgrader"):
            count(made, short, questions, taken, where)
        cells.append(made)
    title = re.match(r"# (.*)", cells[0].source)
    if not title or not questions:
        raise BookError(f"{page.path}: a problem set begins with its title and has questions")
    number_questions(cells, questions)
    cells[0].source += "\n\n" + overview(questions)
    # No link to the source, which has the answers.
    header = f"*A problem set of [{book.project.title}]({book.project.pages}), {page.name}.*"
    metadata = {**METADATA, "ntkal": {"problem_set": page.name, "seed": seed}}
    notebook = as_notebook([*first_cells(book.project, header), *cells], metadata)
    for cell in notebook.cells:
        cell.id = cell.metadata.get("nbgrader", {}).get("grade_id", cell.id)
    nbformat.validate(notebook)
    return ProblemSet(page.name, title[1], seed, questions, notebook)


def draw(cell: Cell, seed: int, where: str) -> tuple[str, dict]:
    """The parameters cell with each rule replaced by its value, and the values by name.

    A line is `NAME = rule  # comment`. The rules are evaluated from the top with `rng`, which is
    `numpy.random.default_rng(seed)`, with `np`, and with the names drawn before; comments stay.
    """
    known = {"rng": np.random.default_rng(seed), "np": np}
    values: dict = {"SEED": seed}
    rows = []
    for row in cell.source.splitlines():
        if not row or row.startswith("#"):
            rows.append(row)
            continue
        if not (match := ASSIGNMENT.match(row)):
            raise BookError(f"{where}: a line of the parameters cell is `NAME = rule  # comment`: {row}")
        value = eval(match["rule"], {**known, **values})
        if not isinstance(value, int | float | str | list | tuple) or isinstance(value, np.generic):
            raise BookError(f"{where}: {match['name']} is a {type(value).__name__}: make it a plain number")
        values[match["name"]] = value
        rows.append(f"{match['name']} = {value!r}{match['comment'] or ''}")
    return "\n".join([*rows, f"SEED = {seed}  # the variant"]), values


def substitute(text: str, values: dict, where: str) -> str:
    """The text with `{{ NAME }}`, or any expression of the parameters and `np`, replaced by its value."""
    try:
        return SUBSTITUTION.sub(lambda found: str(eval(found["expression"], {"np": np, **values})), text)
    except NameError as problem:
        raise BookError(f"{where}: {problem}") from None


def overview(questions: list[Question]) -> str:
    """The table of the questions."""
    rows = [
        f"| {number} | {q.title} | {q.stars} | {q.minutes} | {q.points} |"
        for number, q in enumerate(questions, 1)
    ]
    total = f"| | | | **{sum(q.minutes for q in questions)}** | **{sum(q.points for q in questions)}** |"
    head = ["| | Question | Difficulty | Minutes | Points |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows, total])


def open_question(made: NotebookNode, about: dict, where: str) -> Question:
    """A question from the metadata and the heading of its first cell."""
    heading = re.match(r"## (.*)", made.source)
    if not heading or about.get("difficulty") not in {1, 2, 3} or about.get("minutes", 0) < 1:
        raise BookError(f"{where}: a question begins with ## and has a difficulty from 1 to 3 and minutes")
    return Question(heading[1], about["difficulty"], about["minutes"])


def count(made: NotebookNode, short: dict, questions: list[Question], taken: set[str], where: str) -> None:
    """Write nbgrader's metadata into a cell and add its points to the question."""
    (role, name), *others = [item for item in short.items() if item[0] != "points"] or [("", "")]
    if others or role not in ROLES:
        roles = ", ".join(ROLES)
        raise BookError(f"{where}: nbgrader: one of {roles}, with points where graded; got {short}")
    if not GRADE_ID.match(name) or name in taken:
        raise BookError(f"{where}: {name} is no name for a graded cell, or it is taken")
    grade, solution, locked = ROLES[role]
    points = {"points": short["points"]} if isinstance(short.get("points"), int) else {}
    if grade != bool(points) or (role == "answer") != (made.cell_type == "markdown"):
        raise BookError(f"{where}: {name}: tests are code and answers are text, and these two have points")
    taken.add(name)
    about = {"grade": grade, "grade_id": name, "locked": locked, "solution": solution, **points}
    made.metadata["nbgrader"] = {**about, "schema_version": 3, "task": False}
    if grade:
        questions[-1].cells.append(name)
        questions[-1].by_hand += short["points"] if role == "answer" else 0
        questions[-1].by_tests += short["points"] if role == "tests" else 0


def number_questions(cells: list[NotebookNode], questions: list[Question]) -> None:
    """Number the headings of the questions and put their particulars below."""
    waiting = list(enumerate(questions, 1))
    for cell in cells:
        if waiting and cell.source.startswith(heading := f"## {waiting[0][1].title}"):
            number, question = waiting.pop(0)
            body = cell.source.removeprefix(heading)
            cell.source = f"## {number}. {question.title}\n\n{question.line()}{body}"
