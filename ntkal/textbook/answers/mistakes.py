"""The likely mistakes of each exercise: ``mistakes.toml``, read beside the functions that it names."""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ntkal.textbook.answers import formulas
from ntkal.textbook.check import Checker


def checkers(
    expected: Mapping[str, Callable[..., Any]],
    slips: Mapping[str, Callable[..., Any]],
    rtol: Mapping[str, float] | None = None,
) -> dict[str, Checker]:
    """Return the checkers of some exercises.

    Args:
        expected: Exercise -> function of its givens to the right answer.
        slips: Functions that ``mistakes.toml`` names, beside those of ``formulas.SLIPS`` and of NumPy.
        rtol: Exercise -> relative tolerance, where it is not the usual one.

    Raises:
        KeyError: When the file has no mistakes for an exercise.
        AttributeError: When it names a function that is nowhere.

    Example:
        >>> right = {"5.3": lambda k_train, level, *, factor=None: 7}
        >>> checkers(right, {"at_inverse_top": max})["5.3"].problem(6, k_train=np.eye(2), level=0.1)[:9]
        'Round up:'
    """
    bank, known = mistakes(), {**formulas.SLIPS, **slips}

    def named(value):
        return (known.get(value) or getattr(np, value)) if isinstance(value, str) else value

    def read(change):
        return {key: named(one) for key, one in change.items()} if isinstance(change, dict) else named(change)

    return {
        name: Checker(
            right, {text: read(change) for text, change in bank[name].items()}, (rtol or {}).get(name, 1e-6)
        )
        for name, right in expected.items()
    }


def mistakes() -> dict[str, dict[str, Any]]:
    """Read the file: exercise -> what a student is told -> what is changed in the right answer.

    Example:
        >>> mistakes()["6.3"]["Only one of the two mixed terms was subtracted."]
        {'weights': [1, 1, -1, 0]}
    """
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
