"""Read scores from a course's gradebook."""

import warnings
from pathlib import Path

with warnings.catch_warnings(action="ignore"):  # what it and its database layer warn of is not ours to mend
    from nbgrader.api import Gradebook


def gradebook(course: Path) -> Gradebook:
    return Gradebook(f"sqlite:///{course.resolve()}/gradebook.db")


def auto_scores(course: Path, name: str) -> dict[str, dict[str, float | None]]:
    """Automatic scores by student and cell; None where a person has to grade."""
    with gradebook(course) as book:
        return {
            submission.student.id: {
                grade.name: grade.auto_score for notebook in submission.notebooks for grade in notebook.grades
            }
            for submission in book.assignment_submissions(name)
        }


def max_scores(course: Path, name: str) -> dict[str, float]:
    """What each graded cell gives at most."""
    with gradebook(course) as book:
        return {
            cell.name: cell.max_score
            for notebook in book.find_assignment(name).notebooks
            for cell in notebook.grade_cells
        }
