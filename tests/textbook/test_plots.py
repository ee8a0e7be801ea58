import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

mpl.use("agg")

import matplotlib.pyplot as plt

from ntkal.experiments import statistics
from ntkal.textbook import plots


@pytest.fixture
def table(rng):
    return pd.DataFrame(
        [
            {"seed": s, "strategy": a, "labels": n, "accuracy": 0.8 + 0.1 * rng.uniform()}
            for s in range(3)
            for a in ("random", "mlmoc", "margin")
            for n in (100, 120, 140)
        ]
    )


@pytest.fixture
def ax():
    with mpl.rc_context():
        plots.use_style()
        figure, ax = plt.subplots()
        yield ax
        plt.close(figure)


def band(ax, index):
    return ax.collections[index].get_paths()[0].vertices


def test_curves_are_means_in_per_cent_and_bands_are_intervals(table, ax):
    assert plots.learning_curves(table, order=["mlmoc", "random"], ax=ax) is ax
    expected = statistics.summary(table)
    expected = expected[expected.strategy == "mlmoc"]
    line = ax.lines[0]
    assert line.get_label() == "mlmoc"
    np.testing.assert_array_equal(line.get_xdata(), [100, 120, 140])
    np.testing.assert_allclose(line.get_ydata(), 100 * expected["mean"])
    assert band(ax, 0)[:, 1].min() == pytest.approx(100 * expected["low"].min())
    assert band(ax, 0)[:, 1].max() == pytest.approx(100 * expected["high"].max())
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["mlmoc", "random"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Labels (number)", "Test accuracy (%)")


def test_differences_are_paired_and_the_baseline_is_the_zero_line(table, ax):
    plots.difference_from(table, "random", ax=ax)
    zero, *curves = ax.lines
    assert set(zero.get_ydata()) == {0.0}
    assert [line.get_label() for line in curves] == ["mlmoc", "margin"]
    expected = statistics.paired(table, "margin", "random")
    np.testing.assert_allclose(curves[1].get_ydata(), 100 * expected["mean"])
    assert band(ax, 1)[:, 1].max() == pytest.approx(100 * expected["high"].max())
    assert "percentage points" in ax.get_ylabel()


def test_one_seed_draws_a_line_without_a_band(table, ax):
    plots.learning_curves(table[table.seed == 0], ax=ax)
    assert len(ax.lines) == 3
    assert not ax.collections


def test_without_axes_the_current_ones_are_used(table, ax):
    plt.sca(ax)
    assert plots.learning_curves(table) is ax


def test_a_figure_is_white_in_every_format(ax):
    for key in ("figure.facecolor", "axes.facecolor", "savefig.facecolor"):
        assert mpl.rcParams[key] == "white"


def test_an_absent_name_is_told(table, ax):
    with pytest.raises(ValueError, match="order: no row has strategy 'badge'; the table has random, mlmoc"):
        plots.learning_curves(table, order=["badge"], ax=ax)
    with pytest.raises(ValueError, match="no column width"):
        plots.difference_from(table, column="width", ax=ax)
    with pytest.raises(ValueError, match="b: no row has strategy 'best'"):
        plots.difference_from(table, "best", ax=ax)
