import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

mpl.use("agg")

import matplotlib.pyplot as plt

from ntkal import acquisition
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
    with pytest.raises(ValueError, match="baseline: no row has strategy 'best'"):
        plots.difference_from(table, "best", ax=ax)


FIGURES = {
    "1a": ["random", "ntk", "ntk_block", "ntk_refit", "retrain", "retrain_centred"],
    "1b": ["random", "ntk", "infinite", "step", "gp"],
    "2": ["random", "entropy", "margin", "badge", "bald", "ll4al", "mlmoc", "mlmoc_norm"],
    "3a": ["random", "sequential", "hallucinated", "batch", "margin", "badge"],
}


def test_every_strategy_has_its_own_look_even_in_grey():
    found = {name: plots.look(name) for name in acquisition.names()}
    in_grey = {(str(look["linestyle"]), look["marker"]) for look in found.values()}
    colours = {str(look["color"]) for look in found.values()}
    assert len(in_grey) == len(found)
    assert len(colours) == len(found)


def test_other_names_take_looks_that_differ():
    names = ["width 16", "random", "width 32", "width 64"]
    found = [plots.look(name, names) for name in names]
    assert len({(look["marker"], str(look["linestyle"])) for look in found}) == 4
    assert plots.look("random", names) == plots.look("random")


@pytest.mark.parametrize("figure", FIGURES)
def test_the_series_of_a_figure_differ_in_colour_and_in_marker_alone(figure):
    found = [plots.look(name) for name in FIGURES[figure]]
    assert len({str(look["color"]) for look in found}) == len(found)
    assert len({look["marker"] for look in found}) == len(found)


def test_no_two_series_of_the_book_share_dash_and_marker():
    found = [plots.look(name) for name in plots.SERIES]
    assert len({(str(look["linestyle"]), look["marker"]) for look in found}) == len(found)
    assert set(acquisition.names()) <= set(plots.SERIES)


def test_every_series_of_the_book_has_its_own_words():
    words = {name: plots.caption(name) for name in plots.SERIES}
    assert len(set(words.values())) == len(words)
    assert not [name for name, word in words.items() if word == name]
    assert plots.caption("width 16") == "width 16"
