"""Do two scores order the pool alike? Rank correlation, and how much their best candidates overlap."""

import numpy as np
from scipy import stats

from ntkal.inputs import as_float64, check_int


def rank_correlation(a, b) -> float:
    r"""Give Spearman's rank correlation of two scores (m,) of the same candidates, from -1 to 1.

    :math:`\rho = \operatorname{corr}(R(a), R(b))`, with :math:`R` the ranks and equal scores given the mean
    of the ranks that they share: counts of flips have many ties. Scores are finite and not all equal.

    Example:
        >>> rank_correlation([1, 2, 3, 4], [10, 20, 40, 30])
        0.8
    """
    a, b = _scores(a, b)
    for name, v in (("a", a), ("b", b)):
        if np.ptp(v) == 0:
            raise ValueError(f"{name}: all {v.size} scores are equal; they put the candidates in no order.")
    return float(round(stats.spearmanr(a, b).statistic, 12))


def top_overlap(a, b, k: int) -> float:
    r"""Give the share of the k best candidates of one score that are among the k best of the other.

    Ties at the border are broken at random, independently for the two, and the expected share is given:
    :math:`\frac1k \sum_i w^a_i w^b_i`, where :math:`w_i` is 1 for a candidate above the border, 0 for one
    below, and for those on it the places left divided by their number. Two scores (m,) that have nothing to
    do with each other share k / m of their best on average; one with a tie across its border shares less
    than 1 with itself.

    Example:
        >>> top_overlap([1, 0, 0, 0], [1, 0, 0, 0], 2)  # the second best is any of three
        0.66...
    """
    a, b = _scores(a, b)
    k = check_int("k", k, low=1, high=a.size)
    chances = []
    for scores in (a, b):
        first, last = (stats.rankdata(-scores, method=method) for method in ("min", "max"))
        chances.append(np.clip((k - first + 1) / (last - first + 1), 0.0, 1.0))
    return float(chances[0] @ chances[1] / k)


def _scores(a, b) -> tuple[np.ndarray, np.ndarray]:
    a, b = np.asarray(as_float64("a", a, (None,))), np.asarray(as_float64("b", b, (None,)))
    if a.shape != b.shape or a.size < 2:
        raise ValueError(
            f"a, b: scores of {a.size} and {b.size} candidates; give both of the same, 2 or more."
        )
    return a, b
