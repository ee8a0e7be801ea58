import numpy as np
import pandas as pd
import pytest
from curves import runs

from ntkal.experiments import statistics


def curves(**series):
    """A table from lists of curves: one list of accuracies a seed, at 100, 120 and 160 labels."""
    return pd.DataFrame(
        [
            {"series": name, "seed": seed, "labels": n, "cycle": cycle, "accuracy": value}
            for name, seeds in series.items()
            for seed, curve in enumerate(seeds)
            for cycle, (n, value) in enumerate(zip((100, 120, 160), curve, strict=True))
        ]
    )


def test_the_area_is_a_mean_accuracy_by_hand():
    # ((.8 + .9) / 2 * 20 + (.9 + 1.) / 2 * 40) / 60 = (17 + 38) / 60
    out = statistics.area(curves(random=[[0.8, 0.9, 1.0], [0.7, 0.7, 0.7]]).sample(frac=1, random_state=0))
    np.testing.assert_allclose(out.sort_values("seed")["area"], [55 / 60, 0.7], rtol=1e-14)


def test_a_single_point_has_no_area():
    table = curves(random=[[0.8, 0.9, 1.0]])
    with pytest.raises(ValueError, match="series 'random' has one number of labels; an area needs two"):
        statistics.area(table[table.labels == 100])


def test_labels_needed_by_hand():
    table = curves(
        random=[
            [0.80, 0.90, 1.00],
            [0.80, 0.70, 1.00],
            [0.80, 0.85, 0.90],
            [0.95, 0.60, 0.60],
            [0.5, 0.95, 1.0],
        ]
    )
    out = statistics.labels_needed(table.sample(frac=1, random_state=0), 0.95).sort_values("seed")
    # In seed 1 the dip at 120 is levelled: from .8 at 120 to 1. at 160, three quarters of the way.
    np.testing.assert_allclose(out["needed"], [140, 150, np.nan, 100, 120])
    assert out["state"].tolist() == ["reached", "reached", "never", "at the start", "reached"]


def test_labels_needed_agree_with_a_fine_walk_along_the_curve():
    table = runs(seeds=6)
    grid = np.linspace(100, 140, 40_001)
    found = 0
    for target in (0.85, 0.9, 0.93):
        for row in statistics.labels_needed(table, target).itertuples():
            curve = table[(table.series == row.series) & (table.seed == row.seed)].sort_values("labels")
            walk = np.interp(grid, curve["labels"], np.maximum.accumulate(curve["accuracy"]))
            reached = grid[walk >= target]
            assert (row.state == "never") == (len(reached) == 0)
            if len(reached):
                assert row.needed == pytest.approx(reached[0], abs=2e-3)
                found += row.state == "reached"
    assert found > 5


def test_efficiency_counts_and_pairs_by_hand():
    table = curves(
        random=[[0.8, 0.85, 0.95], [0.8, 0.9, 1.0], [0.8, 0.8, 0.9]],
        margin=[[0.8, 0.90, 1.00], [0.9, 0.9, 1.0], [0.8, 0.9, 0.9]],
    )
    out = statistics.label_efficiency(table, 0.9).set_index("series")
    # random needs 140, 120, 160; margin 120, 100 (it starts there), 120.
    np.testing.assert_allclose(out["mean"], [340 / 3, 140])
    np.testing.assert_allclose(out["median"], [120, 140])
    assert out["at_start"].tolist() == [1, 0]
    assert out["never"].tolist() == [0, 0]
    expected = statistics.interval([20, 20, 40])
    np.testing.assert_allclose(
        out.loc["margin", ["saved", "saved_low", "saved_high"]].astype(float), expected
    )
    assert out.loc["margin", "saved_p"] == pytest.approx(statistics.p_value([20, 20, 40]))
    assert out.loc["margin", "saved_at_least"] == pytest.approx(80 / 3)
    assert out.loc["random", "saved"] == 0


def test_a_seed_that_never_arrives_is_counted_not_dropped():
    table = curves(
        random=[[0.8, 0.85, 0.89], [0.8, 0.9, 1.0], [0.8, 0.85, 0.95]],
        margin=[[0.8, 0.90, 1.00], [0.8, 0.9, 1.0], [0.8, 0.90, 0.95]],
        entropy=[[0.8, 0.85, 0.89], [0.8, 0.8, 0.8], [0.8, 0.90, 0.95]],
    )
    out = statistics.label_efficiency(table, 0.9).set_index("series")
    assert out["never"].to_dict() == {"margin": 0, "entropy": 2, "random": 1}
    assert out["n"].tolist() == [3, 3, 3]
    known = out["mean"].notna().to_dict()
    assert known == {"margin": True, "entropy": False, "random": False}
    # Medians: random 120, 140, more than 160; entropy 120 and twice more than 160, so it is not known.
    assert out.loc["random", "median"] == 140
    assert np.isnan(out.loc["entropy", "median"])
    # random ends seed 0 at 160 without .9, so margin saves more than 40 there, and 0 and 20 in the others.
    assert np.isnan(out.loc["margin", "saved"])
    assert out.loc["margin", "saved_at_least"] == pytest.approx((40 + 0 + 20) / 3)
    assert out.loc["entropy", ["saved", "saved_low", "saved_high", "saved_p", "saved_at_least"]].isna().all()


def test_bad_targets_and_values_are_refused():
    table = curves(random=[[0.8, 0.9, 1.0]], margin=[[0.8, 0.9, np.nan]])
    with pytest.raises(ValueError, match="target: 1 of 1 entries are NaN"):
        statistics.labels_needed(table, float("nan"))
    with pytest.raises(ValueError, match="1 entries of column accuracy are NaN"):
        statistics.labels_needed(table, 0.9)
    with pytest.raises(ValueError, match="lacks seed 1"):
        statistics.labels_needed(curves(random=[[0.8] * 3], margin=[[0.8] * 3] * 2), 0.9)


def test_seconds_are_means_over_the_cycles_that_chose_and_over_seeds():
    table = runs(seeds=4)
    out = statistics.seconds_per_cycle(table).set_index("series")
    for name in ("random", "mlmoc"):
        part = table[(table.series == name) & (table.cycle > 0)]
        assert out.loc[name, "kernel"] == pytest.approx(part.seconds_kernel.mean(), rel=1e-12)
        assert out.loc[name, "query"] == pytest.approx(part.seconds_query.mean(), rel=1e-12)
        per_seed = (part.seconds_kernel + part.seconds_query).groupby(part.seed).mean()
        np.testing.assert_allclose(
            out.loc[name, ["total", "low", "high"]].astype(float), statistics.interval(per_seed)
        )
    assert out["n"].tolist() == [4, 4, 4]


def test_the_ratio_is_a_geometric_mean_paired_by_seed():
    table = runs(seeds=4)
    out = statistics.times_faster(table, "margin", "mlmoc")
    part = table[table.cycle > 0].assign(total=table.seconds_kernel + table.seconds_query)
    totals = part.groupby(["series", "seed"])["total"].mean()
    logs = np.log(totals["mlmoc"] / totals["margin"])
    mean, low, high = statistics.interval(logs)
    np.testing.assert_allclose(out[["mean", "low", "high"]], np.exp([mean, low, high]), rtol=1e-9)
    back = statistics.times_faster(table, "mlmoc", "margin")
    assert back["mean"] == pytest.approx(1 / out["mean"], rel=1e-9)
    assert back["low"] == pytest.approx(1 / out["high"], rel=1e-9)


def test_seconds_need_every_seed_and_something_chosen():
    table = runs()
    with pytest.raises(ValueError, match="no cycle after cycle 0"):
        statistics.seconds_per_cycle(table[table.cycle == 0])
    gone = (table.series == "margin") & (table.cycle == 2) & (table.seed == 0)
    with pytest.raises(ValueError, match="series 'margin' at cycle 2 lacks seed 0"):
        statistics.seconds_per_cycle(table[~gone])
    with pytest.raises(ValueError, match="there is no ratio"):
        statistics.times_faster(table.assign(seconds_kernel=0.0, seconds_query=0.0), "margin", "mlmoc")
    with pytest.raises(ValueError, match="slow: no row has series 'retrain'"):
        statistics.times_faster(table, "margin", "retrain")
