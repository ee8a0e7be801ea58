"""The sheet for grading by hand: model answers and rubrics of a problem set, in one file."""

from __future__ import annotations

import re

from assignment_source import ProblemSet

MARK = re.compile(r"^- (?P<points>\d+): ", re.MULTILINE)


def rubric_points(answer: str) -> int:
    """The sum of the points in an answer's rubric, a list of `- 2: what they are for`."""
    _, _, rubric = answer.partition("**Rubric**")
    return sum(int(match["points"]) for match in MARK.finditer(rubric))


def rubric_sheet(problems: ProblemSet) -> str:
    """The sheet, as Markdown."""
    parts = [f"# {problems.title}: answers and rubrics (variant {problems.seed})"]
    for cell in problems.notebook.cells:
        about = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "markdown" and about.get("solution"):
            number, question = next(
                (number, question)
                for number, question in enumerate(problems.questions, 1)
                if about["grade_id"] in question.cells
            )
            heading = f"## {number}. {question.title}: cell `{about['grade_id']}`, {about['points']} points"
            parts.append(f"{heading}\n\n{cell.source}")
    return "\n\n".join(parts) + "\n"
