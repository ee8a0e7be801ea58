import numpy as np
import pytest
from curves import runs

from ntkal.experiments import statistics


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
    with pytest.raises(ValueError, match="a: no row has series 'retrain'"):
        statistics.times_faster(table, "margin", "retrain")
