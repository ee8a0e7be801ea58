"""The wrong answers of each problem set: one module a set, with a dictionary `BANK` by solution cell."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wrong:
    """A slip in the reference solution.

    `edits` are replacements in the solution cell, made in order; each must find its text. `loses` are the
    graded cells that must give no points; all others must give theirs. `says` is a part of what the student
    must be told.
    """

    name: str
    edits: dict[str, str]
    loses: set[str]
    says: str | None = None

    def __call__(self, solution: str) -> str:
        """The cell with the slip."""
        for old, new in self.edits.items():
            if old not in solution:
                raise ValueError(f"{self.name}: the solution has no {old!r}")
            solution = solution.replace(old, new)
        return solution
