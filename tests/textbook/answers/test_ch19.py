"""The checkers of chapter 19 accept the right answer and name each slip of the bank."""

import jax.numpy as jnp
import numpy as np
import pytest
from bank import bank_tests

from ntkal import Lookahead
from ntkal.acquisition import variance_reduction
from ntkal.experiments.statistics.calibration import expected_calibration_error
from ntkal.textbook.answers.ch19 import CHECKERS


@pytest.fixture
def givens():
    rng = np.random.default_rng(3)
    features = rng.normal(size=(9, 4))
    probs = rng.dirichlet(np.ones(3), size=60)
    probs[:, 2] *= 0.4
    probs /= probs.sum(axis=1, keepdims=True)
    y = np.array([rng.choice(3, p=(p + np.array([0.1, 0.1, 0.4])) / 1.6) for p in probs])
    return {
        "19.2": {"cov": features @ features.T, "ridge": 0.3, "pair": np.array([5, 2])},
        "19.3": {"probs": probs, "y": y, "bins": 5},
        "19.4": {"probs": probs, "y": y, "counts": np.array([9, 8, 1])},
    }


def test_a_pair_takes_what_its_members_take_one_after_the_other(givens):
    given = givens["19.2"]
    post = Lookahead(jnp.zeros((9, 1)), jnp.asarray(given["cov"]), given["ridge"])
    first, second = given["pair"]
    taken = variance_reduction(post)[first] + variance_reduction(post.reveal(int(first), np.ones(1)))[second]
    assert CHECKERS["19.2"].problem(taken, **given) is None


def test_the_calibration_error_is_the_library_s(givens):
    given = givens["19.3"]
    assert CHECKERS["19.3"].problem(expected_calibration_error(**given), **given) is None


def test_the_divided_prediction_is_made_row_by_row(givens):
    given = givens["19.4"]
    hits = {0: [], 1: [], 2: []}
    for p, k in zip(given["probs"], given["y"], strict=True):
        hits[k].append(max(range(3), key=lambda j, p=p: p[j] / (given["counts"][j] + 1)) == k)
    assert CHECKERS["19.4"].problem(np.mean([np.mean(h) for h in hits.values()]), **given) is None


test_each_slip_is_named, test_another_wrong_answer_is_refused = bank_tests(CHECKERS)
