import numpy as np
import pytest
from curves import runs
from scipy import stats

from ntkal.experiments import statistics


def cube(table, name, value="accuracy"):
    """Values of a series as an array of seeds by cycles."""
    return table[table.series == name].pivot(index="seed", columns="cycle", values=value).to_numpy()


def test_pooling_averages_cycles_within_seeds_and_leaves_out_the_start():
    table = runs(seeds=6)
    out = statistics.pooled(table, "margin", "random")
    per_seed = (cube(table, "margin") - cube(table, "random"))[:, 1:].mean(axis=1)
    low, high = stats.t.interval(0.95, 5, loc=per_seed.mean(), scale=stats.sem(per_seed))
    np.testing.assert_allclose(out[["mean", "low", "high"]], [per_seed.mean(), low, high], atol=1e-10)
    assert out["p"] == pytest.approx(stats.ttest_1samp(per_seed, 0).pvalue, rel=1e-6)
    assert out["n"] == 6


def test_pooling_by_labels_counts_every_point():
    table = runs(seeds=4)
    out = statistics.pooled(table, "margin", "random", by="labels")
    assert out["mean"] == pytest.approx((cube(table, "margin") - cube(table, "random")).mean(), abs=1e-11)


def test_a_run_that_lacks_a_cycle_is_not_pooled():
    table = runs()
    for gone in [
        (table.series == "margin") & (table.cycle == 2) & (table.seed == 1),
        table.series.isin(["margin", "random"]) & (table.cycle == 2) & (table.seed == 1),
        (table.series == "margin") & (table.cycle == 2),
    ]:
        with pytest.raises(ValueError, match="lacks seed 1|have no partner"):
            statistics.pooled(table[~gone], "margin", "random")


def test_the_start_alone_cannot_be_pooled():
    table = runs()
    with pytest.raises(ValueError, match="no cycle after cycle 0"):
        statistics.pooled(table[table.cycle == 0], "margin", "random")
    with pytest.raises(ValueError, match="b: no row has series 'badge'"):
        statistics.pooled(table, "margin", "badge")


def test_every_series_is_compared_once_and_corrected_for_the_others():
    table = runs(series=("margin", "random", "mlmoc", "badge"), seeds=6)
    out = statistics.against(table)
    assert sorted(out["series"]) == ["badge", "margin", "mlmoc"]
    for row in out.itertuples():
        alone = statistics.pooled(table, row.series, "random")
        assert (row.mean, row.low, row.high, row.p) == tuple(alone[["mean", "low", "high", "p"]])
    np.testing.assert_array_equal(out["p_holm"], statistics.holm(out["p"]))
    assert list(out.columns) == ["series", "mean", "low", "high", "p", "p_holm", "n"]


def test_areas_are_compared_as_one_number_a_seed():
    areas = statistics.area(runs(seeds=5))
    out = statistics.against(areas, by=None, value="area").set_index("series")
    wide = areas.pivot(index="seed", columns="series", values="area")
    expected = stats.ttest_rel(wide["mlmoc"], wide["random"])
    assert out.loc["mlmoc", "p"] == pytest.approx(expected.pvalue, rel=1e-6)
    assert out.loc["mlmoc", "mean"] == pytest.approx((wide["mlmoc"] - wide["random"]).mean(), abs=1e-11)


def test_a_single_seed_has_a_mean_and_no_test():
    out = statistics.against(runs(seeds=1))
    assert np.isfinite(out["mean"]).all()
    assert out[["low", "high", "p", "p_holm"]].isna().all(axis=None)


def test_differences_over_the_baseline_carry_its_accuracy():
    table = runs(seeds=4)
    out = statistics.over_baseline(table)
    assert len(out) == 6
    random = cube(table, "random")
    for row in out.itertuples():
        cycle = (row.labels - 100) // 20
        difference = (cube(table, row.series) - random)[:, cycle]
        assert row.mean == pytest.approx(difference.mean(), abs=1e-11)
        assert row.low == pytest.approx(statistics.interval(difference)[1], abs=1e-9)
        assert row.baseline == pytest.approx(random[:, cycle].mean(), rel=1e-14)


def test_over_the_baseline_needs_every_seed_and_a_rival():
    table = runs()
    with pytest.raises(ValueError, match="series 'random' at labels 120 lacks seed 0"):
        statistics.over_baseline(
            table[~((table.series == "random") & (table.seed == 0) & (table.labels == 120))]
        )
    with pytest.raises(ValueError, match="baseline: no row has series 'best'; the table has"):
        statistics.over_baseline(table, "best")
    with pytest.raises(ValueError, match="every row has series 'random', the baseline"):
        statistics.over_baseline(table[table.series == "random"])


def test_holm_by_hand():
    # Four comparisons: .005 * 4 = .02; .01 * 3 = .03; .03 * 2 = .06; .04 * 1 = .04, raised to .06.
    np.testing.assert_allclose(statistics.holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(statistics.holm([0.5, 0.6]), [1.0, 1.0])
    np.testing.assert_allclose(statistics.holm([0.02]), [0.02])


def test_holm_rejects_what_the_step_down_procedure_rejects(rng):
    for _ in range(50):
        p = rng.uniform(size=5) ** 3
        rejected = np.zeros(5, dtype=bool)
        for step, place in enumerate(np.argsort(p)):
            if p[place] > 0.05 / (5 - step):
                break
            rejected[place] = True
        np.testing.assert_array_equal(statistics.holm(p) <= 0.05, rejected)


@pytest.mark.parametrize("bad", [[], [[0.1]], [0.1, 1.2], [np.nan], [True, False], ["0.1"]])
def test_holm_refuses_what_is_no_p_value(bad):
    with pytest.raises(ValueError, match="^p: "):
        statistics.holm(bad)
