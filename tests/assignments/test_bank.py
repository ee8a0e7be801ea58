"""The graders are graded: full marks for the reference, none for a blank, for each slip what it must lose.

All scores are read from nbgrader's gradebook, and for two variants, since the same tests grade every variant.
"""

import importlib
import shutil

import pytest
from assignment_source import sources
from hand_in import hand_in_bank, messages, solutions
from project import ROOT, Project
from scores import auto_scores, max_scores

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # nbgrader's own warnings

SETS = [path.stem for path in sources(Project(ROOT))]
VARIANTS = {0: 99, 7: 2}  # seed: how many wrong answers to each question, all or the first two


def bank(name):
    return importlib.import_module(f"wrong_answers.{name}").BANK


def disagreements(course, name, students):
    """Where a score, or what the student was told, is not what the bank says."""
    scores, most, found = auto_scores(course, name), max_scores(course, name), []
    by_hand = {key for key, cell in solutions(course, name).items() if cell.cell_type == "markdown"}
    for student in students:
        lost, said = set(), {}
        if student == "blank":
            lost = set(most)
        elif student != "solved":
            turn = int(student.removeprefix("wrong"))
            given = [wrongs[turn] for wrongs in bank(name).values() if turn < len(wrongs)]
            lost = set().union(*(wrong.loses for wrong in given))
            said = {wrong.name: wrong for wrong in given if wrong.says}
        told = messages(course, student, name)
        for cell, points in most.items():
            expected = 0 if cell in lost else None if cell in by_hand else points
            if scores[student][cell] != expected:
                found.append((student, cell, scores[student][cell], "for", expected, told.get(cell, "")))
        for slip, wrong in said.items():
            if not any(wrong.says in told[cell] for cell in wrong.loses):
                found.append((student, slip, "not told", wrong.says, [told[cell] for cell in wrong.loses]))
    return found


@pytest.mark.parametrize("name", SETS)
def test_each_wrong_answer_loses_exactly_what_it_should(name, make_course, tmp_path, tool):
    handed_in = {}
    for seed, most in VARIANTS.items():
        course = shutil.copytree(make_course(seed), tmp_path / str(seed))
        handed_in[course] = hand_in_bank(course, name, bank(name), most)
    tool("tests/assignments/in_process.py", name, *handed_in)
    found = [
        problem for course, students in handed_in.items() for problem in disagreements(course, name, students)
    ]
    assert found == []


@pytest.mark.parametrize("name", SETS)
def test_every_coding_question_has_wrong_answers(name, make_course):
    coding = {key for key, cell in solutions(make_course(0), name).items() if cell.cell_type == "code"}
    assert set(bank(name)) == coding
    for cell, wrongs in bank(name).items():
        assert len(wrongs) >= 5, cell
        assert len({wrong.name for wrong in wrongs}) == len(wrongs), cell


@pytest.mark.parametrize("name", SETS)
def test_every_autograded_cell_can_be_lost_by_a_wrong_answer(name, make_course):
    by_tests = set(max_scores(make_course(0), name)) - set(solutions(make_course(0), name))
    assert by_tests == {cell for wrongs in bank(name).values() for wrong in wrongs for cell in wrong.loses}
