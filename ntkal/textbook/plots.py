"""One style for every figure, one look for each series, and the curves of runs with their bands."""

from collections.abc import Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from ntkal.experiments import statistics

_COLOURS = sns.color_palette("colorblind")
_LONG_AND_SHORT = (0, (5, 1, 1, 1, 1, 1))
_DASHES = ("-", "--", "-.", ":", _LONG_AND_SHORT)
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

# A series keeps its words and its look through the whole book. No two share dash and marker, so that grey is
# enough.
SERIES = {
    "random": ("Random", "0.35", ":", "o"),
    "mlmoc": ("MLMOC", _COLOURS[0], "-", "s"),
    "mlmoc_norm": ("MLMOC, norm form", _COLOURS[9], "--", "D"),
    "margin": ("Margin", _COLOURS[1], "--", "^"),
    "entropy": ("Entropy", _COLOURS[2], "-.", "v"),
    "least_confident": ("Least confident", _COLOURS[5], _LONG_AND_SHORT, "<"),
    "badge": ("BADGE", _COLOURS[3], "-.", "P"),
    "coreset": ("Core-set", _COLOURS[8], "--", "X"),
    "emoc": ("EMOC", _COLOURS[4], "-", ">"),
    "eer": ("EER", _COLOURS[6], "-.", "*"),
    "bald": ("BALD", (0.40, 0.40, 0.05), _LONG_AND_SHORT, "h"),
    "ll4al": ("LL4AL", (0.10, 0.10, 0.10), ":", "p"),
    # Ways to reveal labels within a cycle (figure 3a).
    "sequential": ("Sequential", _COLOURS[2], "-", "D"),
    "batch": ("Batch", _COLOURS[0], "--", "s"),
    "hallucinated": ("Hallucinated", _COLOURS[4], _LONG_AND_SHORT, "v"),
    # Ways to look ahead (figures 1a and 1b).
    "ntk": ("NTK, this book's form", _COLOURS[0], "-", "v"),
    "ntk_block": ("NTK, block form", _COLOURS[9], "--", "<"),
    "ntk_refit": ("NTK, refitted", _COLOURS[2], "-.", "d"),
    "retrain": ("Retraining", _COLOURS[1], _LONG_AND_SHORT, "X"),
    "retrain_centred": ("Retraining, centred", _COLOURS[4], "--", "p"),
    "step": ("One SGD step", _COLOURS[3], "--", "P"),
    "infinite": ("Infinite NTK", _COLOURS[5], "-.", ">"),
    "gp": ("GP, infinite NTK", _COLOURS[4], "-", "*"),
}
"""Of each series: words, colour, dash and marker."""

_STYLE = {
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.figsize": (6.4, 4.0),
    "figure.dpi": 110,
    "savefig.bbox": "tight",
    "axes.titlesize": "medium",
    "axes.edgecolor": "0.3",
    "grid.color": "0.88",
    "lines.linewidth": 1.8,
    "lines.markersize": 5.5,
    "legend.frameon": False,
}


def use_style() -> None:
    """Set the book's look for every figure that follows: seaborn, white ground, colour-blind safe.

    The ground is white and opaque because pages in dark mode invert their figures.

    Example:
        >>> use_style()
        >>> sns.axes_style()["figure.facecolor"]
        'white'
    """
    sns.set_theme(context="notebook", style="whitegrid", palette="colorblind", rc=_STYLE)


def look(name: str, others: Sequence[str] = ()) -> dict:
    """Give the colour, dash and marker of a curve.

    Args:
        name: The curve's name; a strategy or another series of the book has a fixed look.
        others: All names in the figure, in order; a name without a fixed look takes a look by its place here.

    Returns:
        Keyword arguments for :meth:`matplotlib.axes.Axes.plot`.

    Example:
        >>> look("random")["linestyle"]
        ':'
    """
    if name in SERIES:
        _, colour, dash, marker = SERIES[name]
    else:
        taken = [other for other in others if other not in SERIES]
        place = taken.index(name) if name in taken else 0
        colour = _COLOURS[place % len(_COLOURS)]
        dash, marker = _DASHES[place % len(_DASHES)], _MARKERS[place % len(_MARKERS)]
    return {"color": colour, "linestyle": dash, "marker": marker}


def caption(name: str) -> str:
    """Give the words for a series in a legend; a name that the book does not know stands for itself.

    Example:
        >>> caption("mlmoc_norm"), caption("width 16")
        ('MLMOC, norm form', 'width 16')
    """
    return SERIES[name][0] if name in SERIES else str(name)


def learning_curves(
    table: pd.DataFrame,
    *,
    column: str = "strategy",
    order: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw mean accuracies over seeds against the number of labels, with 95% intervals as bands.

    Args:
        table: Rows of runs, as :func:`ntkal.run` gives them.
        column: Column that makes the curves.
        order: Values of ``column`` to draw, in the order of the legend; all of them if not given.
        ax: Axes to draw on; the current ones if not given.

    Returns:
        The axes; accuracies are in per cent. The band is Student's t over seeds; a single seed has none.

    Raises:
        ValueError: When a column or a value of ``order`` is not in the table, or a group holds a seed twice.

    Example:
        >>> runs = pd.DataFrame({"seed": [0, 0], "strategy": "random", "labels": [100, 120],
        ...                      "accuracy": [0.8, 0.9]})
        >>> ax = learning_curves(runs)
        >>> ax.get_ylabel()
        'Test accuracy (%)'
        >>> plt.close(ax.figure)
    """
    means = statistics.summary(table, [column, "labels"])
    there = list(means[column].unique())
    names = there if order is None else list(order)
    if absent := [name for name in names if name not in there]:
        raise ValueError(
            f"order: no row has {column} {absent[0]!r}; the table has {', '.join(map(str, there))}."
        )
    curves = {name: means[means[column] == name] for name in names}
    return _curves(plt.gca() if ax is None else ax, curves, "Test accuracy (%)")


def difference_from(
    table: pd.DataFrame, baseline: str = "random", *, column: str = "strategy", ax: Axes | None = None
) -> Axes:
    """Draw paired differences from a baseline against the number of labels, with 95% intervals as bands.

    Args:
        table: Rows of runs; every curve needs the baseline's seeds.
        baseline: Value of ``column`` that is the zero line.
        column: Column that makes the curves.
        ax: Axes to draw on; the current ones if not given.

    Returns:
        The axes; differences are in percentage points, their bands over differences within seeds.

    Raises:
        ValueError: As :func:`ntkal.experiments.statistics.paired` does.

    Example:
        >>> runs = pd.DataFrame({"seed": [0, 0], "strategy": ["margin", "random"], "labels": 100,
        ...                      "accuracy": [0.9, 0.8]})
        >>> ax = difference_from(runs)
        >>> ax.get_ylabel()
        'Accuracy above random (percentage points)'
        >>> plt.close(ax.figure)
    """
    ax = plt.gca() if ax is None else ax
    names = statistics.rivals(table, baseline, column)
    ax.axhline(0.0, **{**look(baseline), "marker": ""}, linewidth=1.2, label=baseline)
    curves = {name: statistics.paired(table, name, baseline, column=column) for name in names}
    return _curves(ax, curves, f"Accuracy above {baseline} (percentage points)")


def _curves(ax: Axes, curves: dict[str, pd.DataFrame], ylabel: str) -> Axes:
    for name, rows in curves.items():
        rows, style = rows.sort_values("labels"), look(name, list(curves))
        ax.plot(rows["labels"], 100 * rows["mean"], label=str(name), **style)
        if (rows["n"] > 1).any():
            band = {"color": style["color"], "alpha": 0.15, "linewidth": 0}
            ax.fill_between(rows["labels"], 100 * rows["low"], 100 * rows["high"], **band)
    ax.set(xlabel="Labels (number)", ylabel=ylabel)
    # Labels come in whole numbers, and a tick at 102.5 labels would be nonsense.
    ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    ax.legend()
    return ax
