"""The checkers of chapter 7 accept the right answer and name each slip of the bank."""

import numpy as np
import pytest
from bank import bank_tests

from ntkal.acquisition import bald, coreset
from ntkal.textbook.answers.ch07 import CHECKERS


@pytest.fixture
def givens(rng):
    return {
        "7.2": {"samples": rng.dirichlet(np.ones(3), (4, 5))},
        "7.3": {"pool": rng.standard_normal((30, 3)), "labelled": rng.standard_normal((4, 3)), "k": 5},
        "7.4": {"q": 0.85},
    }


def test_bald_is_that_of_the_library(givens):
    assert CHECKERS["7.2"].problem(bald(**givens["7.2"]), **givens["7.2"]) is None


def test_radii_are_those_of_the_library_s_picks(givens):
    given = givens["7.3"]
    picks = coreset(given["pool"], given["labelled"], 5)
    centres = [np.vstack([given["labelled"], given["pool"][picks[: i + 1]]]) for i in range(5)]
    radii = [np.linalg.norm(given["pool"][:, None] - c[None], axis=2).min(axis=1).max() for c in centres]
    assert CHECKERS["7.3"].problem(radii, **given) is None


@pytest.mark.parametrize("q", [0.7, 0.8, 0.9])
def test_the_number_of_classes_is_the_smallest_that_does_it(q):
    C = CHECKERS["7.4"].expected(q=q)

    def entropy(classes):
        return -q * np.log(q) - (1 - q) * np.log((1 - q) / (classes - 1))

    assert entropy(C) > np.log(2) >= entropy(C - 1)


test_each_slip_is_named, test_another_wrong_answer_is_refused = bank_tests(CHECKERS)
