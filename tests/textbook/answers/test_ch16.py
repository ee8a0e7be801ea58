"""The checkers of chapter 16 accept the right answer and name each slip of the bank."""

import numpy as np
import pandas as pd
import pytest
from bank import bank_tests
from scipy import stats

from ntkal.experiments import statistics
from ntkal.textbook.answers.ch16 import CHECKERS

LABELS = np.array([100, 120, 140, 160])


@pytest.fixture
def givens():
    ours = [[0.90, 0.94, 0.96, 0.97], [0.92, 0.96, 0.95, 0.97], [0.91, 0.93, 0.955, 0.96]]
    theirs = [[0.90, 0.93, 0.94, 0.945], [0.92, 0.945, 0.953, 0.96], [0.91, 0.92, 0.93, 0.94]]
    return {
        "16.2": {"labels": LABELS, "ours": np.array(ours), "theirs": np.array(theirs), "target": 0.95},
        "16.3": {"differences": np.array([0.004, -0.003, 0.007, -0.001, 0.005, 0.0])},
    }


def test_the_saving_is_the_bound_of_the_statistics(givens):
    given = givens["16.2"]
    runs = [
        {"series": name, "seed": seed, "labels": labels, "accuracy": accuracy}
        for name in ("ours", "theirs")
        for seed, curve in enumerate(given[name])
        for labels, accuracy in zip(LABELS, curve, strict=True)
    ]
    rows = statistics.label_efficiency(pd.DataFrame(runs), 0.95, "theirs").set_index("series")
    assert CHECKERS["16.2"].problem(rows.loc["ours", "saved_at_least"], **given) is None


def test_the_number_of_seeds_is_the_first_whose_interval_excludes_zero(givens):
    d = givens["16.3"]["differences"]

    def excludes(n):
        shape = np.linspace(-1, 1, n)
        return stats.ttest_1samp(d.mean() + d.std(ddof=1) * shape / shape.std(ddof=1), 0).pvalue < 0.05

    right = next(n for n in range(2, 100) if excludes(n))
    assert CHECKERS["16.3"].problem(right, **givens["16.3"]) is None


def test_a_start_that_is_enough_saves_nothing_more(givens):
    given = givens["16.2"] | {"target": 0.5}
    assert CHECKERS["16.2"].expected(**given) == 0


test_each_slip_is_named, test_another_wrong_answer_is_refused = bank_tests(CHECKERS)
