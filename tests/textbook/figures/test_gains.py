import numpy as np
import pandas as pd
import pytest
from curves import runs

from ntkal.experiments import statistics
from ntkal.textbook.figures import draw

LABELS = tuple(range(1000, 11_001, 1000))


def containers(figure):
    """Of each curve: label, places, means, lower and upper ends of its bars."""
    for container in figure.axes[0].containers:
        line, _, (bars,) = container
        ends = np.array([segment[:, 1] for segment in bars.get_segments()])
        yield container.get_label(), line.get_xdata(), line.get_ydata(), ends[:, 0], ends[:, 1]


def test_points_and_bars_are_paired_differences_and_the_baseline_stands_below(check_words):
    table = runs(("random", "margin", "badge", "mlmoc"), labels=LABELS, seeds=5)
    figure = draw.over_random(table, order=["mlmoc", "margin", "badge"])
    drawn = list(containers(figure))
    assert [name for name, *_ in drawn] == ["MLMOC", "Margin", "BADGE"]
    for (_, x, mean, low, high), name in zip(drawn, ["mlmoc", "margin", "badge"], strict=True):
        rows = statistics.paired(table, name, "random", column="series").sort_values("labels")
        np.testing.assert_allclose(mean, 100 * rows["mean"])
        np.testing.assert_allclose(low, 100 * rows["low"])
        np.testing.assert_allclose(high, 100 * rows["high"])
        # Set apart, but by less than half of the way to the next number of labels.
        assert np.abs(x - LABELS).max() < 500
    assert len({tuple(x) for _, x, *_ in drawn}) == 3
    random = table[table.series == "random"].groupby("labels")["accuracy"].mean()
    ticks = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert ticks == [f"{n}\n{100 * random[n]:.1f}" for n in LABELS]
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
    with pytest.raises(ValueError, match="strategy: the table has .*; name the one to draw"):
        draw.gain_by_width(table)
    figure = draw.gain_by_width(table, strategy="margin")
    assert figure.axes[0].get_ylabel() == "Margin above Random (points)"
    with pytest.raises(ValueError, match="a: no row has strategy 'badge'"):
        draw.gain_by_width(table, strategy="badge")


def test_one_seed_has_no_bars():
    figure = draw.over_random(runs(("random", "mlmoc"), seeds=1))
    (container,) = figure.axes[0].containers
    assert not container.has_yerr
