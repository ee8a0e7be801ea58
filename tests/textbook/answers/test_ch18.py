"""The checkers of chapter 18 accept the right answer and name each slip of the bank."""

import numpy as np
import pytest
from bank import bank_tests

from ntkal.textbook.answers.ch18 import CHECKERS


@pytest.fixture
def givens():
    g, h = np.random.default_rng(2).normal(size=(2, 30))
    return {
        "18.2": {"m": 50_000, "memory": 2**29, "seconds": 1000, "rate": 9e9},
        "18.3": {"g": g, "h": h + 0.3 * g, "share": 0.02},
    }


def test_the_rank_fits_and_the_next_does_not(givens):
    given = givens["18.2"]

    def fits(r):
        m = given["m"]
        return 4 * m * r <= given["memory"] and 2 * m**2 * r <= given["rate"] * given["seconds"]

    right = max(r for r in range(1, 5000) if fits(r))
    assert CHECKERS["18.2"].problem(right, **given) is None


def test_memory_can_be_what_binds(givens):
    given = givens["18.2"] | {"memory": 1_000_000}
    assert CHECKERS["18.2"].expected(**given) == 5


def test_the_variance_is_that_of_all_sign_vectors(givens):
    """Brute force over all signs of a short pair of vectors."""
    g, h = np.random.default_rng(4).normal(size=(2, 9))
    signs = np.array(np.meshgrid(*[[-1, 1]] * 9)).reshape(9, -1)
    variance = np.var((g @ signs) * (h @ signs))
    r = int(np.ceil(variance / (0.1**2 * (g @ g) * (h @ h))))
    assert CHECKERS["18.3"].problem(r, g=g, h=h, share=0.1) is None


test_each_slip_is_named, test_another_wrong_answer_is_refused = bank_tests(CHECKERS)
