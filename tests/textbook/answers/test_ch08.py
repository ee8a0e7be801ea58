"""The checkers of chapter 8 accept the right answer and name each slip of the bank."""

import numpy as np
import pytest
from bank import bank_tests
from scipy.stats import entropy

from ntkal.textbook.answers.ch08 import CHECKERS


@pytest.fixture
def givens(rng):
    return {
        "8.2": {"prior": rng.dirichlet(np.ones(8))},
        "8.3": {
            "seconds": 0.3,
            "small": {"n": 120, "p": 19146, "E": 15},
            "large": {"n": 1000, "p": 11.2e6, "E": 200, "m": 6000, "C": 10},
        },
    }


def test_eer_is_minus_the_conditional_entropies_of_all_pairs(givens):
    prior = givens["8.2"]["prior"]
    m = len(prior) - 1
    scores = np.zeros(m)
    for c in range(m):
        for u in range(m):
            table = np.zeros((2, 2))
            for t, weight in enumerate(prior):
                table[int(c + 1 > t), int(u + 1 > t)] += weight
            scores[c] -= entropy(table.ravel()) - entropy(table.sum(axis=1))
    assert CHECKERS["8.2"].problem(scores, prior=prior) is None


def test_a_prior_without_doubt_about_a_label_is_allowed():
    prior = np.array([0.0, 0.5, 0.5, 0.0])
    np.testing.assert_allclose(
        CHECKERS["8.2"].expected(prior=prior), [-np.log(2), 0.0, -np.log(2)], atol=1e-12
    )


def test_rounding_in_the_prior_does_no_harm():
    prior = np.array([9, 2, 2, 2, 1, 1, 1, 1, 1, 1]) / 21  # its sum is not one to the last digit
    assert np.isfinite(CHECKERS["8.2"].expected(prior=prior)).all()


def test_the_bill_is_a_product(givens):
    hours = 0.3 * (1000 / 120) * (11.2e6 / 19146) * (200 / 15) * 60_000 / 3600
    assert CHECKERS["8.3"].problem(hours, **givens["8.3"]) is None


test_each_slip_is_named, test_another_wrong_answer_is_refused = bank_tests(CHECKERS)
