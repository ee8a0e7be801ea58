"""The checkers of chapter 1 accept the right answer and name each slip of the bank."""

import numpy as np
import pytest
from bank import bank_tests
from scipy import stats

from ntkal.textbook.answers.ch01 import CHECKERS


@pytest.fixture
def givens(rng):
    base = 0.9 + 0.02 * rng.standard_normal(6)
    curves = {
        "labels": np.array([40, 60, 80, 100]),
        "chance": np.array([0.6, 0.7, 0.74, 0.8]),
        "strategy": np.array([0.6, 0.72, 0.82, 0.86]),
        "price": 0.3,
    }
    return {
        "1.2": {"ours": base + 0.01, "theirs": base + 0.005 * rng.standard_normal(6)},
        "1.3": curves,
    }


def test_the_interval_is_that_of_the_paired_t_test(givens):
    ours, theirs = givens["1.2"]["ours"], givens["1.2"]["theirs"]
    ends = stats.ttest_rel(ours, theirs).confidence_interval(0.95)
    value = [(ours - theirs).mean(), ends.low, ends.high]
    assert CHECKERS["1.2"].problem(value, **givens["1.2"]) is None


def test_the_saving_is_read_between_the_cycles(givens):
    # The strategy passes 0.80 at eight tenths of the way from 60 to 80 labels.
    assert CHECKERS["1.3"].problem(0.3 * (100 - 76), **givens["1.3"]) is None


def test_a_strategy_that_only_just_gets_there_saves_nothing(givens):
    given = givens["1.3"] | {"strategy": givens["1.3"]["chance"]}
    assert CHECKERS["1.3"].expected(**given) == 0


test_each_slip_is_named, test_another_wrong_answer_is_refused = bank_tests(CHECKERS)
