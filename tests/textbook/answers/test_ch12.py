"""The checkers of chapter 12 accept the right answer and name each slip of the bank."""

import dataclasses

import numpy as np
import pytest
from bank import bank_tests
from problems import problem

from ntkal.textbook.answers.ch12 import CHECKERS


@pytest.fixture
def case():
    """Pool points of unequal size, so that a small one moves a large one further than itself."""
    plain = problem(seed=7, m=12, parameters=20, ridge=0.5)
    return dataclasses.replace(plain, phi_p=plain.phi_p * np.linspace(0.3, 3.0, 12)[:, None])


@pytest.fixture
def givens(case):
    post = case.fit()
    mean, cov = np.asarray(post.mean), np.asarray(post.cov)
    c = int(np.argmax(np.abs(cov).max(axis=0) / np.diag(cov)))
    return {
        "12.2": {"mean": mean, "cov": cov, "ridge": 0.5, "picks": [2, 5, 9], "labels": np.eye(3)[[1, 0, 2]]},
        "12.3": {"cov": cov, "ridge": 0.5, "c": c},
    }


def test_the_block_update_is_refitting_on_all_three_labels(case, givens):
    given = givens["12.2"]
    pairs = list(zip(given["picks"], given["labels"], strict=True))
    assert CHECKERS["12.2"].problem(case.refit(pairs), **given) is None


def test_the_worst_change_is_that_of_two_refits_with_different_labels(case, givens):
    given = givens["12.3"]
    one, other = (case.refit([(given["c"], np.eye(3)[k])]) for k in (0, 2))
    worst = np.linalg.norm(one - other, axis=1).max()
    assert CHECKERS["12.3"].problem(worst, **given) is None


test_each_slip_is_named, test_another_wrong_answer_is_refused = bank_tests(CHECKERS)
