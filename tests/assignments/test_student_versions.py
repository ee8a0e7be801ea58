"""What students get: nothing of an answer, a rubric or a hidden test; in step with the sources; readable."""

import json
import re
import shutil

import assignments
import nbformat
import pytest
from assignment_source import FOLDER, ROLES, read_sets
from flatten import LEFT_OVER, without_code
from hand_in import solutions
from myst import read_cells
from project import ROOT, Project
from scores import max_scores
from test_bank import SETS, bank

STUDENTS = ROOT / "notebooks" / "assignments"
REGION = re.compile(r"### BEGIN (?:SOLUTION|HIDDEN TESTS)\n(.*?)### END", re.DOTALL)


def parts(cells):
    """(what students may see, what they must not) of cells given as (is an answer, is a solution, source)."""
    for answer, solution, source in cells:
        if answer or (solution and not REGION.search(source)):
            yield "", source
        else:
            yield REGION.sub("", source), "\n".join(REGION.findall(source))


def source_cells(name):
    """The cells as they are written in book/assignments/."""
    for cell in read_cells(ROOT / FOLDER / f"{name}.md"):
        short = cell.metadata.get("nbgrader", {})
        yield "answer" in short, "solution" in short, cell.source


def instructor_cells(course, name):
    """The same, as the instructor's notebook has them: the numbers filled in, in plain Markdown."""
    for cell in nbformat.read(course / "source" / name / f"{name}.ipynb", as_version=4).cells:
        about = cell.metadata.get("nbgrader", {})
        yield about.get("grade") and about.get("solution"), about.get("solution"), cell.source


def secrets(cells):
    """Every line of solutions, hidden tests, model answers and rubrics that stands nowhere in the open."""
    seen, hidden = zip(*parts(cells), strict=True)
    return lines("\n".join(hidden)) - lines("\n".join(seen))


def lines(text):
    """Its lines, without those that say nothing by themselves."""
    return {row.strip() for row in text.split("\n") if len(re.sub(r"\W", "", row)) > 6}


def stored(name):
    return nbformat.read(STUDENTS / f"{name}.ipynb", as_version=4)


def test_every_set_has_a_student_version():
    assert len(SETS) >= 2
    assert sorted(path.stem for path in STUDENTS.glob("*.ipynb")) == SETS


@pytest.mark.slow
def test_no_student_version_holds_an_answer_a_rubric_or_a_hidden_test(make_course):
    course = make_course(assignments.stored_seed(STUDENTS))
    found = secrets([cell for name in SETS for cell in source_cells(name)])
    found |= secrets([cell for name in SETS for cell in instructor_cells(course, name)])
    assert len(found) > 300
    for path in STUDENTS.iterdir():
        text = path.read_text()
        shown = {row for cell in nbformat.read(path, as_version=4).cells for row in lines(cell.source)}
        assert not found & shown, path
        assert not [
            row for row in found if len(row) > 30 and json.dumps(row, ensure_ascii=False)[1:-1] in text
        ]
        for mark in ["BEGIN SOLUTION", "END SOLUTION", "HIDDEN TESTS", "Rubric", "MARK SCHEME"]:
            assert mark not in text, (path, mark)


def test_a_leak_would_be_found():
    """A solution, a hidden test and an answer are among the secrets, so that the test above can fail."""
    cells = list(source_cells(SETS[0]))
    found = secrets(cells)
    assert found & lines(next(source for _, solution, source in cells if solution))
    assert found & lines(next(source for answer, _, source in cells if answer))
    assert found & lines(next(source for _, _, source in cells if "BEGIN HIDDEN TESTS" in source))


@pytest.mark.parametrize("name", SETS)
def test_solution_cells_are_stubs_and_nothing_has_outputs(name):
    for cell in stored(name).cells:
        about = cell.metadata.get("nbgrader", {})
        if about.get("solution"):
            stub = "raise NotImplementedError()" if cell.cell_type == "code" else "*Your answer here.*"
            assert stub in cell.source
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.parametrize("name", SETS)
def test_a_student_version_reads_well(name):
    notebook = stored(name)
    assert "setup" in notebook.cells[1].metadata["tags"]
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert not LEFT_OVER.search(without_code(text))
    assert "{{" not in re.sub(r"\$.*?\$", "", text, flags=re.DOTALL)
    assert re.search(r"\[\(\d+\.\d+\)\]\(https://", text)  # equations of the chapters, by number, with a link
    assert text.count("*Difficulty ") >= 4
    assert "book/assignments" not in text


@pytest.mark.slow
def test_the_committed_student_versions_are_in_step_with_the_sources(make_course):
    seed = assignments.stored_seed(STUDENTS)
    for name in SETS:
        released = make_course(seed) / "release" / name / f"{name}.ipynb"
        made = assignments.render(nbformat.read(released, as_version=4))
        assert made == (STUDENTS / f"{name}.ipynb").read_text(), "run `make assignments`"


@pytest.mark.slow
def test_variants_have_other_numbers_and_the_same_tests(make_course):
    def cells(seed, name, role):
        grade, solution, locked = ROLES[role]
        notebook = nbformat.read(make_course(seed) / "source" / name / f"{name}.ipynb", as_version=4)
        kinds = [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
        return {
            cell.metadata["nbgrader"]["grade_id"]: cell.source
            for cell in kinds
            if all(
                cell.metadata["nbgrader"][key] == value
                for key, value in (("grade", grade), ("solution", solution), ("locked", locked))
            )
        }

    for name in SETS:
        assert cells(0, name, "tests") == cells(7, name, "tests")
        assert cells(0, name, "solution") == cells(7, name, "solution")
        assert cells(0, name, "given")["parameters"] != cells(7, name, "given")["parameters"]


@pytest.mark.slow
def test_a_set_that_was_handed_in_is_not_changed(make_course, tmp_path, capsys):
    course = shutil.copytree(make_course(0), tmp_path / "course")
    before = (course / "source" / SETS[0] / f"{SETS[0]}.ipynb").read_text()
    (course / "submitted" / "ada" / SETS[0]).mkdir(parents=True)
    assert assignments.main(["--course", str(course), "--seed", "7"]) == 1
    assert "there are submissions to it" in capsys.readouterr().err
    assert (course / "source" / SETS[0] / f"{SETS[0]}.ipynb").read_text() == before


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_rubrics_add_up_and_are_on_the_grading_sheet(name, make_course):
    answers = {k: c for k, c in solutions(make_course(0), name).items() if c.cell_type == "markdown"}
    sheet = (make_course(0) / "rubrics" / f"{name}.md").read_text()
    assert answers
    for key, cell in answers.items():
        assert assignments.rubric_points(cell.source) == cell.metadata["nbgrader"]["points"], key
        assert cell.source in sheet


@pytest.mark.parametrize("name", SETS)
def test_a_test_cell_begins_with_its_points_and_says_when_it_is_hidden(name):
    for cell in read_cells(ROOT / FOLDER / f"{name}.md"):
        short = cell.metadata.get("nbgrader", {})
        if "tests" in short:
            first = cell.source.split("\n")[0]
            assert re.match(rf"# {short['points']} points?: .*\.", first), first
            assert first.endswith("(Hidden.)") == ("BEGIN HIDDEN TESTS" in cell.source), first


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of nbgrader's database layer
def test_the_instructors_page_has_the_right_numbers(make_course):
    page = (ROOT / "book" / "instructor_grading.md").read_text()
    for problems in read_sets(Project(ROOT), 0):
        points = sum(question.points for question in problems.questions)
        row = next(row for row in page.split("\n") if row.startswith(f"| `{problems.name}` |"))
        assert row.endswith(f"| {len(problems.questions)} | {points} |")
    first = SETS[0]
    most = max_scores(make_course(0), first)
    by_tests = {cell: points for cell, points in most.items() if cell not in solutions(make_course(0), first)}
    forgotten = bank(first)["loo"][0]  # what the page's Bob does, by sed
    assert " + ridge * np.eye(len(k))" in solutions(make_course(0), first)["loo"].source
    total = int(sum(by_tests.values()))
    left = int(total - sum(most[cell] for cell in forgotten.loses))
    assert f"Ada has all {total} points that tests can give, Bob {left}: he lost" in page
    assert all(f"`{cell}`" in page for cell in forgotten.loses)
    assert f"{int(sum(most.values())) - total} points of set 1, are yours" in page
    assert forgotten.says.split(":")[0] in page
