"""Checked numbers in the text, and checked answers to the exercises."""

import inspect
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import numpy as np

from ntkal.inputs import is_traced

Number = float | int
Mistake = Callable[..., Any] | Mapping[str, Any]


class ClaimError(AssertionError):
    """A sentence of the book that the page's own run does not bear out."""


class WrongAnswer(AssertionError):
    """An answer to an exercise that is not right; the message names the likely mistake."""

    def _render_traceback_(self) -> list[str]:
        """Show one line in a notebook instead of a traceback into the checker."""
        return [f"Not yet. {self}"]


def claim(
    statement: str,
    value: Any,
    *,
    at_least: Number | None = None,
    at_most: Number | None = None,
    equals: Number | None = None,
    tolerance: Number = 0.0,
) -> float:
    """Print a measured number beside the bound that the text states, and fail the page when it does not hold.

    Args:
        statement: What the text says, as a sentence without its number.
        value: The measured number, finite; true and false count as 1 and 0.
        at_least: Lower bound, included.
        at_most: Upper bound, included.
        equals: Expected value; ``tolerance`` is the largest absolute difference allowed.
        tolerance: Used with ``equals`` only.

    Returns:
        The value as a float.

    Raises:
        ClaimError: When the value is not finite or a bound does not hold.
        ValueError: When no bound is given, or one that is no finite number: a claim that cannot fail is not a
            claim. Also when the value is not one real number.

    Example:
        >>> claim("the two forms differ by", 3e-16, at_most=1e-12)
        Claim holds: the two forms differ by 3e-16 (at most 1e-12).
        3e-16
    """
    given = {"at_least": at_least, "at_most": at_most, "equals": equals}
    bounds = {name: _one_number(name, bound) for name, bound in given.items() if bound is not None}
    within = _one_number("tolerance", tolerance)
    if not bounds:
        raise ValueError("claim: give at_least, at_most or equals; a claim that cannot fail is not a claim.")
    for name, bound in {**bounds, "tolerance": within}.items():
        if not math.isfinite(bound):
            raise ValueError(f"{name}: expected a finite number, got {bound}.")
    if within < 0 or (within and equals is None):
        raise ValueError(f"tolerance: a number of at least 0 beside equals, got {tolerance}.")
    number = _one_number("value", value)
    tests = {
        "at_least": ("at least", operator.ge),
        "at_most": ("at most", operator.le),
        "equals": ("equal to", lambda one, other: abs(one - other) <= within),
    }
    holds = math.isfinite(number) and all(tests[name][1](number, bound) for name, bound in bounds.items())
    words = " and ".join(f"{tests[name][0]} {bound:.4g}" for name, bound in bounds.items())
    said = f"{statement} {number:.4g} ({words}{f' within {within:.2g}' if within else ''})"
    if not holds:
        raise ClaimError(f"Claim fails: {said}.")
    print(f"Claim holds: {said}.")
    return number


@dataclass(frozen=True)
class Checker:
    """What a right answer is, and what the likely wrong ones are.

    Attributes:
        expected: Function of the exercise's givens to the right answer (a number or an array). Its
            keyword-only arguments are no givens; mistakes may change them.
        mistakes: Explanation of a likely mistake -> a function of the givens to the answer it produces, or
            what it changes in ``expected``: givens and keyword-only arguments by name, and ``then``, which is
            done to the answer. A function under the name of a given is applied to what is given.
        rtol: Relative tolerance, measured against the largest entry of the expected answer.

    Example:
        >>> double = Checker(lambda x, *, factor=2: factor * x, {"You took three.": {"factor": 3}})
        >>> double.problem(9.0, x=3.0)
        'You took three.'
    """

    expected: Callable[..., Any]
    mistakes: Mapping[str, Mistake] = field(default_factory=dict)
    rtol: float = 1e-6

    def __post_init__(self):
        made = {text: self._mistaken(mistake) for text, mistake in self.mistakes.items()}
        object.__setattr__(self, "mistakes", made)

    def problem(self, value: Any, **given: Any) -> str | None:
        """Return what is wrong with ``value``, or None when it is right.

        Raises:
            ValueError: When a given is missing or unknown, or makes no finite right answer.
        """
        given = {name: _plain(one) for name, one in given.items()}
        self._check_given(given)
        want = np.asarray(self.expected(**given))
        have = _numbers(value, booleans=want.dtype == bool)
        if isinstance(have, str):
            return have
        if have.shape != want.shape:
            return f"Expected shape {want.shape}, got {have.shape}."
        want = want.astype(float)
        if not np.all(np.isfinite(want)):
            raise ValueError("given: the right answer is not finite for what is given; check the call.")
        precision, imaginary, have = have.dtype, _largest(np.imag(have)), np.real(have).astype(float)
        if not np.all(np.isfinite(have)):
            return "The answer holds NaN or infinite entries."
        if not imaginary <= self._allowed(want):
            return f"Expected real numbers, got imaginary parts up to {imaginary:.3g}."
        difference = _largest(have - want)
        if difference <= self._allowed(want):
            return None
        for explanation, wrong in self.mistakes.items():
            try:
                guess = np.asarray(wrong(**given), dtype=float)
            except (ValueError, ArithmeticError, LookupError):  # these givens do not let it be made
                continue
            harmless = guess.shape != want.shape or _largest(guess - want) <= self._allowed(want)
            if not harmless and _largest(have - guess) <= self._allowed(guess):
                return explanation
        rounding = 30 * np.finfo(precision).eps if precision in (np.float16, np.float32) else 0.0
        if difference < rounding * _largest(want):
            return f"That is right but for the rounding of {precision}: compute it in float64."
        return f"The largest difference from the right answer is {difference:.3g}; work it through once more."

    def _allowed(self, answer: Any) -> float:
        return self.rtol * max(_largest(answer), np.finfo(float).tiny)

    def _mistaken(self, mistake: Mistake) -> Callable[..., Any]:
        if callable(mistake):
            return mistake

        def wrong(**given):
            changes = dict(mistake)
            then = changes.pop("then", None)
            for name, change in changes.items():
                given[name] = change(given[name]) if callable(change) and name in given else change
            answer = self.expected(**given)
            return answer if then is None else then(answer)

        return wrong

    def _check_given(self, given: Mapping[str, Any]) -> None:
        """Keyword-only arguments make mistakes: given by a student, they would make a wrong answer right."""
        parameters = inspect.signature(self.expected).parameters.values()
        named = {one.name: one.default for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD}
        missing = [name for name, default in named.items() if default is inspect.Parameter.empty]
        if not set(missing) <= set(given) or (named and not set(given) <= set(named)):
            raise ValueError(f"given: expected {', '.join(named)}; got {', '.join(given) or 'nothing'}.")
        if is_traced(given):
            raise ValueError(f"given: {_TRACED}")


_TRACED = "Expected numbers, got a value that JAX traces: check it outside of jit, vmap and grad."


def _largest(values: Any) -> float:
    return float(np.max(np.abs(values), initial=0.0))


def _one_number(name: str, value: Any) -> float:
    found = _numbers(value)
    if isinstance(found, str):
        raise ValueError(f"{name}: {found[0].lower()}{found[1:]}")
    if found.size != 1 or np.iscomplexobj(found):
        raise ValueError(f"{name}: expected one real number, got shape {found.shape} of {found.dtype}.")
    return float(found.item())


def _numbers(value: Any, *, booleans: bool = True) -> np.ndarray | str:
    """Return an array of numbers, or what the value is instead; NaN and imaginary parts may be left."""
    if is_traced(value):
        return _TRACED
    if value is None:
        return "Expected numbers, got None: does your function return its result?"
    try:
        # Where pandas has a kind of its own, a missing entry is an object.
        array = np.asarray(value.to_numpy(na_value=np.nan) if hasattr(value, "to_numpy") else value)
        array = array.astype(float) if array.dtype == object else array
    except (TypeError, ValueError):
        return f"Expected numbers, got {type(value).__name__}."
    if array.dtype == bool and not booleans:
        return "Expected numbers, got true or false."
    if not (jnp.issubdtype(array.dtype, jnp.number) or array.dtype == bool):
        return f"Expected numbers, got {type(value).__name__} of {array.dtype}."
    return array.real if np.iscomplexobj(array) and not np.any(array.imag) else array


def _plain(given: Any) -> Any:
    """Return lists, tables and arrays of any kind as NumPy arrays, in float64 if they are no integers."""
    listed = isinstance(given, (list, tuple)) or hasattr(given, "__array__")
    array = _numbers(given) if listed else None
    if not isinstance(array, np.ndarray):
        return given
    array = array.astype(float) if jnp.issubdtype(array.dtype, jnp.floating) else array
    return array if array.ndim else array.item()


def answer(name: str, value: Any, **given: Any) -> None:
    """Check an answer to an exercise, offline, and name the likely mistake when it is wrong.

    Args:
        name: The exercise, as ``"chapter.number"``.
        value: Your answer, a number or an array.
        **given: What the exercise gives; the exercise shows the call.

    Raises:
        WrongAnswer: When the answer is not right; the message says what to look at.
        ValueError: When there is no such exercise, or a given is missing, unknown or of no use.

    Example:
        >>> answer("2.3", 0.0, kernel=np.eye(3), cond=10.0)
        Exercise 2.3: correct.
    """
    from ntkal.textbook.answers import CHECKERS

    if not isinstance(name, str) or name not in CHECKERS:
        known = ", ".join(CHECKERS)
        raise ValueError(f"name: no exercise {name!r} has a checker; expected a text, one of {known}.")
    if problem := CHECKERS[name].problem(value, **given):
        raise WrongAnswer(problem)
    print(f"Exercise {name}: correct.")
