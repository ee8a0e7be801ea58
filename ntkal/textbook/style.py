"""One style for every figure and one look for each series, legible in grey and for the colour-blind."""

from collections.abc import Sequence

import seaborn as sns

_COLOURS = sns.color_palette("colorblind")
_DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

# A series keeps its look through the whole book. No two share dash and marker, so that grey is enough.
LOOKS = {
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
    "bald": ((0.40, 0.40, 0.05), (0, (5, 1, 1, 1, 1, 1)), "h"),
    "ll4al": ((0.10, 0.10, 0.10), ":", "p"),
    # Ways to reveal labels within a cycle (figure 3a).
    "sequential": (_COLOURS[2], "-", "D"),
    "batch": (_COLOURS[0], "--", "s"),
    "hallucinated": (_COLOURS[4], (0, (5, 1, 1, 1, 1, 1)), "v"),
    # Ways to look ahead (figures 1a and 1b).
    "ntk": (_COLOURS[0], "-", "v"),
    "ntk_block": (_COLOURS[9], "--", "<"),
    "ntk_refit": (_COLOURS[2], "-.", "d"),
    "retrain": (_COLOURS[1], (0, (5, 1, 1, 1, 1, 1)), "X"),
    "retrain_centred": (_COLOURS[4], "--", "p"),
    "step": (_COLOURS[3], "--", "P"),
    "infinite": (_COLOURS[5], "-.", ">"),
    "gp": (_COLOURS[4], "-", "*"),
}
_CAPTIONS = {
    "random": "Random",
    "mlmoc": "MLMOC",
    "mlmoc_norm": "MLMOC, norm form",
    "margin": "Margin",
    "entropy": "Entropy",
    "least_confident": "Least confident",
    "badge": "BADGE",
    "coreset": "Core-set",
    "emoc": "EMOC",
    "eer": "EER",
    "bald": "BALD",
    "ll4al": "LL4AL",
    "sequential": "Sequential",
    "batch": "Batch",
    "hallucinated": "Hallucinated",
    "ntk": "NTK, this book's form",
    "ntk_block": "NTK, block form",
    "ntk_refit": "NTK, refitted",
    "retrain": "Retraining",
    "retrain_centred": "Retraining, centred",
    "step": "One SGD step",
    "infinite": "Infinite NTK",
    "gp": "GP, infinite NTK",
}


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
    if name in LOOKS:
        colour, dash, marker = LOOKS[name]
    else:
        taken = [other for other in others if other not in LOOKS]
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
    return _CAPTIONS.get(name, str(name))
