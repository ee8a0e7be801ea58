import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from curves import runs

from ntkal.experiments import statistics
from ntkal.textbook import plots as looks
from ntkal.textbook.figures import draw

LABELS = (100, 120, 140, 160, 180)
WAYS = ("ntk", "ntk_block", "ntk_refit", "retrain", "random")


def means(table, name):
    return 100 * table[table.series == name].groupby("labels")["accuracy"].mean().to_numpy()


def colour(line):
    return mpl.colors.to_hex(line.get_color())


def test_curves_are_means_and_bands_are_intervals(check_words):
    table = runs(("sequential", "batch", "random"), labels=LABELS, seeds=4)
    order = list(table["series"].unique())
    figure = draw.curves(table)
    (ax,) = figure.axes
    for line, name in zip(ax.lines, order, strict=True):
        np.testing.assert_array_equal(line.get_xdata(), LABELS)
        np.testing.assert_allclose(line.get_ydata(), means(table, name))
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    expected = statistics.summary(table[table.series == order[0]], "labels")
    assert band.max() == pytest.approx(100 * expected["high"].max())
    assert band.min() == pytest.approx(100 * expected["low"].min())
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [name.capitalize() for name in order]
    check_words(figure)


def test_bars_are_the_seconds_of_the_table(check_words):
    table = runs(WAYS, labels=LABELS)
    table.loc[table.series == "random", "seconds_kernel"] = 0.0
    table.loc[table.series == "retrain", "seconds_query"] *= 1000
    order = list(table["series"].unique())
    figure = draw.accuracy_and_seconds(table)
    left, right = figure.axes
    seconds = statistics.seconds_per_cycle(table).set_index("series").loc[order]
    kernel, query = right.containers
    # A series without a kernel has no bar for one: on a logarithmic axis there is no length zero.
    np.testing.assert_allclose([bar.get_width() for bar in kernel], seconds["kernel"].drop("random"))
    np.testing.assert_allclose([bar.get_width() for bar in query], seconds["query"])
    centres = [bar.get_y() + bar.get_height() / 2 for bar in query]
    np.testing.assert_allclose(np.diff(centres), 1.0)
    assert right.get_xscale() == "log"
    assert [text.get_text() for text in right.get_yticklabels()] == [looks.caption(name) for name in order]
    place = order.index("ntk_refit")
    assert right.texts[place].get_text() == f"{seconds['total'].iloc[place]:.3g} s"
    assert right.yaxis_inverted()
    np.testing.assert_allclose(left.lines[0].get_ydata(), means(table, order[0]))
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


def test_panels_wrap_and_each_shows_its_own_series():
    table = runs(("a", "b", "c", "d", "e", "random"), labels=LABELS)
    figure = draw.beside_random(table)
    seen = [ax for ax in figure.axes if ax.axison]
    assert (len(seen), len(figure.axes)) == (5, 8)
    for ax in seen:
        np.testing.assert_allclose(ax.lines[0].get_ydata(), means(table, ax.get_title()[0]))
        np.testing.assert_allclose(ax.lines[1].get_ydata(), means(table, "random"))


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


def test_a_table_of_baselines_has_nothing_beside_them():
    with pytest.raises(ValueError, match=r"only baselines \(random"):
        draw.beside_random(runs(("random",)))


def test_drawing_leaves_the_callers_style_alone():
    before = dict(mpl.rcParams)
    figure = draw.curves(runs())
    assert dict(mpl.rcParams) == before
    assert figure.get_facecolor() == (1.0, 1.0, 1.0, 1.0)


def test_one_seed_is_drawn_without_bands():
    figure = draw.curves(runs(seeds=1))
    assert not figure.axes[0].collections
    assert "[" not in draw.beside_random(runs(("gp", "random"), seeds=1)).axes[0].get_title()


MANY = tuple(range(1000, 11_001, 1000))


def containers(figure):
    """Of each curve: label, places, means, lower and upper ends of its bars."""
    for container in figure.axes[0].containers:
        line, _, (bars,) = container
        ends = np.array([segment[:, 1] for segment in bars.get_segments()])
        yield container.get_label(), line.get_xdata(), line.get_ydata(), ends[:, 0], ends[:, 1]


def test_points_and_bars_are_paired_differences_and_the_baseline_stands_below(check_words):
    table = runs(("random", "margin", "badge", "mlmoc"), labels=MANY, seeds=5)
    figure = draw.over_random(table)
    drawn = list(containers(figure))
    order = [name for name in table["series"].unique() if name != "random"]
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == [
        *map(looks.caption, order)
    ]
    for (_, x, mean, low, high), name in zip(drawn, order, strict=True):
        rows = statistics.paired(table, name, "random", column="series").sort_values("labels")
        np.testing.assert_allclose(mean, 100 * rows["mean"])
        np.testing.assert_allclose(low, 100 * rows["low"])
        np.testing.assert_allclose(high, 100 * rows["high"])
        # Set apart, but by less than half of the way to the next number of labels.
        assert np.abs(x - MANY).max() < 500
    assert len({tuple(x) for _, x, *_ in drawn}) == 3
    random = table[table.series == "random"].groupby("labels")["accuracy"].mean()
    ticks = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert ticks == [f"{n}\n{100 * random[n]:.1f}" for n in MANY]
    check_words(figure)


def test_many_numbers_of_labels_get_fewer_ticks_with_the_right_accuracies(check_words):
    labels = tuple(range(100, 601, 20))
    table = runs(("random", "mlmoc"), labels=labels)
    figure = draw.over_random(table)
    random = table[table.series == "random"].groupby("labels")["accuracy"].mean()
    ticks = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert 5 < len(ticks) <= 12
    assert ticks == [f"{n}\n{100 * random[n]:.1f}" for n in labels[::3]]
    check_words(figure)


def widths(*given, seeds=4):
    parts = [runs(("mlmoc", "random"), seeds, width=width) for width in given]
    for shift, part in enumerate(parts):
        part["accuracy"] += 0.01 * shift * (part["series"] == "mlmoc") * part["cycle"]
    return pd.concat(parts, ignore_index=True).rename(columns={"series": "strategy"})


def test_each_width_is_compared_with_its_own_baseline(check_words):
    table = widths(640, 16, 64)
    figure = draw.gain_by_width(table)
    drawn = list(containers(figure))
    assert [name for name, *_ in drawn] == ["width 16", "width 64", "width 640"]
    for (_, _, mean, low, _), width in zip(drawn, (16, 64, 640), strict=True):
        rows = statistics.paired(table[table.width == width], "mlmoc", "random").sort_values("labels")
        np.testing.assert_allclose(mean, 100 * rows["mean"])
        np.testing.assert_allclose(low, 100 * rows["low"])
    check_words(figure)


def test_widths_are_told_apart_in_grey():
    figure = draw.gain_by_width(widths(16, 32, 64, 128, 256))
    lines = [container[0] for container in figure.axes[0].containers]
    assert len({(line.get_marker(), str(line._unscaled_dash_pattern)) for line in lines}) == 5
    brightness = [np.dot(line.get_color()[:3], [0.299, 0.587, 0.114]) for line in lines]
    assert (np.diff(brightness) < -0.02).all()


def test_a_width_that_lacks_a_seed_or_its_baseline_is_told():
    table = widths(16, 64)
    gone = (table.width == 64) & (table.strategy == "random") & (table.seed == 3) & (table.labels == 140)
    with pytest.raises(ValueError, match="curve 'random at width 64' at labels 140 lacks seed 3"):
        draw.gain_by_width(table[~gone])
    with pytest.raises(ValueError, match="b: no row has strategy 'random'"):
        draw.gain_by_width(table[~((table.width == 64) & (table.strategy == "random"))])
    with pytest.raises(ValueError, match="some rows have no width"):
        draw.gain_by_width(table.assign(width=[np.nan, *table["width"][1:]]))


def test_which_strategy_must_be_clear():
    table = pd.concat([widths(16), widths(16).query("strategy == 'mlmoc'").assign(strategy="margin")])
    with pytest.raises(ValueError, match="table: expected one strategy beside random, got mlmoc, margin"):
        draw.gain_by_width(table)
    figure = draw.gain_by_width(table[table.strategy != "mlmoc"])
    assert figure.axes[0].get_ylabel() == "Margin above Random (points)"


def test_one_seed_has_no_bars():
    figure = draw.over_random(runs(("random", "mlmoc"), seeds=1))
    (container,) = figure.axes[0].containers
    assert not container.has_yerr
