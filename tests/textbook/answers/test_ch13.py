"""The checkers of chapter 13 accept the right answer and name each slip of the bank."""

import jax
import numpy as np
import pytest
from bank import bank_tests

from ntkal import models
from ntkal import training as train
from ntkal.experiments import statistics
from ntkal.textbook.answers.ch13 import CHECKERS

BIG = {"n": 1000, "m": 6000, "C": 10, "E": 15, "g": 1.1e9, "p": 11.2e6}


@pytest.fixture
def givens(rng):
    phi = rng.normal(size=(6, 9))
    pool = rng.normal(size=(4, 9))
    return {
        "13.2": BIG,
        "13.3": {"slow": rng.uniform(50, 150, size=6), "fast": rng.uniform(0.5, 3, size=6)},
        "13.4": {
            "kernel": phi @ phi.T, "to_pool": pool @ phi.T, "residual": rng.normal(size=(6, 3)),
            "rate": 0.05, "epochs": 15,
        },
    }  # fmt: skip


def test_the_bill_counts_every_term():
    naive = 6000 * (3 * 1.1e9 * 15 * 1001) + 6000 * 6000 * 1.1e9
    kernels = 7000 * 3 * 1.1e9 + 2 * 7000 * 7000 * 11.2e6
    rest = 1000**3 / 3 + 1000**2 * 6000 + 2 * 1000 * 6000**2 + 4 * 10 * 6000**2
    assert CHECKERS["13.2"].problem(naive / (kernels + rest), **BIG) is None


def test_the_ratio_is_that_of_the_logarithms(givens):
    slow, fast = givens["13.3"].values()
    want = np.exp(statistics.interval(np.log(slow) - np.log(fast)))
    assert CHECKERS["13.3"].problem(want, slow=slow, fast=fast) is None


def test_the_formula_is_training_by_gradient_descent(rng):
    """On a model that is linear, with the library's own steps."""
    model = models.mlp((5,), 3, depth=0, dtype="float64")
    params = model.init(jax.random.key(0))
    x, x_p, y = rng.normal(size=(4, 5)), rng.normal(size=(7, 5)), np.eye(3)[[0, 2, 1, 1]]
    settings = train.TrainConfig(
        steps=15, learning_rate=0.05, momentum=0.0, nesterov=False, schedule="constant"
    )
    moved, _ = train.fit(model, params, x, y, settings, jax.random.key(1))
    change = train.predict(model, moved, x_p) - train.predict(model, params, x_p)
    given = {
        "kernel": x @ x.T + 1, "to_pool": x_p @ x.T + 1,
        "residual": y - train.predict(model, params, x), "rate": 0.05, "epochs": 15,
    }  # fmt: skip
    assert CHECKERS["13.4"].problem(change, **given) is None


test_each_slip_is_named, test_another_wrong_answer_is_refused = bank_tests(CHECKERS)
