"""The book's figures: one style, one look for each strategy, legible in grey and for the colour-blind."""

from collections.abc import Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from ntkal import results

_COLOURS = sns.color_palette("colorblind")
_DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

# A strategy keeps its look through the whole book: colour, dash and marker each tell neighbours apart.
_LOOKS = {
    "random": ("0.35", ":", "o"),
    "mlmoc": (_COLOURS[0], "-", "s"),
    "mlmoc_norm": (_COLOURS[9], "--", "D"),
    "margin": (_COLOURS[1], "--", "^"),
    "entropy": (_COLOURS[2], "-.", "v"),
    "least_confident": (_COLOURS[5], (0, (5, 1, 1, 1, 1, 1)), "<"),
    "badge": (_COLOURS[3], "-.", "P"),
    "coreset": (_COLOURS[8], "--", "X"),
    "emoc": (_COLOURS[4], "-", ">"),
    "eer": (_COLOURS[6], "-.", "*"),
}
_LABELS = {"accuracy": "Test accuracy (%)", "labels": "Labels (number)"}
_PERCENT = frozenset({"accuracy"})


def use_style() -> None:
    """Set the book's look for every figure that follows: seaborn, white ground, colour-blind safe.

    The ground is white and opaque because pages in dark mode invert their figures.

    Example:
        >>> use_style()
        >>> mpl.rcParams["figure.facecolor"]
        'white'
    """
    sns.set_theme(
        context="notebook",
        style="whitegrid",
        palette="colorblind",
        rc={
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
        },
    )


def look(name: str, others: Sequence[str] = ()) -> dict:
    """Give the colour, dash and marker of a curve.

    Args:
        name: The curve's name; a strategy has a fixed look.
        others: All names in the figure, in order; a name that is no strategy takes a look by its place here.

    Returns:
        Keyword arguments for :meth:`matplotlib.axes.Axes.plot`.

    Example:
        >>> look("random")["linestyle"]
        ':'
    """
    if name in _LOOKS:
        colour, dash, marker = _LOOKS[name]
    else:
        taken = [other for other in others if other not in _LOOKS]
        place = taken.index(name) if name in taken else 0
        colour = _COLOURS[place % len(_COLOURS)]
        dash, marker = _DASHES[place % len(_DASHES)], _MARKERS[place % len(_MARKERS)]
    return {"color": colour, "linestyle": dash, "marker": marker}


def learning_curves(
    table: pd.DataFrame,
    *,
    value: str = "accuracy",
    column: str = "strategy",
    by: str = "labels",
    level: float = 0.95,
    order: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the mean over seeds against the number of labels, with the band of its interval.

    Args:
        table: Rows of runs, as :func:`ntkal.run` gives them.
        value: Column to draw; ``accuracy`` is drawn in per cent.
        column: Column that makes the curves.
        by: Column of the horizontal axis.
        level: Coverage of the band (Student's t over seeds); a single seed has no band.
        order: Values of ``column`` to draw, in the order of the legend; all of them if not given.
        ax: Axes to draw on; the current ones if not given.

    Returns:
        The axes.

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
    ax = plt.gca() if ax is None else ax
    curves = results.summary(table, [column, by], value, level)
    names = _names(curves, column, order)
    for name in names:
        _curve(ax, curves[curves[column] == name], by, look(name, names), name, _scale(value))
    _dress(ax, by, _LABELS.get(value, value))
    return ax


def difference_from(
    table: pd.DataFrame,
    baseline: str = "random",
    *,
    value: str = "accuracy",
    column: str = "strategy",
    by: str = "labels",
    level: float = 0.95,
    order: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the paired difference from a baseline against the number of labels, with the band of its interval.

    Args:
        table: Rows of runs; every curve needs the baseline's seeds.
        baseline: Value of ``column`` that is the zero line.
        value: Column to draw; differences of ``accuracy`` are drawn in percentage points.
        column: Column that makes the curves.
        by: Column of the horizontal axis.
        level: Coverage of the band (Student's t over the differences within seeds).
        order: Values of ``column`` to draw; all but the baseline if not given.
        ax: Axes to draw on; the current ones if not given.

    Returns:
        The axes.

    Raises:
        ValueError: As :func:`ntkal.results.paired` does.

    Example:
        >>> runs = pd.DataFrame({"seed": [0, 0], "strategy": ["margin", "random"], "labels": 100,
        ...                      "accuracy": [0.9, 0.8]})
        >>> ax = difference_from(runs)
        >>> ax.get_ylabel()
        'Accuracy above random (percentage points)'
        >>> plt.close(ax.figure)
    """
    ax = plt.gca() if ax is None else ax
    results.require(table, [column, by, "seed", value])
    names = [name for name in _names(table, column, order) if name != baseline]
    ax.axhline(0.0, **{**look(baseline), "marker": ""}, linewidth=1.2, label=baseline)
    for name in names:
        rows = results.paired(table, name, baseline, column=column, by=by, value=value, level=level)
        _curve(ax, rows, by, look(name, names), name, _scale(value))
    unit = " (percentage points)" if value in _PERCENT else ""
    _dress(ax, by, f"{value.capitalize()} above {baseline}{unit}")
    return ax


def _curve(ax: Axes, rows: pd.DataFrame, by: str, style: dict, name: str, scale: float) -> None:
    rows = rows.sort_values(by)
    ax.plot(rows[by], scale * rows["mean"], label=str(name), **style)
    if (rows["n"] > 1).any():
        low, high = scale * rows["low"], scale * rows["high"]
        ax.fill_between(rows[by], low, high, color=style["color"], alpha=0.15, linewidth=0)


def _dress(ax: Axes, by: str, ylabel: str) -> None:
    ax.set_xlabel(_LABELS.get(by, by))
    ax.set_ylabel(ylabel)
    # Labels come in whole numbers, and a tick at 102.5 labels would be nonsense.
    ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    ax.legend()


def _names(table: pd.DataFrame, column: str, order: Sequence[str] | None) -> list[str]:
    present = list(table[column].unique())
    if order is None:
        return present
    absent = [name for name in order if name not in present]
    if absent:
        raise ValueError(
            f"order: no row has {column} {absent[0]!r}; the table has {', '.join(map(str, present))}."
        )
    return list(order)


def _scale(value: str) -> float:
    return 100.0 if value in _PERCENT else 1.0
