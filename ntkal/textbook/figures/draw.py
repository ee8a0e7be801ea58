"""The figures of the paper from a tidy table of runs: one function for each kind of figure.

Each takes a table with a row for each cycle of each run (``series``, ``seed``, ``cycle``, ``labels``,
``accuracy`` and what else it names); ``order``, the series to draw in the order of the legend, all of them if
not given; and ``level``, the coverage of bands and intervals by Student's t over seeds. It returns a
Matplotlib figure. A column, a series or a seed that is missing is a ValueError.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ntkal.experiments import statistics
from ntkal.textbook import plots
from ntkal.textbook.figures.axes import chosen, label_ticks, legend_above, points, seconds, styled
from ntkal.textbook.figures.gains import gain_by_width, over_random
from ntkal.textbook.style import caption

__all__ = ["accuracy_and_seconds", "beside_random", "curves", "gain_by_width", "over_random"]


@styled
def curves(table: pd.DataFrame, *, order: Sequence[str] | None = None, level: float = 0.95) -> Figure:
    """Draw accuracy against labels for each series, with the bands of their intervals: figure 3a.

    Args:
        table: ``series``, ``seed``, ``labels``, ``accuracy``.
        order: Series to draw.
        level: Coverage of the bands.

    Source:
        Mohamadi, Bae and Sutherland (2022), figure 3a.

    Example:
        >>> runs = pd.DataFrame({"series": "random", "seed": [0, 0], "labels": [100, 120],
        ...                      "accuracy": [0.8, 0.9]})
        >>> figure = curves(runs)
        >>> figure.axes[0].lines[0].get_ydata().tolist()
        [80.0, 90.0]
        >>> plt.close(figure)
    """
    table, names = chosen(table, order)
    figure, ax = plt.subplots(layout="constrained")
    _lines(ax, table, names, level, 9)
    return figure


@styled
def accuracy_and_seconds(
    table: pd.DataFrame, *, order: Sequence[str] | None = None, level: float = 0.95
) -> Figure:
    """Draw accuracy against labels, and beside it the seconds that a cycle's choice takes: figure 1a.

    Seconds of the kernel and of the query are bars side by side, not stacked: on a logarithmic axis the
    length of a stacked part would depend on what it stands on. Their sum is written at the end of the bars.

    Args:
        table: ``series``, ``seed``, ``cycle``, ``labels``, ``accuracy``, ``seconds_kernel`` and
            ``seconds_query``.
        order: Series to draw.
        level: Coverage of the bands.

    Returns:
        A figure of two panels; a bar is a mean of :func:`ntkal.experiments.statistics.seconds_per_cycle`.

    Source:
        Mohamadi, Bae and Sutherland (2022), figure 1a.

    Example:
        >>> runs = pd.DataFrame({"series": "ntk", "seed": 0, "cycle": [0, 1], "labels": [100, 120],
        ...                      "accuracy": [0.8, 0.9], "seconds_kernel": 2.0, "seconds_query": 1.0})
        >>> figure = accuracy_and_seconds(runs)
        >>> [float(bar.get_width()) for bar in figure.axes[1].patches]
        [2.0, 1.0]
        >>> plt.close(figure)
    """
    table, names = chosen(table, order)
    times = statistics.seconds_per_cycle(table, level=level).set_index("series").loc[names]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.6, 4.4), layout="constrained", width_ratios=(5, 4))
    _lines(left, table, names, level, 9, columns=2)
    _bars(right, times)
    return figure


@styled
def beside_random(
    table: pd.DataFrame, pairs: Mapping[str, str] | None = None, *, level: float = 0.95
) -> Figure:
    r"""Draw each way of looking ahead beside its own random baseline, a small panel each: figure 1b.

    Above each panel stands the paired difference, averaged over the cycles in which labels were bought.

    Args:
        table: ``series``, ``seed``, ``cycle``, ``labels``, ``accuracy``.
        pairs: For each series the series of its baseline. If not given, that of ``gp`` is ``random_gp`` if
            the table has it, else ``random``, and so on for every series that is no baseline.
        level: Coverage of the bands and intervals.

    Returns:
        A figure of a panel for each pair; all share both axes.

    Source:
        Mohamadi, Bae and Sutherland (2022), figure 1b.

    Example:
        >>> runs = pd.DataFrame({"series": ["gp", "random_gp"], "seed": 0, "cycle": 1, "labels": 120,
        ...                      "accuracy": [0.9, 0.8]})
        >>> figure = beside_random(runs)
        >>> figure.axes[0].get_title()
        'GP, infinite NTK\n+10.0 points'
        >>> plt.close(figure)
    """
    statistics.require(table, ["series", "seed", "cycle", "labels", "accuracy"])
    pairs = _baselines(table) if pairs is None else dict(pairs)
    table, _ = chosen(table, list(dict.fromkeys([*pairs, *pairs.values()])), argument="pairs")
    columns = min(4, len(pairs))
    rows = -(-len(pairs) // columns)
    size = (1.2 + 2.5 * columns, 0.5 + 3.1 * rows)
    figure, grid = plt.subplots(
        rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False, layout="constrained"
    )
    for ax in grid.flat[len(pairs) :]:
        ax.set_axis_off()
    for ax, (name, baseline) in zip(grid.flat, pairs.items(), strict=False):
        pair = table[table["series"].isin([name, baseline])]
        gain = statistics.pooled(pair, name, baseline, level=level)
        # Whatever its own name, a random baseline looks like one.
        pair = pair.assign(series=pair["series"].replace({baseline: "random"}))
        _lines(ax, pair, [name, "random"], level, 4)
        ax.legend(ax.lines, ["look-ahead", "random"], fontsize="small", handlelength=3.2)
        ax.set_title(f"{caption(name)}\n{points(gain)}", fontsize="small")
        ax.label_outer()
    return figure


def _lines(
    ax: Axes, table: pd.DataFrame, names: Sequence[str], level: float, ticks: int, columns: int = 3
) -> None:
    plots.learning_curves(table, column="series", order=names, level=level, ax=ax)
    label_ticks(ax, table["labels"].unique(), ticks)
    legend_above(ax, columns, [caption(name) for name in names])


def _bars(ax: Axes, times: pd.DataFrame) -> None:
    places = np.arange(len(times), dtype=float)
    styles = {"kernel": {"color": "0.3"}, "query": {"color": "0.85", "hatch": "///"}}
    for shift, (part, style) in zip((-0.19, 0.19), styles.items(), strict=True):
        drawn = times[part].to_numpy() > 0
        widths = times[part].to_numpy()[drawn]
        ax.barh((places + shift)[drawn], widths, 0.36, label=part, edgecolor="0.2", linewidth=0.8, **style)
    for place, (_, row) in zip(places, times.iterrows(), strict=True):
        end = row[["kernel", "query"]].max()
        if end > 0:
            ax.annotate(seconds(row["total"]), (end, place), (5, 0), textcoords="offset points", va="center")
    ends = [bar.get_width() for bar in ax.patches]
    ax.set_xscale("log")
    if ends:
        # Room for the shortest bar to be seen, and for the words behind the longest.
        ax.set_xlim(min(ends) / 3, max(ends) * 6 * (max(ends) / min(ends)) ** 0.3)
    ax.set_yticks(places, [caption(name) for name in times.index])
    ax.set_ylim(len(times) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    ax.set_xlabel("Seconds for the choice of a cycle")
    legend_above(ax, 2)


def _baselines(table: pd.DataFrame) -> dict[str, str]:
    names = list(table["series"].unique())
    baselines = [name for name in names if str(name).split("_")[0] == "random"]
    pairs = {
        name: f"random_{name}" if f"random_{name}" in names else "random"
        for name in names
        if name not in baselines
    }
    if not pairs:
        raise ValueError(
            f"table: only baselines ({', '.join(map(str, names))}); it has no series to set beside."
        )
    return pairs
