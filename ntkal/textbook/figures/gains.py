"""The figures of the paper that show a gain over random picks; arguments and errors are those of ``draw``."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ntkal.experiments import statistics
from ntkal.textbook.figures.axes import chosen, label_ticks, legend_above, styled
from ntkal.textbook.style import caption, look


@styled
def over_random(
    table: pd.DataFrame,
    baseline: str = "random",
    *,
    order: Sequence[str] | None = None,
    level: float = 0.95,
) -> Figure:
    r"""Draw each series' difference from random picks against labels, with intervals: figures 2a to 2c.

    Under each number of labels stands the accuracy of random picks in per cent, as in the paper. The points
    of one number of labels are set a little apart so that no interval hides another.

    Args:
        table: ``series``, ``seed``, ``labels``, ``accuracy``.
        baseline: The series that is the zero line.
        order: Series to draw; all but the baseline if not given.
        level: Coverage of the intervals, over the differences within seeds.

    Returns:
        A figure of one panel; its points are those of :func:`ntkal.experiments.statistics.over_baseline`.

    Source:
        Mohamadi, Bae and Sutherland (2022), figure 2.

    Example:
        >>> runs = pd.DataFrame({"series": ["margin", "random"], "seed": 0, "labels": 120,
        ...                      "accuracy": [0.9, 0.8]})
        >>> figure = over_random(runs)
        >>> figure.axes[0].get_xticklabels()[0].get_text()
        '120\n80.0'
        >>> plt.close(figure)
    """
    names = statistics.rivals(table, baseline) if order is None else list(order)
    table, _ = chosen(table, [*names, baseline])
    rows = statistics.over_baseline(table, baseline, level=level)
    figure, ax = plt.subplots(figsize=(7.6, 4.4), layout="constrained")
    looks = {caption(name): look(name, names) for name in names}
    _intervals(ax, {caption(name): rows[rows["series"] == name] for name in names}, looks, 4)
    labels = rows.drop_duplicates("labels")
    under = [f"{row.labels:g}\n{100 * row.baseline:.1f}" for row in labels.itertuples()]
    label_ticks(ax, labels["labels"], 12, under)
    ax.set_xlabel(f"Labels (number), and below it the accuracy of {caption(baseline)} (%)")
    ax.set_ylabel(f"Accuracy above {caption(baseline)} (points)")
    return figure


@styled
def gain_by_width(
    table: pd.DataFrame,
    baseline: str = "random",
    *,
    strategy: str | None = None,
    level: float = 0.95,
) -> Figure:
    """Draw the gain over random picks against labels for networks of several widths: figure 3b.

    Each width is compared with random picks of its own networks. Wider is darker, and dash and marker differ.

    Args:
        table: ``width``, ``strategy``, ``seed``, ``labels``, ``accuracy``.
        baseline: The strategy that is the zero line of each width.
        strategy: The strategy whose gain is drawn; may be left out if the table has one beside the baseline.
        level: Coverage of the intervals, over the differences within seeds.

    Returns:
        A figure of one panel; its points are those of :func:`ntkal.experiments.statistics.paired` at each
        width.

    Raises:
        ValueError: When a column, a seed, a strategy or its baseline is missing at some width.

    Source:
        Mohamadi, Bae and Sutherland (2022), figure 3b.

    Example:
        >>> runs = pd.DataFrame({"strategy": ["mlmoc", "random"], "width": 16, "seed": 0, "labels": 120,
        ...                      "accuracy": [0.9, 0.8]})
        >>> figure = gain_by_width(runs)
        >>> figure.axes[0].get_legend().get_texts()[0].get_text()
        'width 16'
        >>> plt.close(figure)
    """
    statistics.require(table, ["width", "strategy", "seed", "labels", "accuracy"])
    if strategy is None:
        others = statistics.rivals(table, baseline, "strategy")
        if len(others) > 1:
            raise ValueError(f"strategy: the table has {', '.join(others)}; name the one to draw.")
        strategy = others[0]
    if table["width"].isna().any():
        raise ValueError("table: some rows have no width; set the width of every run.")
    table = table[table["strategy"].isin([strategy, baseline])]
    curves = table["strategy"].astype(str) + " at width " + table["width"].map("{:g}".format)
    statistics.complete(table.assign(curve=curves), "curve")
    rows = {
        f"width {width:g}": statistics.paired(part, strategy, baseline, level=level)
        for width, part in table.groupby("width")
    }
    names = list(rows)
    colours = sns.color_palette("crest", max(len(names), 2))
    looks = {name: {**look(name, names), "color": colours[place]} for place, name in enumerate(names)}
    figure, ax = plt.subplots(layout="constrained")
    _intervals(ax, rows, looks, 3)
    label_ticks(ax, table["labels"].unique(), 12)
    ax.set_xlabel("Labels (number)")
    ax.set_ylabel(f"{caption(strategy)} above {caption(baseline)} (points)")
    return figure


def _intervals(ax: Axes, rows: dict[str, pd.DataFrame], looks: dict[str, dict], columns: int) -> None:
    """Draw curves with error bars, in per cent, set apart by less than the points of one curve are."""
    labels = np.unique(np.concatenate([part["labels"].to_numpy(np.float64) for part in rows.values()]))
    step = np.diff(labels).min() if len(labels) > 1 else 1.0
    reach = min(0.25, 0.05 * (len(rows) - 1))
    shifts = step * np.linspace(-reach, reach, len(rows))
    ax.axhline(0.0, color="0.35", linewidth=1.2, zorder=1)
    for (name, part), shift in zip(rows.items(), shifts, strict=True):
        part = part.sort_values("labels")
        mean = 100 * part["mean"].to_numpy()
        known = part["low"].notna().all()
        bars = 100 * np.abs(part[["low", "high"]].to_numpy().T - part["mean"].to_numpy()) if known else None
        x = part["labels"].to_numpy(np.float64) + shift
        ax.errorbar(x, mean, yerr=bars, label=name, capsize=2.5, elinewidth=1.1, **looks[name])
    legend_above(ax, columns)
