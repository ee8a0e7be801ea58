"""The round trip with the real nbgrader and real kernels: hand in, autograde, grade, feedback, export."""

import csv
import shutil

import pytest
from hand_in import hand_in, messages, solutions, solved
from scores import auto_scores, gradebook, max_scores
from test_bank import SETS, bank

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # nbgrader's own warnings


def grade_by_hand(course, name, student, share):
    """What the form grader's page does: a score and a comment for each cell that waits for a person."""
    with gradebook(course) as book:
        for notebook in book.find_submission(name, student).notebooks:
            for grade in notebook.grades:
                if grade.needs_manual_grade:
                    grade.manual_score, grade.needs_manual_grade = share * grade.max_score, False
                    comment = book.find_comment(grade.cell.name, notebook.name, name, student)
                    comment.manual_comment = "The second step lacks a reason."
        book.db.commit()


@pytest.mark.parametrize("name", SETS[:2])  # two: a kernel for each submission takes its time
def test_round_trip(name, make_course, tmp_path, tool):
    course = shutil.copytree(make_course(7), tmp_path / "course")  # released by nbgrader generate_assignment
    hand_in(course, name, "ada", solved(course, name))
    broken = {cell: wrongs[0](solved(course, name)[cell]) for cell, wrongs in bank(name).items()}
    hand_in(course, name, "bob", broken)
    tool("-m", "nbgrader", "autograde", name, cwd=course)

    by_hand = {key for key, cell in solutions(course, name).items() if cell.cell_type == "markdown"}
    most, scores = max_scores(course, name), auto_scores(course, name)
    lost = set().union(*(wrongs[0].loses for wrongs in bank(name).values()))
    assert {cell for cell in by_hand if scores["ada"][cell] is None} == by_hand  # they wait for a person
    assert {cell: scores["ada"][cell] for cell in most if cell not in by_hand} == {
        cell: points for cell, points in most.items() if cell not in by_hand
    }
    assert {cell for cell, points in most.items() if scores["bob"][cell] != points} == lost | by_hand
    assert {cell for cell in by_hand if scores["bob"][cell] == 0} == by_hand  # left blank
    told = messages(course, "bob", name)
    assert all(wrongs[0].says in "".join(told.values()) for wrongs in bank(name).values() if wrongs[0].says)

    grade_by_hand(course, name, "ada", 1.0)
    tool("-m", "nbgrader", "generate_feedback", name, cwd=course)
    pages = {who: (course / "feedback" / who / name / f"{name}.html").read_text() for who in ("ada", "bob")}
    assert "The second step lacks a reason." in pages["ada"]
    first = next(wrong for wrongs in bank(name).values() for wrong in wrongs[:1] if wrong.says)
    assert first.says in pages["bob"]

    tool("-m", "nbgrader", "export", "--to", course / "grades.csv", cwd=course)
    with (course / "grades.csv").open() as stream:
        rows = {row["student_id"]: row for row in csv.DictReader(stream) if row["assignment"] == name}
    total = sum(most.values())
    assert float(rows["ada"]["score"]) == float(rows["ada"]["max_score"]) == total
    assert float(rows["bob"]["score"]) == total - sum(most[cell] for cell in lost | by_hand)
