"""The checkers of chapter 14 accept the right answer and name each slip of the bank."""

import pandas as pd
import pytest
from bank import bank_tests

from ntkal.experiments import statistics
from ntkal.experiments.rivals import score
from ntkal.experiments.rivals.step import STEP, OneStep
from ntkal.textbook.answers.ch14 import CHECKERS


@pytest.fixture
def givens(rng):
    phi = rng.normal(size=(7, 5))
    accuracy = 0.9 + 0.02 * rng.normal(size=(4, 6))
    names = ("ours", "ours_random", "theirs", "theirs_random")
    return {
        "14.2": {"outputs": rng.normal(size=(7, 3)), "kernel": phi @ phi.T, "rate": 0.2},
        "14.3": dict(zip(names, accuracy, strict=True)),
    }


def test_the_scores_are_those_of_the_rival(givens):
    given = givens["14.2"]
    state = OneStep(given["outputs"], given["kernel"], given["rate"])
    assert CHECKERS["14.2"].problem(score(STEP, state, "mlmoc_norm"), **given) is None


def test_the_interval_is_that_of_the_gains_paired_within_seeds(givens):
    given = givens["14.3"]
    gains = {
        "ours": given["ours"] - given["ours_random"],
        "theirs": given["theirs"] - given["theirs_random"],
    }
    table = pd.concat(
        pd.DataFrame({"series": name, "seed": range(6), "gain": gain}) for name, gain in gains.items()
    )
    row = statistics.pooled(table, "ours", "theirs", by=None, value="gain")
    assert CHECKERS["14.3"].problem(row[["mean", "low", "high"]].to_numpy(float), **given) is None


test_each_slip_is_named, test_another_wrong_answer_is_refused = bank_tests(CHECKERS)
