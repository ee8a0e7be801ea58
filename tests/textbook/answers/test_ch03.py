"""The checkers of chapter 3 accept the right answer and name each slip of the bank."""

import jax
import numpy as np
import pytest
from bank import bank_tests

from ntkal.kernels.neural_tangents import stax
from ntkal.textbook.answers.ch03 import CHECKERS


@pytest.fixture
def givens(rng):
    return {
        "3.2": {"x": rng.standard_normal((4, 3)), "depth": 2, "sw2": 1.0, "sb2": 0.2},
        "3.3": {"depth": 5, "kurtosis": 0.1},
    }


def test_the_kernel_of_absolute_values_is_that_of_the_library(givens):
    given = givens["3.2"]
    layer = {"W_std": 1.0, "b_std": np.sqrt(0.2)}
    hidden = [part for _ in range(2) for part in (stax.Dense(1, **layer), stax.Abs())]
    with jax.numpy_rank_promotion("allow"):
        library = stax.serial(*hidden, stax.Dense(1, **layer))[2](given["x"], None, "nngp")
    assert CHECKERS["3.2"].problem(library, **given) is None


def test_the_width_is_the_smallest_that_keeps_the_bound(givens):
    given = givens["3.3"]
    width = CHECKERS["3.3"].expected(**given)
    excess = [3 * ((1 + 5 / n) ** given["depth"] - 1) for n in (width - 1, width)]
    assert excess[0] > given["kurtosis"] >= excess[1]
    assert CHECKERS["3.3"].problem(width, **given) is None


test_each_slip_is_named, test_another_wrong_answer_is_refused = bank_tests(CHECKERS)
