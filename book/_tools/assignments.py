"""Make the problem sets: a nbgrader course folder, and the student versions in notebooks/assignments/.

`--seed` chooses the variant. With `--course` only that folder is written; without it the folder is course/,
and notebooks/assignments/ gets the student versions as well. `--check` says what is out of step there.
"""

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
from assignment_source import ProblemSet, read_sets
from nbformat import NotebookNode
from project import BookError, Project, command, fill_in, flag, write

from notebooks import render

MARK = re.compile(r"^- (?P<points>\d+): ", re.MULTILINE)


def answers(problems: ProblemSet) -> Iterator[NotebookNode]:
    """The cells that are graded by hand, with model answers and rubrics, whose points are checked."""
    for cell in problems.notebook.cells:
        about = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "markdown" and about.get("solution"):
            if (found := rubric_points(cell.source)) != about["points"]:
                where = f"{problems.name}, {about['grade_id']}"
                raise BookError(f"{where}: the rubric gives {found} points, the cell {about['points']}")
            yield cell


def rubric_points(answer: str) -> int:
    """The sum of the points in an answer's rubric, a list of `- 2: what they are for`."""
    _, _, rubric = answer.partition("**Rubric**")
    return sum(int(match["points"]) for match in MARK.finditer(rubric))


def rubric_sheet(problems: ProblemSet) -> str:
    """The sheet for grading by hand, as Markdown: model answers and rubrics of a problem set."""
    parts = [f"# {problems.title}: answers and rubrics (variant {problems.seed})"]
    for cell in answers(problems):
        name, points = cell.metadata.nbgrader.grade_id, cell.metadata.nbgrader.points
        number = next(n for n, question in enumerate(problems.questions, 1) if name in question.cells)
        title = problems.questions[number - 1].title
        parts.append(f"## {number}. {title}: cell `{name}`, {points} points\n\n{cell.source}")
    return "\n\n".join(parts) + "\n"


def write_course(course: Path, sets: list[ProblemSet]) -> None:
    """Write configuration, sources and rubrics; refuse to change a set that somebody has handed in."""
    sheets = {problems.name: rubric_sheet(problems) for problems in sets}
    config = course / "nbgrader_config.py"
    if not config.exists():
        write(config, fill_in("nbgrader_config.txt", course=course.resolve().name))
    for problems in sets:
        name, text = problems.name, render(problems.notebook)
        path = course / "source" / name / f"{name}.ipynb"
        if path.exists() and path.read_text() != text and list(course.glob(f"submitted/*/{name}")):
            raise BookError(
                f"{path} would change (other sources or another SEED), but there are submissions to it: "
                "grade them with the set that was released, or name another folder with COURSE=..."
            )
        write(path, text)
        write(course / "rubrics" / f"{name}.md", sheets[name])


def release(course: Path, names: list[str]) -> dict[str, str]:
    """Let nbgrader make the student versions, in the folder's release/; return their texts by name."""
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
            said = f"{result.get('log')}\n{result.get('error')}"
            raise BookError(f"nbgrader generate_assignment {name}:\n{said}")
        made = nbformat.read(course / "release" / name / f"{name}.ipynb", as_version=4)
        released[name] = render(made)
    return released


def stored_seed(folder: Path) -> int:
    """The variant of the student versions that are there."""
    stored = [json.loads(path.read_text())["metadata"] for path in folder.glob("*.ipynb")]
    seeds = {metadata.get("ntkal", {}).get("seed", 0) for metadata in stored}
    if len(seeds) > 1:
        raise BookError(f"{folder} mixes variants {sorted(seeds)}: run `make assignments`")
    return seeds.pop() if seeds else 0


SEED = {"type": int, "default": 0, "help": "the variant, from 0 (default: 0)"}
COURSE = {"type": Path, "help": "the nbgrader course folder (default: course)"}
CHECK = flag("write nothing; exit 1 when out of step")


@command(__doc__.split("\n")[0], {"--seed": SEED, "--course": COURSE, "--check": CHECK})
def main(project: Project, seed: int, course: Path | None, check: bool) -> int:
    """Write the course folder and the student versions, or compare these."""
    students, status = project.root / "notebooks" / "assignments", 0
    seed = stored_seed(students) if check else seed
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch) if check else course or project.root / "course"
        write_course(place, sets := read_sets(project, seed))
        texts = release(place, [problems.name for problems in sets])
        if check or not course:
            texts = {students / f"{name}.ipynb": text for name, text in texts.items()}
            status = project.keep_in_step(texts, students, "assignments", check)
    if not check:
        released = course / "release" if course else students
        print(f"Variant {seed} of {len(texts)} problem sets. For you: {place}; for students: {released}")
    return status


if __name__ == "__main__":
    sys.exit(main())
