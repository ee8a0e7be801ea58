"""The checkers of chapter 5 accept the right answer and name each slip of the bank."""

import numpy as np
import pytest
from bank import bank_tests

from ntkal.textbook.answers.ch05 import CHECKERS


def given_5_2(rng):
    phi = rng.standard_normal((10, 14))
    gram = phi @ phi.T / 14
    return {
        "k_train": gram[:6, :6],
        "k_test": gram[6:, :6],
        "y": rng.standard_normal((6, 2)),
        "f_train": rng.standard_normal((6, 2)),
        "f_test": rng.standard_normal((4, 2)),
        "rate": 0.2,
        "steps": 9,
    }


def given_5_3(rng):
    q, _ = np.linalg.qr(rng.standard_normal((6, 6)))
    return {"k_train": (q * np.geomspace(0.3, 7.0, 6)) @ q.T, "level": 0.01}


@pytest.fixture
def givens(rng):
    return {"5.2": given_5_2(rng), "5.3": given_5_3(rng)}


def test_the_closed_form_is_the_loop_over_steps(rng):
    given = given_5_2(rng)
    train, test = given["f_train"], given["f_test"]
    for _ in range(given["steps"]):
        residual = train - given["y"]
        train = train - given["rate"] * given["k_train"] @ residual
        test = test - given["rate"] * given["k_test"] @ residual
    assert CHECKERS["5.2"].problem(test, **given) is None


def test_no_rate_needs_fewer_steps(rng):
    given = given_5_3(rng)
    values = np.linalg.eigvalsh(given["k_train"])
    needed = [
        np.ceil(np.log(given["level"]) / np.log(np.abs(1 - rate * values).max()))
        for rate in np.linspace(1e-3, 2 / values[-1] - 1e-3, 4001)
    ]
    assert CHECKERS["5.3"].problem(min(needed), **given) is None


test_each_slip_is_named, test_another_wrong_answer_is_refused = bank_tests(CHECKERS)
