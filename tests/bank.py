"""What the tests of every chapter's answer checkers ask of their banks of wrong answers."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from ntkal.textbook.check import Checker


def bank_tests(checkers: Mapping[str, Checker]) -> tuple[Callable, Callable]:
    """Return the two tests; the module has a fixture ``givens`` with the givens of each exercise."""
    slips = [(name, text) for name, checker in checkers.items() for text in checker.mistakes]

    @pytest.mark.parametrize(("exercise", "explanation"), slips)
    def each_slip_is_named(exercise, explanation, givens):
        checker, given = checkers[exercise], givens[exercise]
        assert checker.problem(checker.mistakes[explanation](**given), **given) == explanation

    @pytest.mark.parametrize("exercise", sorted(checkers))
    def another_wrong_answer_is_refused_without_a_guess(exercise, givens):
        checker, given = checkers[exercise], givens[exercise]
        wrong = 1.0371 * np.asarray(checker.expected(**given)) + 0.123
        assert "largest difference" in checker.problem(wrong, **given)

    return each_slip_is_named, another_wrong_answer_is_refused_without_a_guess
