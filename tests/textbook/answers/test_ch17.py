"""The checkers of chapter 17 accept the right answer and name each slip of the bank."""

import numpy as np
import pandas as pd
import pytest
from bank import bank_tests
from scipy import stats

from ntkal.experiments import statistics
from ntkal.textbook.answers.ch17 import CHECKERS

WIDTHS = np.array([16.0, 32.0, 64.0])


@pytest.fixture
def givens(rng):
    gains = rng.normal(size=(6, 3)) * [5.0, 1.2, 0.8] + [1.3, 0.4, 0.8]
    shared = rng.normal(size=6)
    return {
        "17.2": {"gains": gains, "widths": WIDTHS},
        "17.3": {
            "ours": 50.0 + shared + rng.normal(size=6),
            "rivals": 49.5 + shared + rng.normal(size=(4, 6)) + np.array([[0.3], [-0.4], [0.1], [-2.0]]),
        },
    }


def test_the_slope_is_the_mean_of_one_line_a_seed(givens):
    given = givens["17.2"]
    slopes = [stats.linregress(np.log2(WIDTHS), gain).slope for gain in given["gains"]]
    assert CHECKERS["17.2"].problem(statistics.interval(slopes), **given) is None


def test_at_the_margin_every_part_is_just_shown(givens):
    given = givens["17.3"]
    runs = [
        {"series": name, "seed": seed, "cycle": 1, "accuracy": accuracy}
        for name, series in zip("oabcd", [given["ours"], *given["rivals"]], strict=True)
        for seed, accuracy in enumerate(series)
    ]
    lows = [statistics.pooled(pd.DataFrame(runs), "o", rival)["low"] for rival in "abcd"]
    assert CHECKERS["17.3"].problem(-min(lows), **given) is None
    assert sum(low > min(lows) - 1e-9 for low in lows) == 4


test_each_slip_is_named, test_another_wrong_answer_is_refused = bank_tests(CHECKERS)
