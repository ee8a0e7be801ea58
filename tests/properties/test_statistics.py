"""Statistics of any table: by their definitions, and nothing that is missing or NaN slips into a mean."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntkal.experiments import statistics

# Accuracies and seconds are neither as small nor as large as float64 goes.
numbers = st.floats(-1e6, 1e6).map(lambda value: round(value, 9))
chances = st.floats(0, 1)


@st.composite
def tables(draw):
    """Rows of two or three series over the same seeds and cycles."""
    seeds = draw(st.lists(st.integers(0, 20), min_size=1, max_size=5, unique=True))
    cycles, names = draw(st.integers(2, 4)), draw(st.integers(2, 3))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    rows = [
        {"series": f"s{name}", "seed": seed, "cycle": cycle, "labels": 10 + 5 * cycle}
        for name, seed, cycle in itertools.product(range(names), seeds, range(cycles))
    ]
    table = pd.DataFrame(rows).assign(accuracy=lambda t: rng.random(len(t)).round(3))
    return table.sample(frac=1, random_state=0).assign(seconds_kernel=1.5, seconds_query=0.5)


@given(values=st.lists(numbers, min_size=1, max_size=8), level=st.floats(0.01, 0.99), scale=st.floats(0.1, 9))
def test_an_interval_holds_its_mean_and_moves_with_its_values(values, level, scale):
    mean, low, high = statistics.interval(values, level)
    assert mean == pytest.approx(np.mean(values), rel=1e-12, abs=1e-9)
    if len(values) == 1:
        assert np.isnan([low, high]).all()
        return
    assert low <= mean <= high
    moved = statistics.interval([scale * value + 1 for value in values], level)
    size = max(map(abs, (mean, low, high)))
    np.testing.assert_allclose(moved, [scale * v + 1 for v in (mean, low, high)], rtol=1e-9, atol=1e-9 * size)
    p = statistics.p_value(values)
    assert 0 <= p <= 1
    if abs(p - (1 - level)) > 1e-6 and high - low > 1e-9 * size:
        assert (p < 1 - level) == (low > 0 or high < 0)


@given(p=st.lists(chances, min_size=1, max_size=6))
def test_holm_raises_every_value_and_keeps_their_order(p):
    adjusted = statistics.holm(p)
    assert (adjusted >= np.array(p)).all()
    assert (adjusted <= 1).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()
    assert adjusted.min() == pytest.approx(min(1.0, len(p) * min(p)))


@given(data=st.data(), m=st.integers(2, 12))
def test_ranks_depend_on_order_alone_and_treat_the_two_alike(data, m):
    scores = st.lists(st.integers(-3, 3), min_size=m, max_size=m)
    a, b, k = data.draw(scores), data.draw(scores), data.draw(st.integers(1, m))
    overlap = statistics.top_overlap(a, b, k)
    assert max(0, 2 * k - m) / k - 1e-12 <= overlap <= 1 + 1e-12
    assert overlap == pytest.approx(statistics.top_overlap(b, np.exp(np.array(a, float)), k))
    if len(set(a)) > 1 and len(set(b)) > 1:
        rank = statistics.rank_correlation(a, b)
        assert -1 <= rank <= 1
        assert rank == pytest.approx(statistics.rank_correlation(b, [3 * v + 1 for v in a]))
        assert rank == pytest.approx(-statistics.rank_correlation(a, [-v for v in b]))


@given(table=tables())
def test_tables_of_comparisons_are_by_their_definitions(table):
    wide = table.pivot(index="seed", columns=["series", "cycle"], values="accuracy")
    for row in statistics.against(table, "s0").itertuples():
        per_seed = (wide[row.series] - wide["s0"]).drop(columns=0).mean(axis=1)
        assert row.mean == pytest.approx(per_seed.mean(), abs=1e-9)
        assert row.n == len(wide)
    for row in statistics.area(table).itertuples():
        curve = table[(table.series == row.series) & (table.seed == row.seed)].sort_values("labels")
        values = curve["accuracy"].to_numpy()
        assert row.area == pytest.approx((values[1:] + values[:-1]).mean() / 2)
    for row in statistics.seconds_per_cycle(table).itertuples():
        assert row.total == pytest.approx(2.0)
    assert statistics.complete(table) == sorted(table["seed"].unique())


@given(table=tables(), place=st.integers(0, 999), bad=st.sampled_from([np.nan, np.inf]))
def test_a_value_that_is_not_a_number_is_refused_everywhere(table, place, bad):
    rows = table[table["cycle"] > 0].index
    hurt = table.copy()
    hurt.loc[rows[place % len(rows)], ["accuracy", "seconds_kernel"]] = bad
    where = hurt[~np.isfinite(hurt["accuracy"])].iloc[0]
    other = "s1" if where["series"] == "s0" else "s0"
    for call in (
        lambda: statistics.summary(hurt, by=("series", "cycle")),
        lambda: statistics.paired(hurt, where["series"], other, column="series"),
        lambda: statistics.pooled(hurt, where["series"], other),
        lambda: statistics.against(hurt, "s0"),
        lambda: statistics.over_baseline(hurt, "s0"),
        lambda: statistics.area(hurt),
        lambda: statistics.labels_needed(hurt, 0.5),
        lambda: statistics.label_efficiency(hurt, 0.5, "s0"),
        lambda: statistics.seconds_per_cycle(hurt),
        lambda: statistics.times_faster(hurt, where["series"], other),
    ):
        with pytest.raises(ValueError, match="NaN or infinite"):
            call()


@given(table=tables(), place=st.integers(0, 999))
def test_a_row_that_is_missing_is_refused_not_averaged_over(table, place):
    rows = table[table["cycle"] > 0].index
    gone = rows[place % len(rows)]
    name = table.loc[gone, "series"]
    hurt, other = table.drop(index=gone), "s1" if name == "s0" else "s0"
    if table["seed"].nunique() == 1 and table["cycle"].nunique() == 2:
        return  # one seed and one cycle: without the row there is no curve at all
    for call in (
        lambda: statistics.pooled(hurt, name, other),
        lambda: statistics.paired(hurt, name, other, column="series", by="cycle"),
        lambda: statistics.against(hurt, "s0"),
    ):
        with pytest.raises(ValueError, match=r"lacks seed|do not have the same runs|no row has"):
            call()
