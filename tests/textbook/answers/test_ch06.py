"""The checkers of chapter 6 accept the right answer and name each slip of the bank."""

import jax.numpy as jnp
import numpy as np
import pytest
from bank import bank_tests

import ntkal
from ntkal.textbook.answers.ch06 import CHECKERS


def given_6_2(rng):
    return {"h": rng.standard_normal((5, 4)), "delta": rng.standard_normal((5, 3))}


def given_6_3(rng):
    jacobian = rng.standard_normal((5, 4, 30))
    return {"full": np.einsum("icp,jdp->ijcd", jacobian, jacobian), "first": 1, "second": 3}


@pytest.fixture
def givens(rng):
    return {"6.2": given_6_2(rng), "6.3": given_6_3(rng)}


def test_the_share_of_a_layer_is_its_explicit_gram_matrix(rng):
    given = given_6_2(rng)
    rows = [
        np.concatenate([np.outer(d, h).ravel(), d]) for h, d in zip(given["h"], given["delta"], strict=True)
    ]
    assert CHECKERS["6.2"].problem(np.array(rows) @ np.array(rows).T, **given) is None


def test_the_margin_kernel_is_the_kernel_of_the_difference(rng):
    x, weights = jnp.asarray(rng.standard_normal((5, 6))), jnp.asarray(rng.standard_normal((6, 4)))

    def apply(w, x):
        return jnp.tanh(x @ w) @ jnp.ones((4, 4)) + jnp.sin(x @ w)

    full = np.asarray(ntkal.empirical_ntk(apply, weights, x, logit="all"))
    direct = ntkal.empirical_ntk(lambda w, x: apply(w, x)[:, 1:2] - apply(w, x)[:, 3:4], weights, x)
    assert CHECKERS["6.3"].problem(direct, full=full, first=1, second=3) is None


test_each_slip_is_named, test_another_wrong_answer_is_refused = bank_tests(CHECKERS)
