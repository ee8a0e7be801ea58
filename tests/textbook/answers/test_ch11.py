"""The checkers of chapter 11 accept the right answer and name each slip of the bank."""

import numpy as np
import pytest
from bank import bank_tests
from problems import problem

from ntkal.acquisition import probabilities
from ntkal.textbook.answers.ch11 import CHECKERS, FIRST


@pytest.fixture
def case():
    return problem(seed=4, m=30, classes=4, parameters=12, ridge=0.5)


@pytest.fixture
def givens(case):
    post = case.fit()
    common = {"mean": np.asarray(post.mean), "cov": np.asarray(post.cov), "ridge": 0.5}
    return {"11.2": common | {"probs": np.asarray(probabilities(post.mean))}, "11.3": common}


def test_expected_flips_are_those_of_refitting_with_each_label(case, givens):
    given = givens["11.2"]
    before = case.refit().argmax(axis=1)
    flips = [
        sum(
            given["probs"][c, k] * np.sum(case.refit([(c, np.eye(4)[k])]).argmax(axis=1) != before)
            for k in range(4)
        )
        for c in range(FIRST)
    ]
    assert CHECKERS["11.2"].problem(np.array(flips), **given) is None


def test_the_two_shares_of_the_variance_add_up_to_one(case, givens):
    given = givens["11.3"]
    reach = CHECKERS["11.3"].expected(**given)
    (swapped, *_) = CHECKERS["11.3"].mistakes.values()
    assert reach + swapped(**given) == pytest.approx(1.0)
    assert CHECKERS["11.3"].problem(reach, **given) is None


test_each_slip_is_named, test_another_wrong_answer_is_refused = bank_tests(CHECKERS)
