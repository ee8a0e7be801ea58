"""The checkers of chapters 13 to 17 accept the right answer and name each slip of the bank."""

import jax
import numpy as np
import pandas as pd
import pytest
from bank import bank_tests
from scipy import stats

from ntkal import models
from ntkal import training as train
from ntkal.experiments import statistics
from ntkal.experiments.rivals import score
from ntkal.experiments.rivals.step import STEP, OneStep
from ntkal.textbook.answers import CHECKERS

BIG = {"n": 1000, "m": 6000, "C": 10, "E": 15, "g": 1.1e9, "p": 11.2e6}


def givens_of_13(rng):
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


@pytest.fixture(scope="module")
def givens():
    made = {}
    for of_chapter in (givens_of_13, givens_of_14, givens_of_15, givens_of_16, givens_of_17):
        made |= of_chapter(np.random.default_rng(20220612))
    return made


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


def givens_of_14(rng):
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


def givens_of_15(rng):
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


LABELS = np.array([100, 120, 140, 160])


def givens_of_16(rng):
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


WIDTHS = np.array([16.0, 32.0, 64.0])


def givens_of_17(rng):
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


test_each_slip_is_named, test_another_wrong_answer_is_refused, test_forms_do_not_matter = bank_tests(13, 17)
