"""The checkers of chapter 10 accept the right answer and name each slip of the bank."""

import numpy as np
import pytest
from bank import bank_tests
from scipy.linalg import expm

from ntkal import gradient_flow
from ntkal.textbook.answers.ch10 import CHECKERS

FIRST, N, POOL = 3, 7, 5


@pytest.fixture
def problem(rng):
    phi = rng.standard_normal((N + POOL, 20)) / 4
    return phi @ phi.T, rng.standard_normal((N, 2))


@pytest.fixture
def givens(problem):
    kernel, labels = problem
    shared = {"kernel": kernel, "labels": labels, "first": FIRST}
    return {"10.2": {**shared, "t": 0.8}, "10.3": {**shared, "ridge": 0.3}}


def two_rounds(kernel, labels, t, ridge):
    """Warm minus fresh by the library's own gradient flow."""
    start = np.zeros((N + POOL, 2))

    def flow(begin, n, time):
        k = kernel[:n, :n]
        return np.asarray(gradient_flow(k, labels[:n], begin[:n], kernel[:, :n], begin, t=time, ridge=ridge))

    return (flow(flow(start, FIRST, None), N, t) - flow(start, N, t))[N:]


def test_the_trace_is_that_of_the_library(problem, givens):
    assert CHECKERS["10.2"].problem(two_rounds(*problem, t=0.8, ridge=0.0), **givens["10.2"]) is None


def test_the_trace_is_the_closed_formula(problem, givens):
    kernel, labels = problem
    k = kernel[:N, :N]
    after_first = kernel[:N, :FIRST] @ np.linalg.solve(kernel[:FIRST, :FIRST], labels[:FIRST])
    trace = kernel[N:, :N] @ np.linalg.solve(k, expm(-0.8 * k) @ after_first)
    assert CHECKERS["10.2"].problem(trace, **givens["10.2"]) is None


def test_the_anchored_difference_is_that_of_the_library(problem, givens):
    assert CHECKERS["10.3"].problem(two_rounds(*problem, t=None, ridge=0.3), **givens["10.3"]) is None


test_each_slip_is_named, test_another_wrong_answer_is_refused = bank_tests(CHECKERS)
