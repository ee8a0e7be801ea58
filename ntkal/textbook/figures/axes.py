"""What the figures share: their style, the choice of series, the words for a difference."""

import functools
from collections.abc import Callable, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ntkal.experiments import statistics
from ntkal.textbook.plots import present
from ntkal.textbook.style import use_style


def styled(function: Callable) -> Callable:
    """Make a function draw in the book's style whatever the style of its caller, and leave that as it was.

    Example:
        >>> styled(lambda: mpl.rcParams["figure.facecolor"])()
        'white'
    """

    @functools.wraps(function)
    def draw(*args, **kwargs):
        with mpl.rc_context():
            use_style()
            return function(*args, **kwargs)

    return draw


def chosen(
    table: pd.DataFrame, order: Sequence[str] | None = None, *, argument: str = "order"
) -> tuple[pd.DataFrame, list[str]]:
    """Give the rows of some series, after checking that every seed is there, and the series in order.

    Args:
        table: Rows of runs: ``series``, ``seed``, ``labels``, ``accuracy``.
        order: Series to keep; all, in the order of the table, if not given.
        argument: What the caller calls ``order``, for messages.

    Returns:
        The rows kept and the names of their series.

    Raises:
        ValueError: When a column, a series or a seed is missing, or a seed comes twice at one point.

    Example:
        >>> runs = pd.DataFrame({"series": ["random", "gp"], "seed": 0, "labels": 100, "accuracy": 0.8})
        >>> chosen(runs, ["gp"])[1]
        ['gp']
    """
    statistics.require(table, ["series", "seed", "labels", "accuracy"])
    names = present(table, "series", order, argument=argument)
    rows = table[table["series"].isin(names)]
    statistics.complete(rows)
    return rows, names


def points(difference: pd.Series) -> str:
    """Give a difference of accuracies in words, in percentage points with its interval if it has one.

    Example:
        >>> points(pd.Series({"mean": 0.021, "low": 0.003, "high": 0.039}))
        '+2.1 points [+0.3, +3.9]'
    """
    mean, low, high = (100 * difference[name] for name in ("mean", "low", "high"))
    words = f"{mean:+.1f} points" + ("" if pd.isna(low) else f" [{low:+.1f}, {high:+.1f}]")
    return words.replace("-", "\N{MINUS SIGN}")


def seconds(value: float) -> str:
    """Give a time with three digits, without powers of ten.

    Example:
        >>> seconds(0.0213), seconds(5432.1)
        ('0.0213 s', '5,432 s')
    """
    return f"{value:.3g} s" if value < 1000 else f"{value:,.0f} s"


def legend_above(ax: Axes, columns: int, names: Sequence[str] | None = None) -> None:
    """Put the legend above the axes, where it hides no curve, with samples long enough to show their dashes.

    Args:
        ax: The axes; ``names``, if given, go to their lines in order.
        columns: Number of columns.
        names: Words for the lines; those that they were drawn with if not given.

    Example:
        >>> from matplotlib.figure import Figure
        >>> ax = Figure().add_subplot()
        >>> _ = ax.plot([0, 1])
        >>> legend_above(ax, 1, ["Random"])
        >>> ax.get_legend().get_texts()[0].get_text()
        'Random'
    """
    lines = ax.get_legend_handles_labels() if names is None else (ax.lines, list(names))
    ax.legend(
        *lines,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=columns,
        handlelength=3.2,
        fontsize="small",
    )


def label_ticks(ax: Axes, labels, most: int, words: Sequence[str] | None = None) -> None:
    """Put ticks at numbers of labels that were measured, at every second or third if there are too many.

    Example:
        >>> from matplotlib.figure import Figure
        >>> ax = Figure().add_subplot()
        >>> label_ticks(ax, [100, 120, 140, 160], 2)
        >>> [int(tick) for tick in ax.get_xticks()]
        [100, 140]
    """
    labels = np.asarray(labels, dtype=np.float64)
    order = np.argsort(labels)[:: -(-len(labels) // most)]
    words = [f"{n:g}" for n in labels] if words is None else list(words)
    ax.set_xticks(labels[order], [words[i] for i in order])
