"""The checkers of chapter 15 accept the right answer and name each slip of the bank."""

import numpy as np
import pytest
from bank import bank_tests
from scipy import stats

from ntkal.textbook.answers.ch15 import CHECKERS


@pytest.fixture
def givens():
    return {
        "15.2": {"spread": 1.3, "effect": 1.5, "power": 0.9, "comparisons": 5},
        "15.3": {"ours": 61.0, "theirs": 2.5, "rounds": 3, "saved": 8, "rent": 0.4},
    }


def seen(n, ratio, alpha, rng, trials=20_000):
    """The share of simulated experiments of n seeds whose p value is below alpha."""
    return np.mean(stats.ttest_1samp(rng.normal(ratio, 1, size=(trials, n)), 0, axis=1).pvalue < alpha)


def test_the_number_of_seeds_is_the_least_with_the_power(givens, rng):
    given = givens["15.2"]
    n = CHECKERS["15.2"].expected(**given)
    ratio = given["effect"] / given["spread"]
    assert seen(n, ratio, 0.01, rng) > 0.89
    assert seen(n - 2, ratio, 0.01, rng) < 0.9
    assert CHECKERS["15.2"].problem(n, **given) is None


def test_at_the_price_both_ways_cost_the_same(givens):
    given = givens["15.3"]
    price = CHECKERS["15.3"].expected(**given)
    machine = [given["rounds"] * given[side] * given["rent"] / 3600 for side in ("ours", "theirs")]
    assert machine[0] == pytest.approx(machine[1] + given["saved"] * price)
    assert CHECKERS["15.3"].problem(price, **given) is None


test_each_slip_is_named, test_another_wrong_answer_is_refused = bank_tests(CHECKERS)
