import matplotlib as mpl
import numpy as np
import pytest
from curves import runs

from ntkal.experiments import statistics
from ntkal.textbook import style as looks
from ntkal.textbook.figures import draw

LABELS = (100, 120, 140, 160, 180)
WAYS = ("ntk", "ntk_block", "ntk_refit", "retrain", "random")


def means(table, name):
    return 100 * table[table.series == name].groupby("labels")["accuracy"].mean().to_numpy()


def colour(line):
    return mpl.colors.to_hex(line.get_color())


def test_curves_are_means_and_bands_are_intervals(check_words):
    table = runs(("sequential", "batch", "random"), labels=LABELS, seeds=4)
    figure = draw.curves(table, order=["sequential", "random", "batch"])
    (ax,) = figure.axes
    for line, name in zip(ax.lines, ["sequential", "random", "batch"], strict=True):
        np.testing.assert_array_equal(line.get_xdata(), LABELS)
        np.testing.assert_allclose(line.get_ydata(), means(table, name))
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    expected = statistics.summary(table[table.series == "sequential"], "labels")
    assert band.max() == pytest.approx(100 * expected["high"].max())
    assert band.min() == pytest.approx(100 * expected["low"].min())
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["Sequential", "Random", "Batch"]
    check_words(figure)


def test_bars_are_the_seconds_of_the_table(check_words):
    table = runs(WAYS, labels=LABELS)
    table.loc[table.series == "random", "seconds_kernel"] = 0.0
    table.loc[table.series == "retrain", "seconds_query"] *= 1000
    order = ["retrain", "ntk_refit", "ntk_block", "ntk", "random"]
    figure = draw.accuracy_and_seconds(table, order=order)
    left, right = figure.axes
    seconds = statistics.seconds_per_cycle(table).set_index("series").loc[order]
    kernel, query = right.containers
    # A series without a kernel has no bar for one: on a logarithmic axis there is no length zero.
    np.testing.assert_allclose([bar.get_width() for bar in kernel], seconds["kernel"][:4])
    np.testing.assert_allclose([bar.get_width() for bar in query], seconds["query"])
    centres = [bar.get_y() + bar.get_height() / 2 for bar in query]
    np.testing.assert_allclose(np.diff(centres), 1.0)
    assert right.get_xscale() == "log"
    assert [text.get_text() for text in right.get_yticklabels()] == [looks.caption(name) for name in order]
    assert right.texts[1].get_text() == f"{seconds['total'].iloc[1]:.3g} s"
    assert right.yaxis_inverted()
    np.testing.assert_allclose(left.lines[0].get_ydata(), means(table, "retrain"))
    check_words(figure)


def test_each_way_of_looking_ahead_stands_beside_its_own_baseline(check_words):
    table = runs(("ntk", "gp", "step", "infinite", "random", "random_gp"), labels=LABELS)
    figure = draw.beside_random(table)
    titles = [ax.get_title() for ax in figure.axes]
    assert len(figure.axes) == 4
    for name, baseline in {
        "ntk": "random",
        "gp": "random_gp",
        "step": "random",
        "infinite": "random",
    }.items():
        (ax,) = [ax for ax in figure.axes if ax.get_title().startswith(looks.caption(name) + "\n")]
        line, dotted = ax.lines
        np.testing.assert_allclose(line.get_ydata(), means(table, name))
        np.testing.assert_allclose(dotted.get_ydata(), means(table, baseline))
        assert colour(dotted) == mpl.colors.to_hex(looks.look("random")["color"])
        gain = 100 * statistics.pooled(table, name, baseline)["mean"]
        assert (
            ax.get_title().split("\n")[1].startswith(f"{gain:+.1f} points [".replace("-", "\N{MINUS SIGN}"))
        )
    assert len(set(titles)) == 4
    assert len({ax.get_ylim() for ax in figure.axes}) == 1
    check_words(figure)


def test_pairs_can_be_named_and_panels_wrap():
    table = runs(("a", "b", "c", "d", "e", "plain"), labels=LABELS)
    figure = draw.beside_random(table, dict.fromkeys("abcde", "plain"))
    seen = [ax for ax in figure.axes if ax.axison]
    assert (len(seen), len(figure.axes)) == (5, 8)
    np.testing.assert_allclose(seen[4].lines[0].get_ydata(), means(table, "e"))
    np.testing.assert_allclose(seen[4].lines[1].get_ydata(), means(table, "plain"))


KINDS = [draw.curves, draw.accuracy_and_seconds, draw.beside_random, draw.over_random]


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_seed_is_an_error_and_no_smaller_mean(kind):
    table = runs(("ntk", "random"))
    kind(table)
    gone = (table.series == "ntk") & (table.labels == 120) & (table.seed == 1)
    with pytest.raises(ValueError, match="series 'ntk' at labels 120 lacks seed 1, which other rows have"):
        kind(table[~gone])
    with pytest.raises(ValueError, match="no column series"):
        kind(table.drop(columns="series"))


@pytest.mark.parametrize("kind", [draw.curves, draw.accuracy_and_seconds, draw.over_random])
def test_a_series_that_is_not_there_is_told(kind):
    with pytest.raises(ValueError, match="order: no row has series 'badge'; the table has"):
        kind(runs(("ntk", "random")), order=["badge"])


def test_a_table_of_baselines_has_nothing_beside_them():
    with pytest.raises(ValueError, match=r"only baselines \(random"):
        draw.beside_random(runs(("random",)))
    with pytest.raises(ValueError, match="pairs: no row has series 'gp'"):
        draw.beside_random(runs(("ntk", "random")), {"gp": "random"})
    with pytest.raises(ValueError, match="pairs: it names no series"):
        draw.beside_random(runs(("ntk", "random")), {})


def test_drawing_leaves_the_callers_style_alone():
    before = dict(mpl.rcParams)
    figure = draw.curves(runs())
    assert dict(mpl.rcParams) == before
    assert figure.get_facecolor() == (1.0, 1.0, 1.0, 1.0)


def test_one_seed_is_drawn_without_bands():
    figure = draw.curves(runs(seeds=1))
    assert not figure.axes[0].collections
    assert "[" not in draw.beside_random(runs(("gp", "random"), seeds=1)).axes[0].get_title()
