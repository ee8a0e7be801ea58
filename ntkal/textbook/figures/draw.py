"""The figures of the paper, each drawn from a tidy table of runs.

The table has a row for each cycle of each run: ``series``, ``seed``, ``cycle``, ``labels``, ``accuracy`` and
what else a function names. Series stand in the table's order. Bands and bars are 95% intervals by Student's t
over seeds. The style is the book's, whatever that of the caller. Every function returns a Matplotlib figure,
and raises a ValueError when a column or a seed is missing.

Source:
    Mohamadi, Bae and Sutherland (2022), figures 1 to 3.
"""

import contextlib
from collections.abc import Iterator, Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ntkal.experiments import statistics
from ntkal.textbook.plots import caption, learning_curves, look, use_style

__all__ = ["accuracy_and_seconds", "beside_random", "curves", "gain_by_width", "over_random"]


@contextlib.contextmanager
def _styled() -> Iterator[None]:
    with mpl.rc_context():
        use_style()
        yield


@_styled()
def curves(table: pd.DataFrame) -> Figure:
    """Draw accuracy against labels for each series: figure 3a.

    Example:
        >>> runs = pd.DataFrame({"series": "random", "seed": [0, 0], "labels": [100, 120],
        ...                      "accuracy": [0.8, 0.9]})
        >>> figure = curves(runs)
        >>> figure.axes[0].lines[0].get_ydata().tolist()
        [80.0, 90.0]
        >>> plt.close(figure)
    """
    figure, ax = plt.subplots(layout="constrained")
    _lines(ax, table, _names(table), 9)
    return figure


@_styled()
def accuracy_and_seconds(table: pd.DataFrame) -> Figure:
    """Draw accuracy against labels, and beside it the seconds that a cycle's choice takes: figure 1a.

    The kernel's and the query's, ``seconds_kernel`` and ``seconds_query``, are bars side by side, not
    stacked: on a logarithmic axis the length of a stacked part would depend on what it stands on. A bar is a
    mean of :func:`ntkal.experiments.statistics.seconds_per_cycle`; the sum is written at the end of the bars.

    Example:
        >>> runs = pd.DataFrame({"series": "ntk", "seed": 0, "cycle": [0, 1], "labels": [100, 120],
        ...                      "accuracy": [0.8, 0.9], "seconds_kernel": 2.0, "seconds_query": 1.0})
        >>> figure = accuracy_and_seconds(runs)
        >>> [float(bar.get_width()) for bar in figure.axes[1].patches]
        [2.0, 1.0]
        >>> plt.close(figure)
    """
    names = _names(table)
    times = statistics.seconds_per_cycle(table).set_index("series").loc[names]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.6, 4.4), layout="constrained", width_ratios=(5, 4))
    _lines(left, table, names, 9, columns=2)
    _bars(right, times)
    return figure


@_styled()
def beside_random(table: pd.DataFrame) -> Figure:
    r"""Draw each way of looking ahead beside its own random baseline, a small panel each: figure 1b.

    The baseline of ``gp`` is ``random_gp`` if the table has it, else ``random``, and so on for every series
    that is no baseline. Above each panel stands the paired difference, averaged over the cycles in which
    labels were bought.

    Example:
        >>> runs = pd.DataFrame({"series": ["gp", "random_gp"], "seed": 0, "cycle": 1, "labels": 120,
        ...                      "accuracy": [0.9, 0.8]})
        >>> figure = beside_random(runs)
        >>> figure.axes[0].get_title()
        'GP, infinite NTK\n+10.0 points'
        >>> plt.close(figure)
    """
    statistics.require(table, ["cycle"])
    there = _names(table)
    names = [name for name in there if str(name).split("_")[0] != "random"]
    if not names:
        raise ValueError(f"table: only baselines ({', '.join(there)}); it has no series to set beside.")
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    size = (1.2 + 2.5 * columns, 0.5 + 3.1 * rows)
    figure, grid = plt.subplots(
        rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False, layout="constrained"
    )
    for ax in grid.flat[len(names) :]:
        ax.set_axis_off()
    for ax, name in zip(grid.flat, names, strict=False):
        baseline = f"random_{name}" if f"random_{name}" in there else "random"
        pair = table[table["series"].isin([name, baseline])]
        gain = 100 * statistics.pooled(pair, name, baseline)[["mean", "low", "high"]].astype(float)
        # Whatever its own name, a random baseline looks like one.
        pair = pair.assign(series=pair["series"].replace({baseline: "random"}))
        _lines(ax, pair, [name, "random"], 4)
        ax.legend(ax.lines, ["look-ahead", "random"], fontsize="small", handlelength=3.2)
        ends = "" if pd.isna(gain["low"]) else f" [{gain['low']:+.1f}, {gain['high']:+.1f}]"
        words = f"{gain['mean']:+.1f} points{ends}".replace("-", "\N{MINUS SIGN}")
        ax.set_title(f"{caption(name)}\n{words}", fontsize="small")
        ax.label_outer()
    return figure


@_styled()
def over_random(table: pd.DataFrame) -> Figure:
    r"""Draw each series' difference from ``random`` against labels: figures 2a to 2c.

    The points are those of :func:`ntkal.experiments.statistics.over_baseline`, set a little apart so that no
    interval hides another. Under each number of labels stands the accuracy of random picks in per cent, as in
    the paper.

    Example:
        >>> runs = pd.DataFrame({"series": ["margin", "random"], "seed": 0, "labels": 120,
        ...                      "accuracy": [0.9, 0.8]})
        >>> figure = over_random(runs)
        >>> figure.axes[0].get_xticklabels()[0].get_text()
        '120\n80.0'
        >>> plt.close(figure)
    """
    names = [name for name in _names(table) if name != "random"]
    rows = statistics.over_baseline(table, "random")
    figure, ax = plt.subplots(figsize=(7.6, 4.4), layout="constrained")
    looks = {name: look(name, names) for name in names}
    _intervals(ax, {name: rows[rows["series"] == name] for name in names}, looks, 4)
    labels = rows.drop_duplicates("labels")
    under = [f"{row.labels:g}\n{100 * row.baseline:.1f}" for row in labels.itertuples()]
    _label_ticks(ax, labels["labels"], 12, under)
    ax.set_xlabel("Labels (number), and below it the accuracy of Random (%)")
    ax.set_ylabel("Accuracy above Random (points)")
    return figure


@_styled()
def gain_by_width(table: pd.DataFrame) -> Figure:
    """Draw the gain over ``random`` against labels for networks of several widths: figure 3b.

    The table names them in ``width`` and has one ``strategy`` beside random picks. Each width is compared
    with random picks of its own networks, by :func:`ntkal.experiments.statistics.paired`. Wider is darker,
    and dash and marker differ.

    Example:
        >>> runs = pd.DataFrame({"strategy": ["mlmoc", "random"], "width": 16, "seed": 0, "labels": 120,
        ...                      "accuracy": [0.9, 0.8]})
        >>> figure = gain_by_width(runs)
        >>> figure.axes[0].get_legend().get_texts()[0].get_text()
        'width 16'
        >>> plt.close(figure)
    """
    statistics.require(table, ["width", "strategy", "seed", "labels", "accuracy"])
    strategy, *others = statistics.rivals(table, "random", "strategy")
    if others:
        raise ValueError(f"table: expected one strategy beside random, got {strategy}, {', '.join(others)}.")
    if table["width"].isna().any():
        raise ValueError("table: some rows have no width; set the width of every run.")
    names = table["strategy"].astype(str) + " at width " + table["width"].map("{:g}".format)
    statistics.complete(table.assign(curve=names), "curve")
    rows = {
        f"width {width:g}": statistics.paired(part, strategy, "random")
        for width, part in table.groupby("width")
    }
    colours = sns.color_palette("crest", max(len(rows), 2))
    looks = {name: look(name, list(rows)) | {"color": colours[place]} for place, name in enumerate(rows)}
    figure, ax = plt.subplots(layout="constrained")
    _intervals(ax, rows, looks, 3)
    _label_ticks(ax, table["labels"].unique(), 12)
    ax.set_xlabel("Labels (number)")
    ax.set_ylabel(f"{caption(strategy)} above Random (points)")
    return figure


def _names(table: pd.DataFrame) -> list[str]:
    """The series in order, after checking that each has every seed at each of its points."""
    statistics.require(table, ["series", "seed", "labels", "accuracy"])
    statistics.complete(table)
    return list(table["series"].unique())


def _lines(ax: Axes, table: pd.DataFrame, names: Sequence[str], ticks: int, columns: int = 3) -> None:
    learning_curves(table, column="series", order=names, ax=ax)
    _label_ticks(ax, table["labels"].unique(), ticks)
    _legend_above(ax, columns)


def _bars(ax: Axes, times: pd.DataFrame) -> None:
    places = np.arange(len(times), dtype=float)
    styles = {"kernel": {"color": "0.3"}, "query": {"color": "0.85", "hatch": "///"}}
    for shift, (part, style) in zip((-0.19, 0.19), styles.items(), strict=True):
        drawn = times[part].to_numpy() > 0
        widths = times[part].to_numpy()[drawn]
        ax.barh((places + shift)[drawn], widths, 0.36, label=part, edgecolor="0.2", linewidth=0.8, **style)
    for place, (_, row) in zip(places, times.iterrows(), strict=True):
        end, total = row[["kernel", "query"]].max(), row["total"]
        if end > 0:
            words = f"{total:.3g} s" if total < 1000 else f"{total:,.0f} s"
            ax.annotate(words, (end, place), (5, 0), textcoords="offset points", va="center")
    ends = [bar.get_width() for bar in ax.patches]
    ax.set_xscale("log")
    if ends:
        # Room for the shortest bar to be seen, and for the words behind the longest.
        ax.set_xlim(min(ends) / 3, max(ends) * 6 * (max(ends) / min(ends)) ** 0.3)
    ax.set_yticks(places, [caption(name) for name in times.index])
    ax.set_ylim(len(times) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    ax.set_xlabel("Seconds for the choice of a cycle")
    _legend_above(ax, 2)


def _intervals(ax: Axes, rows: dict[str, pd.DataFrame], looks: dict[str, dict], columns: int) -> None:
    """Draw curves with error bars, in per cent, set apart by less than the points of one curve are."""
    labels = np.unique(np.concatenate([part["labels"].to_numpy(np.float64) for part in rows.values()]))
    step = np.diff(labels).min() if len(labels) > 1 else 1.0
    reach = min(0.25, 0.05 * (len(rows) - 1))
    ax.axhline(0.0, color="0.35", linewidth=1.2, zorder=1)
    for (name, part), shift in zip(rows.items(), step * np.linspace(-reach, reach, len(rows)), strict=True):
        part = part.sort_values("labels")
        mean = 100 * part["mean"].to_numpy()
        known = part["low"].notna().all()
        bars = np.abs(100 * part[["low", "high"]].to_numpy().T - mean) if known else None
        x = part["labels"].to_numpy(np.float64) + shift
        ax.errorbar(x, mean, yerr=bars, label=name, capsize=2.5, elinewidth=1.1, **looks[name])
    _legend_above(ax, columns)


def _legend_above(ax: Axes, columns: int) -> None:
    """Put the legend above the axes, where it hides nothing, with samples long enough to show dashes."""
    lines, names = ax.get_legend_handles_labels()
    place = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "ncols": columns}
    ax.legend(lines, [caption(name) for name in names], handlelength=3.2, fontsize="small", **place)


def _label_ticks(ax: Axes, labels, most: int, words: Sequence[str] | None = None) -> None:
    """Put ticks at numbers of labels that were measured, at every second or third if there are too many."""
    labels = np.asarray(labels, dtype=np.float64)
    words = [f"{n:g}" for n in labels] if words is None else list(words)
    order = np.argsort(labels)[:: -(-len(labels) // most)]
    ax.set_xticks(labels[order], [words[i] for i in order])
