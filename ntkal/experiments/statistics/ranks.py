"""Do two scores order the pool alike? Rank correlation, and how much their best candidates overlap."""

import numpy as np

from ntkal.inputs import as_float64, check_int


def rank_correlation(a, b) -> float:
    r"""Give Spearman's rank correlation of two scores of the same candidates, from -1 to 1.

    :math:`\rho = \operatorname{corr}(R(a), R(b))`, with :math:`R` the ranks and equal scores given the mean
    of the ranks that they share: counts of flips have many ties.

    Args:
        a: Scores, shape (m,), finite, not all equal.
        b: Scores of the same candidates, shape (m,), likewise.

    Raises:
        ValueError: When the shapes differ, a score is not finite, or all scores of one are equal.

    Source:
        Spearman (1904), The proof and measurement of association between two things.

    Example:
        >>> rank_correlation([1, 2, 3, 4], [10, 20, 40, 30])
        0.8
    """
    from scipy.stats import spearmanr

    a, b = _scores(a, b)
    for name, v in (("a", a), ("b", b)):
        if np.ptp(v) == 0:
            raise ValueError(
                f"{name}: all {v.size} scores are equal, so they put the candidates in no order."
            )
    return float(round(spearmanr(a, b).statistic, 12))


def top_overlap(a, b, k: int) -> float:
    r"""Give the share of the k best candidates of one score that are among the k best of the other.

    Ties at the border are broken at random, independently for the two, and the expected share is given:
    :math:`\frac1k \sum_i w^a_i w^b_i`, where :math:`w_i` is 1 for a candidate above the border, 0 for one
    below, and for those on it the places left divided by their number. Two scores that have nothing to do
    with each other share k / m of their best on average.

    Args:
        a: Scores, shape (m,), finite, larger is better.
        b: Scores of the same candidates, shape (m,).
        k: Number of best candidates, from 1 to m.

    Returns:
        A number from 0 to 1. It is below 1 for ``a`` against itself when a tie lies across its border.

    Example:
        >>> top_overlap([4, 3, 2, 1], [4, 1, 2, 3], 2)
        0.5
        >>> top_overlap([1, 0, 0, 0], [1, 0, 0, 0], 2)  # the second best is any of three
        0.66...
    """
    from scipy.stats import rankdata

    a, b = _scores(a, b)
    k = check_int("k", k, low=1, high=a.size)
    chances = []
    for scores in (a, b):
        first, last = (rankdata(-scores, method=method) for method in ("min", "max"))
        chances.append(np.clip((k - first + 1) / (last - first + 1), 0.0, 1.0))
    return float(chances[0] @ chances[1] / k)


def _scores(a, b) -> tuple[np.ndarray, np.ndarray]:
    a, b = np.asarray(as_float64("a", a, (None,))), np.asarray(as_float64("b", b, (None,)))
    if a.shape != b.shape or a.size < 2:
        raise ValueError(
            f"a, b: scores of {a.size} and of {b.size} candidates; give both scores of the same ones, "
            "two at least."
        )
    return a, b
