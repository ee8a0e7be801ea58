"""One style for every figure and one look for each series, legible in grey and for the colour-blind."""

from collections.abc import Sequence

import seaborn as sns

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


def use_style() -> None:
    """Set the book's look for every figure that follows: seaborn, white ground, colour-blind safe.

    The ground is white and opaque because pages in dark mode invert their figures.

    Example:
        >>> use_style()
        >>> sns.axes_style()["figure.facecolor"]
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
