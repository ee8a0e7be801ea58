"""Checked numbers in the text, and checked answers to the exercises."""

import importlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, SupportsFloat

import numpy as np

Number = float | int


class ClaimError(AssertionError):
    """A sentence of the book that the page's own run does not bear out."""


class WrongAnswer(AssertionError):
    """An answer to an exercise that is not right; the message names the likely mistake."""

    def _render_traceback_(self) -> list[str]:
        """Show one line in a notebook instead of a traceback into the checker."""
        return [f"Not yet. {self}"]


def claim(
    statement: str,
    value: SupportsFloat,
    *,
    at_least: Number | None = None,
    at_most: Number | None = None,
    equals: Number | None = None,
    tolerance: Number = 0.0,
) -> float:
    """Print a measured number beside the bound that the text states, and fail the page when it does not hold.

    Args:
        statement: What the text says, as a sentence without its number.
        value: The measured number, finite.
        at_least: Lower bound, included.
        at_most: Upper bound, included.
        equals: Expected value; ``tolerance`` is the largest absolute difference allowed.
        tolerance: Used with ``equals`` only.

    Returns:
        The value as a float.

    Raises:
        ClaimError: When the value is not finite or a bound does not hold.
        ValueError: When no bound is given: a claim that cannot fail is not a claim.

    Example:
        >>> claim("the two forms differ by", 3e-16, at_most=1e-12)
        Claim holds: the two forms differ by 3e-16 (at most 1e-12).
        3e-16
    """
    if at_least is None and at_most is None and equals is None:
        raise ValueError("claim: give at_least, at_most or equals; a claim that cannot fail is not a claim.")
    number = float(value)
    bounds, holds = [], math.isfinite(number)
    if at_least is not None:
        bounds.append(f"at least {at_least:.4g}")
        holds = holds and number >= at_least
    if at_most is not None:
        bounds.append(f"at most {at_most:.4g}")
        holds = holds and number <= at_most
    if equals is not None:
        bounds.append(f"equal to {equals:.4g}" + (f" within {tolerance:.2g}" if tolerance else ""))
        holds = holds and abs(number - equals) <= tolerance
    said = f"{statement} {number:.4g} ({' and '.join(bounds)})"
    if not holds:
        raise ClaimError(f"Claim fails: {said}.")
    print(f"Claim holds: {said}.")
    return number


@dataclass(frozen=True)
class Checker:
    """What a right answer is, and what the likely wrong ones are.

    Attributes:
        expected: Function of the exercise's givens to the right answer (a number or an array).
        mistakes: Explanation of a likely mistake -> function of the givens to the answer it produces.
        rtol: Relative tolerance, measured against the largest entry of the expected answer.

    Example:
        >>> double = Checker(lambda x: 2 * x, {"You squared it.": lambda x: x**2})
        >>> double.problem(9.0, x=3.0)
        'You squared it.'
    """

    expected: Callable[..., Any]
    mistakes: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    rtol: float = 1e-6

    def problem(self, value: Any, **given: Any) -> str | None:
        """Return what is wrong with ``value``, or None when it is right."""
        want = np.asarray(self.expected(**given))
        try:
            have = np.asarray(value, dtype=float)
        except (TypeError, ValueError):
            return f"Expected numbers, got {type(value).__name__}."
        if have.shape != want.shape:
            return f"Expected shape {want.shape}, got {have.shape}."
        if not np.all(np.isfinite(have)):
            return "The answer holds NaN or infinite entries."
        if self._close(have, want):
            return None
        for explanation, wrong in self.mistakes.items():
            guess = np.asarray(wrong(**given), dtype=float)
            if guess.shape == want.shape and not self._close(guess, want) and self._close(have, guess):
                return explanation
        difference = np.max(np.abs(have - want))
        return f"The largest difference from the right answer is {difference:.3g}; work it through once more."

    def _close(self, have: np.ndarray, want: np.ndarray) -> bool:
        scale = max(float(np.max(np.abs(want))), np.finfo(float).tiny)
        return bool(np.max(np.abs(have - want)) <= self.rtol * scale)


def checker(name: str) -> Checker:
    """Return the checker of exercise ``name``, such as ``"9.2"`` for the second exercise of chapter 9.

    Raises:
        ValueError: When no exercise of that name has one.

    Example:
        >>> type(checker("1.2")).__name__
        'Checker'
    """
    chapter = name.split(".", maxsplit=1)[0]
    try:
        known = importlib.import_module(f"ntkal.textbook.answers.ch{int(chapter):02d}").CHECKERS
        return known[name]
    except (ValueError, ModuleNotFoundError, KeyError) as error:
        raise ValueError(
            f"name: no exercise {name!r} has a checker; expected chapter.number, such as '9.2'."
        ) from error


def answer(name: str, value: Any, **given: Any) -> None:
    """Check an answer to an exercise, offline, and name the likely mistake when it is wrong.

    Args:
        name: The exercise, as ``"chapter.number"``.
        value: Your answer, a number or an array.
        **given: What the exercise gives; the exercise shows the call.

    Raises:
        WrongAnswer: When the answer is not right; the message says what to look at.
        ValueError: When there is no such exercise.

    Example:
        >>> pairs = {"ours": np.array([0.9, 0.8, 0.9]), "theirs": np.array([0.8, 0.8, 0.7])}
        >>> answer("1.2", checker("1.2").expected(**pairs), **pairs)
        Exercise 1.2: correct.
    """
    problem = checker(name).problem(value, **given)
    if problem:
        raise WrongAnswer(problem)
    print(f"Exercise {name}: correct.")
