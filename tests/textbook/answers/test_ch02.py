"""The checkers of chapter 2 accept the right answer and name each slip of the bank."""

import numpy as np
import pytest
from bank import bank_tests

from ntkal.textbook.answers.ch02 import CHECKERS


def posterior(rng, ridge=0.1, n=4, m=6):
    phi = rng.standard_normal((n + m, 12))
    gram = phi @ phi.T
    k_inv = np.linalg.inv(gram[:n, :n] + ridge * np.eye(n))
    y = rng.standard_normal((n, 1))
    return (
        gram,
        y,
        {
            "mean": gram[n:, :n] @ k_inv @ y,
            "cov": gram[n:, n:] - gram[n:, :n] @ k_inv @ gram[:n, n:],
            "reveals": [(0, 1.0), (3, -0.5)],
            "ridge": ridge,
        },
    )


def given_2_3(rng):
    q, _ = np.linalg.qr(rng.standard_normal((8, 8)))
    return {"kernel": (q * np.geomspace(1e-4, 5.0, 8)) @ q.T, "cond": 1e3}


@pytest.fixture
def givens(rng):
    return {"2.2": posterior(rng)[2], "2.3": given_2_3(rng)}


def test_two_reveals_are_a_refit_on_all_six_labels(rng):
    gram, y, given = posterior(rng)
    rows = [0, 1, 2, 3, 4, 7]
    y_all = np.vstack([y, [[1.0]], [[-0.5]]])
    refit = gram[4:, rows] @ np.linalg.solve(gram[np.ix_(rows, rows)] + 0.1 * np.eye(6), y_all)
    assert CHECKERS["2.2"].problem(refit, **given) is None


def test_the_ridge_reaches_the_condition_number_and_no_smaller_one_does(rng):
    given = given_2_3(rng)
    ridge = CHECKERS["2.3"].expected(**given)
    assert np.linalg.cond(given["kernel"] + ridge * np.eye(8)) == pytest.approx(1e3)
    assert np.linalg.cond(given["kernel"] + 0.99 * ridge * np.eye(8)) > 1e3


def test_a_well_conditioned_matrix_needs_no_ridge():
    assert CHECKERS["2.3"].problem(0.0, kernel=np.eye(3), cond=10.0) is None


test_each_slip_is_named, test_another_wrong_answer_is_refused = bank_tests(CHECKERS)
