"""Hand in solved, blank and wrong versions of a problem set, as students' files in a course folder."""

import copy
import json
from pathlib import Path

import nbformat
from wrong_answers import Wrong


def read(course: Path, folder: str, name: str) -> nbformat.NotebookNode:
    return nbformat.read(course / folder / name / f"{name}.ipynb", as_version=4)


def solutions(course: Path, name: str) -> dict[str, nbformat.NotebookNode]:
    """The instructor's solution cells, code and text, by their names."""
    return {
        cell.metadata["nbgrader"]["grade_id"]: cell
        for cell in read(course, "source", name).cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }


def hand_in(course: Path, name: str, student: str, answers: dict[str, str]) -> Path:
    """Put the answers, by cell, into a copy of the released notebook, and hand that in."""
    notebook = copy.deepcopy(read(course, "release", name))
    left = dict(answers)
    for cell in notebook.cells:
        about = cell.metadata.get("nbgrader", {})
        if about.get("solution"):
            cell.source = left.pop(about["grade_id"], cell.source)
    assert not left, f"{name} has no cells {sorted(left)}"
    path = course / "submitted" / student / name / f"{name}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)
    return path


def solved(course: Path, name: str) -> dict[str, str]:
    """The reference answers, code without the marks around it."""
    return {key: plain(cell.source) for key, cell in solutions(course, name).items()}


def plain(source: str) -> str:
    return "\n".join(row for row in source.split("\n") if "### " not in row)


def mixed(course: Path, name: str, bank: dict[str, list[Wrong]], turn: int) -> dict[str, str]:
    """The reference answers with the wrong answer number `turn` to each question that has so many."""
    answers = solved(course, name)
    for cell, wrongs in bank.items():
        if turn < len(wrongs):
            answers[cell] = wrongs[turn](answers[cell])
    return answers


def hand_in_bank(course: Path, name: str, bank: dict[str, list[Wrong]], most: int = 99) -> list[str]:
    """One student for each turn (at most so many), besides `solved` and `blank`.

    A student gives one wrong answer to every question: the questions do not depend on each other.
    """
    turns = range(min(most, max(len(wrongs) for wrongs in bank.values())))
    hand_in(course, name, "solved", solved(course, name))
    hand_in(course, name, "blank", {})
    for turn in turns:
        hand_in(course, name, f"wrong{turn}", mixed(course, name, bank, turn))
    return ["solved", "blank", *(f"wrong{turn}" for turn in turns)]


def messages(course: Path, student: str, name: str) -> dict[str, str]:
    """What the tests said, by cell, in the autograded notebook."""
    path = course / "autograded" / student / name / f"{name}.ipynb"
    return {
        cell["metadata"]["nbgrader"]["grade_id"]: " ".join(out.get("evalue", "") for out in cell["outputs"])
        for cell in json.loads(path.read_text())["cells"]
        if cell["cell_type"] == "code" and "nbgrader" in cell["metadata"]
    }
