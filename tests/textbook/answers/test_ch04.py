"""The checkers of chapter 4 accept the right answer and name each slip of the bank."""

import jax
import numpy as np
import pytest
from bank import bank_tests

from ntkal import gradient_flow
from ntkal.kernels.neural_tangents import stax
from ntkal.textbook.answers.ch04 import CHECKERS


@pytest.fixture
def givens(rng):
    roots = rng.standard_normal((8, 20)) / np.sqrt(20)
    return {
        "4.2": {"kernel": roots @ roots.T, "y": rng.standard_normal((8, 2)), "share": 0.01},
        "4.3": {"x": rng.standard_normal((4, 3)), "depth": 2, "sw2": 1.0, "sb2": 0.2},
    }


def test_at_that_time_the_flow_has_just_learned_the_slowest_mode(givens):
    kernel, y = givens["4.2"]["kernel"], givens["4.2"]["y"]
    zero = np.zeros_like(y)
    f = gradient_flow(kernel, y, zero, kernel, zero, CHECKERS["4.2"].expected(**givens["4.2"]))
    vectors = np.linalg.eigh(kernel)[1]
    left = np.abs(vectors.T @ (np.asarray(f) - y) / (vectors.T @ y))
    np.testing.assert_allclose(left[0], 0.01, rtol=1e-8)
    assert (left[1:] < 0.01).all()


def test_the_kernel_of_absolute_values_is_that_of_the_library(givens):
    given = givens["4.3"]
    layer = {"W_std": 1.0, "b_std": np.sqrt(0.2)}
    hidden = [part for _ in range(2) for part in (stax.Dense(1, **layer), stax.Abs())]
    with jax.numpy_rank_promotion("allow"):
        library = stax.serial(*hidden, stax.Dense(1, **layer))[2](given["x"], None, "ntk")
    assert CHECKERS["4.3"].problem(library, **given) is None


test_each_slip_is_named, test_another_wrong_answer_is_refused = bank_tests(CHECKERS)
