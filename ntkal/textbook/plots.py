"""Learning curves, and differences from a baseline, with their bands: the plots of every chapter."""

from collections.abc import Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from ntkal.experiments.statistics import paired, require, summary
from ntkal.textbook.style import look, use_style

__all__ = ["difference_from", "learning_curves", "look", "use_style"]

_LABELS = {"accuracy": "Test accuracy (%)", "labels": "Labels (number)"}
_PERCENT = frozenset({"accuracy"})


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
    curves = summary(table, [column, by], value, level)
    names = present(curves, column, order)
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
        value: As in :func:`learning_curves`, and so are the others; differences of ``accuracy`` are drawn in
            percentage points.
        column: Column that makes the curves.
        by: Column of the horizontal axis.
        level: Coverage of the band, over the differences within seeds.
        order: Values to draw; all but the baseline if not given.
        ax: Axes to draw on.

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
    require(table, [column, by, "seed", value])
    names = [name for name in present(table, column, order) if name != baseline]
    ax.axhline(0.0, **{**look(baseline), "marker": ""}, linewidth=1.2, label=baseline)
    for name in names:
        rows = paired(table, name, baseline, column=column, by=by, value=value, level=level)
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


def present(
    table: pd.DataFrame, column: str, order: Sequence[str] | None = None, *, argument: str = "order"
) -> list[str]:
    """Give the values of a column in order, after checking that each is there.

    Args:
        table: Rows of runs.
        column: Column whose values are asked for.
        order: Values to keep; all, in the order of the table, if not given.
        argument: What the caller calls ``order``, for messages.

    Raises:
        ValueError: When a value is missing, or none is asked for.

    Example:
        >>> present(pd.DataFrame({"series": ["random", "gp", "gp"]}), "series")
        ['random', 'gp']
    """
    there = list(table[column].unique())
    names = there if order is None else list(order)
    absent = [name for name in names if name not in there]
    if absent or not names:
        wrong = f"no row has {column} {absent[0]!r}" if absent else f"it names no {column}"
        raise ValueError(f"{argument}: {wrong}; the table has {', '.join(map(str, there))}.")
    return names


def _scale(value: str) -> float:
    return 100.0 if value in _PERCENT else 1.0
