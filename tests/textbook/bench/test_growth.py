import numpy as np
import pandas as pd
import pytest

from ntkal.textbook import bench
from ntkal.textbook.bench import growth


def test_the_exponent_of_a_power_is_found_and_its_interval_covers_it():
    rng = np.random.default_rng(0)
    sizes = [100, 200, 400, 800, 1600]
    exact = pd.DataFrame(
        {"task": "t", "grows": "m", "size": sizes, "seconds": [3e-9 * s**2.5 for s in sizes]}
    )
    fit = growth.exponents(exact).iloc[0]
    assert fit[["exponent", "low", "high"]].tolist() == pytest.approx([2.5] * 3, abs=1e-6)
    covered = 0
    for _ in range(200):
        noisy = exact.assign(seconds=exact["seconds"] * np.exp(0.1 * rng.normal(size=5)))
        fit = growth.exponents(noisy).iloc[0]
        covered += fit["low"] <= 2.5 <= fit["high"]
    assert 180 <= covered <= 198


def test_each_task_is_timed_at_each_size():
    table = growth.run({"m": (8, 12), "classes": (2, 3)}, {"n": 4, "m": 8, "classes": 2}, repeats=1)
    assert len(table) == 4 * len(growth.TASKS)
    assert (table["seconds"] > 0).all()
    assert table.groupby("grows")["size"].unique().map(list).to_dict() == {"classes": [2, 3], "m": [8, 12]}


def test_the_number_of_parameters_grows_with_the_width():
    table = growth.run({"width": (4, 8)}, repeats=1)
    assert sorted(table["task"].unique()) == ["one-logit kernel", "sketched gradients"]
    assert table["grows"].unique().tolist() == ["p"]
    parameters = [(9 * w + w) + 2 * (9 * w**2 + w) + (10 * w + 10) for w in (4, 8)]
    assert table["size"].tolist() == np.repeat(parameters, 2).tolist()
    assert (table["seconds"] > 0).all()


def test_the_stored_table_has_every_size_and_says_how_it_was_made():
    table, made = bench.stored("growth")
    assert made["command"] == "python -m ntkal bench --growth"
    assert made["commit"]
    assert not made["dirty"]
    counts = table.groupby(["grows", "task"])["size"].nunique()
    assert (counts == 4).all()
    assert counts.groupby("grows").size().to_dict() == {"classes": 3, "m": 3, "n": 3, "p": 2}
