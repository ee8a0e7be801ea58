"""Make the problem sets: a nbgrader course folder, and the student versions in notebooks/assignments/.

`--seed` chooses the variant. With `--course` only that folder is written; without it the folder is course/,
and notebooks/assignments/ gets the student versions as well. `--check` says what is out of step there.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from assignment_course import release, write_course
from assignment_rubric import rubric_points, rubric_sheet
from assignment_source import ProblemSet, read_sets
from myst import BookError
from project import ROOT, Project

from notebooks import render


def check_rubrics(sets: list[ProblemSet]) -> None:
    """Refuse a rubric whose points are not those of its cell."""
    for problems in sets:
        for cell in problems.notebook.cells:
            about = cell.metadata.get("nbgrader", {})
            if cell.cell_type == "markdown" and about.get("solution"):
                found = rubric_points(cell.source)
                if found != about["points"]:
                    where = f"{problems.name}, {about['grade_id']}"
                    raise BookError(f"{where}: the rubric gives {found} points, the cell {about['points']}")


def make_course(project: Project, course: Path, seed: int) -> dict[str, str]:
    """Write the course folder; return the text of each student version by name."""
    sets = read_sets(project, seed)
    check_rubrics(sets)
    write_course(course, sets)
    for problems in sets:
        sheet = course / "rubrics" / f"{problems.name}.md"
        sheet.parent.mkdir(exist_ok=True)
        sheet.write_text(rubric_sheet(problems))
    released = release(course, [problems.name for problems in sets])
    return {name: render(notebook) for name, notebook in released.items()}


def student_folder(project: Project) -> Path:
    return project.root / "notebooks" / "assignments"


def stored_seed(folder: Path) -> int:
    """The variant of the student versions that are there."""
    seeds = {
        json.loads(path.read_text())["metadata"].get("ntkal", {}).get("seed", 0)
        for path in folder.glob("*.ipynb")
    }
    if len(seeds) > 1:
        raise BookError(f"{folder} mixes variants {sorted(seeds)}: run `make assignments`")
    return seeds.pop() if seeds else 0


def out_of_step(project: Project) -> list[Path]:
    """The student versions that `make assignments` would change, in the variant that they are of."""
    folder = student_folder(project)
    with tempfile.TemporaryDirectory() as course:
        texts = make_course(project, Path(course), stored_seed(folder))
    there = {path.stem: path.read_text() for path in folder.glob("*.ipynb")}
    wrong = [name for name in {*texts, *there} if texts.get(name) != there.get(name)]
    return [folder / f"{name}.ipynb" for name in sorted(wrong)]


def main(arguments: list[str] | None = None) -> int:
    """Write the course folder and the student versions, or compare these."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=0, help="the variant, from 0 (default: 0)")
    parser.add_argument("--course", type=Path, help="the nbgrader course folder (default: course)")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when out of step")
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository (default: this one)")
    options = parser.parse_args(arguments)
    project = Project(options.root)
    try:
        if options.check:
            wrong = out_of_step(project)
            for path in wrong:
                where = path.relative_to(project.root)
                print(f"{where} is out of step with book/assignments/: run `make assignments`")
            return 1 if wrong else 0
        course = options.course or project.root / "course"
        texts = make_course(project, course, options.seed)
        folder = course / "release"
        if not options.course:
            folder = student_folder(project)
            folder.mkdir(parents=True, exist_ok=True)
            for path in folder.glob("*.ipynb"):
                path.unlink()
            for name, text in texts.items():
                (folder / f"{name}.ipynb").write_text(text)
    except BookError as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"Variant {options.seed} of {len(texts)} problem sets. For you: {course}; for students: {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
