"""What the tests of the answer checkers ask of their banks of wrong answers."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ntkal.textbook.answers import CHECKERS


def bank_tests(first: int, last: int) -> tuple[Callable, Callable, Callable]:
    """Return three tests of chapters; the module has a fixture ``givens``: exercise -> its givens."""
    checkers = {name: one for name, one in CHECKERS.items() if first <= int(name.split(".")[0]) <= last}
    slips = [(name, text) for name, checker in checkers.items() for text in checker.mistakes]

    @pytest.mark.parametrize(("exercise", "explanation"), slips)
    def each_slip_is_named(exercise, explanation, givens):
        checker, given = checkers[exercise], givens[exercise]
        assert checker.problem(checker.mistakes[explanation](**given), **given) == explanation

    @pytest.mark.parametrize("exercise", checkers)
    def another_wrong_answer_is_refused_without_a_guess(exercise, givens):
        checker, given = checkers[exercise], givens[exercise]
        right = np.asarray(checker.expected(**given))
        assert "largest difference" in checker.problem(1.0371 * right + 0.123, **given)
        assert "Expected shape" in checker.problem(right[None], **given)

    @pytest.mark.parametrize("exercise", checkers)
    def the_form_of_givens_and_answer_does_not_matter(exercise, givens):
        checker, given = checkers[exercise], givens[exercise]
        right = np.asarray(checker.expected(**given), dtype=float)
        assert checker.problem(right.tolist(), **given) is None
        on_device = {k: jnp.asarray(v) if isinstance(v, np.ndarray) else v for k, v in given.items()}
        assert checker.problem(jax.device_put(right), **on_device) is None
        lists = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in given.items()}
        assert checker.problem(right + 0j, **lists) is None

    return (
        each_slip_is_named,
        another_wrong_answer_is_refused_without_a_guess,
        the_form_of_givens_and_answer_does_not_matter,
    )
