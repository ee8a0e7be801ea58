import numpy as np
import pandas as pd
import pytest
from curves import runs
from scipy import stats

from ntkal.experiments import statistics


def rows(strategies=("margin", "random"), seeds=range(3), labels=(100, 120)):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        [
            {"seed": s, "strategy": a, "labels": n, "accuracy": rng.uniform()}
            for s in seeds
            for a in strategies
            for n in labels
        ]
    )


def test_the_interval_is_that_of_scipy():
    values = np.array([0.81, 0.84, 0.79, 0.9, 0.85, 0.83])
    mean, low, high = statistics.interval(values, 0.9)
    expected = stats.t.interval(0.9, 5, loc=values.mean(), scale=stats.sem(values))
    assert mean == pytest.approx(values.mean(), rel=1e-14)
    assert (low, high) == pytest.approx(expected, rel=1e-12)


def test_the_interval_covers_the_mean_as_often_as_it_says(rng):
    covered = [low <= 3 <= high for _, low, high in map(statistics.interval, rng.normal(3, 2, (2000, 6)))]
    assert 0.93 < np.mean(covered) < 0.97


def test_one_value_has_no_interval():
    mean, low, high = statistics.interval([0.5])
    assert mean == 0.5
    assert np.isnan([low, high]).all()


@pytest.mark.parametrize(
    ("values", "level", "message"),
    [
        ([], 0.95, "values: .* at least one entry"),
        ([1, np.nan], 0.95, "values: 1 of 2 entries are NaN"),
        ([True, False], 0.95, "values: expected real numbers, got booleans"),
        ([[1, 2]], 0.95, r"values: expected shape \(any,\), got \(1, 2\)"),
        (pd.array([1, None]), 0.95, "values: 1 of 2 entries are NaN"),
        ([1, 2], 95, "level: "),
        ([1, 2], True, "level: "),
    ],
)
def test_a_bad_interval_is_refused(as_user, values, level, message):
    with pytest.raises(ValueError, match=message):
        statistics.interval(values, level)


def test_summary_gives_a_row_a_group():
    table = rows()
    out = statistics.summary(table)
    assert list(out.columns) == ["strategy", "labels", "mean", "low", "high", "n"]
    assert len(out) == 4
    one = out[(out.strategy == "random") & (out.labels == 120)].iloc[0]
    values = table[(table.strategy == "random") & (table.labels == 120)].accuracy
    assert (one["mean"], one["low"], one["high"]) == statistics.interval(values)
    assert one["n"] == 3


def test_one_seed_twice_in_a_group_is_refused_not_averaged():
    table = rows()
    both = pd.concat([table.assign(mode="batch"), table.assign(mode="sequential")])
    with pytest.raises(ValueError, match="seed 0 comes more than once at strategy margin, labels 100"):
        statistics.summary(both)
    assert len(statistics.summary(both, ["strategy", "mode", "labels"])) == 8
    with pytest.raises(ValueError, match="more than once"):
        statistics.paired(both, "margin", "random")


def test_pairing_is_by_seed_whatever_the_order_of_rows():
    level = {0: 0.5, 1: 0.7, 2: 0.9}
    table = rows()
    table["accuracy"] = [
        level[s] + 0.05 * (a == "margin") for s, a in zip(table.seed, table.strategy, strict=True)
    ]
    out = statistics.paired(table.sample(frac=1, random_state=1), "margin", "random").sort_values("labels")
    assert out["labels"].tolist() == [100, 120]
    # The spread between seeds is large, but every pair differs by exactly .05.
    np.testing.assert_allclose(out[["mean", "low", "high"]], 0.05, atol=1e-12)
    assert out["n"].tolist() == [3, 3]


def test_an_unpaired_seed_is_named_not_dropped():
    table = rows()
    lonely = table[~((table.strategy == "random") & (table.seed == 2) & (table.labels == 120))]
    with pytest.raises(ValueError, match="1 rows have no partner, the first at labels 120, seed 2"):
        statistics.paired(lonely, "margin", "random")


def test_missing_columns_and_names_are_listed():
    with pytest.raises(ValueError, match="no column cost; it has seed, strategy"):
        statistics.summary(rows(), value="cost")
    with pytest.raises(ValueError, match="a: no row has strategy 'badge'; the table has margin, random"):
        statistics.paired(rows(), "badge", "random")
    with pytest.raises(ValueError, match="it has no rows"):
        statistics.summary(rows().head(0))


def test_the_p_value_is_that_of_scipys_paired_test_and_agrees_with_the_interval(rng):
    a, b = rng.normal(0.2, 1, (2, 40, 6))
    for one, other in zip(a, b, strict=True):
        difference = one - other
        p = statistics.p_value(difference)
        assert p == pytest.approx(stats.ttest_rel(one, other).pvalue, rel=1e-10)
        _, low, high = statistics.interval(difference)
        assert (p < 0.05) == (low > 0 or high < 0)


def test_differences_without_spread_have_the_limit_of_the_p_value():
    assert statistics.p_value([0.0, 0.0, 0.0]) == 1.0
    assert statistics.p_value([0.01, 0.01]) == 0.0
    assert statistics.p_value([0.3, 0.1 + 0.2]) == 0.0
    assert np.isnan(statistics.p_value([0.01]))
    with pytest.raises(ValueError, match="differences: 1 of 2 entries are NaN"):
        statistics.p_value([0.1, np.nan])


def test_paired_has_the_p_value_at_each_number_of_labels():
    table = runs(seeds=5)
    out = statistics.paired(table, "margin", "random", column="series")
    for row in out.itertuples():
        at = table[table.labels == row.labels].set_index("seed").sort_index()
        a, b = (at[at.series == name].accuracy for name in ("margin", "random"))
        assert row.p == pytest.approx(stats.ttest_rel(a, b).pvalue, rel=1e-6)
    assert sorted(out["labels"]) == [100, 120, 140]


def test_the_differences_of_each_seed_can_be_had():
    table = runs()
    out = statistics.differences(table, "mlmoc", "random", column="series").set_index(["labels", "seed"])
    by_name = table.set_index(["series", "labels", "seed"])["accuracy"]
    assert len(out) == 9
    for place, value in out["difference"].items():
        expected = by_name[("mlmoc", *place)] - by_name[("random", *place)]
        assert value == pytest.approx(expected, abs=1e-11)
