"""The right answer of each exercise that has a checker, and the likely wrong ones.

``exercises.toml`` names them; the functions stand in ``formulas`` and in the parts of the book.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ntkal.textbook.answers import (
    formulas,
    part1_foundations,
    part2_looking_ahead,
    part3_experiments,
    part4_further,
)
from ntkal.textbook.check import Checker

__all__ = ["CHECKERS", "read"]

_KNOWN = dict(vars(np))
for _part in (formulas, part1_foundations, part2_looking_ahead, part3_experiments, part4_further):
    _KNOWN |= vars(_part) | _part.SLIPS


def read(exercise: Mapping[str, Any]) -> Checker:
    """Return the checker of an exercise from its table in the file.

    Args:
        exercise: ``right``, the name of a function; ``rtol``, if it is not the usual one; and for each text
            that a student is told, what is changed in the right answer.

    Raises:
        KeyError: When a function is nowhere, or none is right.

    Example:
        >>> rank = read({"right": "rank", "You counted eight bytes.": {"size": 8}})
        >>> rank.problem(1, m=1, memory=8, seconds=1, rate=8)
        'You counted eight bytes.'
    """
    mistakes = dict(exercise)
    right, rtol = _KNOWN[mistakes.pop("right")], mistakes.pop("rtol", Checker.rtol)

    def named(value):
        return _KNOWN[value] if isinstance(value, str) else value

    def change(value):
        return {key: named(one) for key, one in value.items()} if isinstance(value, dict) else named(value)

    return Checker(right, {text: change(value) for text, value in mistakes.items()}, rtol)


_FILE = Path(__file__).with_name("exercises.toml")
CHECKERS = {name: read(exercise) for name, exercise in tomllib.loads(_FILE.read_text("utf-8")).items()}
