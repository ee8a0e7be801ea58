import math
import time

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from ntkal.textbook.bench import shown, timing


def test_tasks_run_in_turn_and_the_best_time_counts(monkeypatch):
    order, clock = [], [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    takes = {"slow": iter([9.0, 5.0, 3.0, 4.0]), "quick": iter([9.0, 1.0, 2.0, 2.0])}

    def task(name):
        order.append(name)
        clock[0] += next(takes[name])
        return name

    seconds, results = timing.best_seconds([lambda: task("slow"), lambda: task("quick")], repeats=3)
    assert order == ["slow", "quick"] * 4
    assert results == ["slow", "quick"]
    assert seconds == [3.0, 1.0]


@pytest.mark.parametrize(
    ("change", "reached"),
    [
        ({}, True),
        ({"needed": 4.1}, False),
        ({"difference": 2e-8, "difference_at_most": 1e-8}, False),
        ({"difference": math.nan, "difference_at_most": 1e-8}, False),
        ({"memory": 11, "memory_at_most": 10}, False),
        ({"memory": 9, "memory_at_most": 10, "peer_memory": 100}, True),
    ],
)
def test_a_row_is_reached_when_all_that_it_asks_for_is(change, reached):
    made = timing.row("ours", 0.5, "theirs", 2.0, **({"needed": 4} | change))
    assert list(made) == list(timing.ROW)
    assert made["ratio"] == 4.0
    assert made["reached"] is reached


def test_a_peer_that_is_missing_reaches_nothing():
    (made,) = timing.rows("ours", lambda: 1, timing.Peer("theirs", None, 1000))
    assert made["reached"] is False
    assert math.isnan(made["ratio"])
    line = shown(pd.DataFrame([made])).iloc[0]
    assert (line["ratio"], line["reached"], line["note"]) == ("-", "no", "not installed")


def test_each_peer_has_a_row_with_its_seconds_scaled_and_its_own_part_compared():
    right = timing.Peer("a", lambda: np.arange(1.0, 4.0), 0, 2.0, 1e-9)
    wrong = timing.Peer("b", lambda: np.array([1.0, 2.0, 3.3]), 0, 2.0, 1e-9)
    rows = timing.rows("ours", lambda: np.arange(1.0, 7.0), right, wrong, timing.Peer("c", lambda: None, 0))
    assert [row["peer"] for row in rows] == ["a", "b", "c"]
    assert [row["reached"] for row in rows] == [True, False, True]
    assert rows[1]["difference"] == pytest.approx(0.3 / 3.3)
    assert math.isnan(rows[2]["difference"])


def test_the_table_is_shown_with_three_digits_megabytes_and_words():
    made = timing.row("ours", 0.012345, "theirs", 30.0, needed=3, memory=2**21, difference=1.5e-9)
    line = shown(pd.DataFrame([made])).iloc[0]
    columns = [
        "what",
        "peer",
        "seconds",
        "ratio",
        "needed",
        "difference",
        "MiB",
        "peer's MiB",
        "reached",
        "note",
    ]
    assert line.index.tolist() == columns
    assert line.tolist() == ["ours", "theirs", "0.0123", "2430", "3", "1.5e-09", "2", "-", "yes", ""]


def test_bytes_of_numpy_and_of_compiled_programs_are_those_of_their_arrays():
    assert 8e6 <= timing.numpy_bytes(lambda: np.ones(10**6) + np.arange(3.0)[0]) < 17e6
    assert timing.compiled_bytes(lambda x: x[:, None] * x[None, :], jnp.ones(500)) == 8 * 500**2
    assert timing.compiled_bytes(jax.jit(lambda x: jnp.sum(x * 2)), jnp.ones(5000)) < 8 * 5000


def test_a_gap_is_relative_to_the_largest_entry_of_what_is_right():
    assert timing.gap(np.array([0.0, 9.0]), np.array([1.0, 10.0])) == pytest.approx(0.1)
