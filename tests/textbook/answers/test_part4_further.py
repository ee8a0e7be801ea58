"""The checkers of chapters 18 and 19 accept the right answer and name each slip of the bank."""

import jax.numpy as jnp
import numpy as np
import pytest
from bank import bank_tests

from ntkal import Lookahead
from ntkal.acquisition import variance_reduction
from ntkal.experiments.statistics.calibration import expected_calibration_error
from ntkal.textbook.answers import CHECKERS


def givens_of_18(rng):
    g, h = np.random.default_rng(2).normal(size=(2, 30))
    return {
        "18.2": {"m": 50_000, "memory": 2**29, "seconds": 1000, "rate": 9e9},
        "18.3": {"g": g, "h": h + 0.3 * g, "share": 0.02},
    }


@pytest.fixture(scope="module")
def givens():
    made = {}
    for of_chapter in (givens_of_18, givens_of_19):
        made |= of_chapter(np.random.default_rng(20220612))
    return made


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


def givens_of_19(rng):
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


test_each_slip_is_named, test_another_wrong_answer_is_refused, test_forms_do_not_matter = bank_tests(18, 19)
