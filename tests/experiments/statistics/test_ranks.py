from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from ntkal.experiments import statistics


def brute_overlap(a, b, k):
    """The mean over all ways of breaking ties, which are as many as there are orders of the candidates."""

    def tops(scores):
        orders = permutations(range(len(scores)))
        return [set(sorted(order, key=lambda i: -scores[i])[:k]) for order in orders]

    return np.mean([[len(one & other) / k for other in tops(b)] for one in tops(a)])


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_overlap_is_the_mean_over_every_way_of_breaking_ties(rng, k):
    for _ in range(4):
        a, b = rng.integers(0, 3, (2, 5)).astype(float)
        assert statistics.top_overlap(a, b, k) == pytest.approx(brute_overlap(a, b, k), abs=1e-12)


def test_overlap_without_ties_is_a_count(rng):
    a, b = rng.normal(size=(2, 50))
    expected = len(set(np.argsort(a)[-10:]) & set(np.argsort(b)[-10:])) / 10
    assert statistics.top_overlap(a, b, 10) == expected
    assert statistics.top_overlap(a, a, 10) == 1.0
    assert statistics.top_overlap(a, -a, 10) == 0.0


def test_scores_that_say_nothing_overlap_by_chance(rng):
    assert statistics.top_overlap(np.zeros(40), rng.normal(size=40), 10) == pytest.approx(0.25)


def test_the_rank_correlation_is_the_correlation_of_mid_ranks(rng):
    a, b = rng.integers(0, 6, (2, 40)).astype(float)
    expected = np.corrcoef(stats.rankdata(a), stats.rankdata(b))[0, 1]
    assert statistics.rank_correlation(a, b) == pytest.approx(expected, abs=1e-11)
    assert statistics.rank_correlation(a, np.exp(a)) == 1.0
    assert statistics.rank_correlation(a, -a) == -1.0


def test_bad_scores_are_told(as_user):
    with pytest.raises(ValueError, match="b: all 3 scores are equal"):
        statistics.rank_correlation([1, 2, 3], [0, 0, 0])
    with pytest.raises(ValueError, match="a: 1 of 2 entries are NaN"):
        statistics.rank_correlation([1, np.nan], [0, 1])
    with pytest.raises(ValueError, match="scores of 3 and 2 candidates"):
        statistics.top_overlap([1, 2, 3], [1, 2], 1)
    with pytest.raises(ValueError, match="k: expected a whole number between 1 and 3, got 4"):
        statistics.top_overlap([1, 2, 3], [1, 2, 3], 4)
    with pytest.raises(ValueError, match="scores of 1 and 1 candidates; .* 2 or more"):
        statistics.top_overlap([1], [1], 1)
    with pytest.raises(ValueError, match="b: expected real numbers, got booleans"):
        statistics.rank_correlation([1, 2], [True, False])
    for k in (True, 1.0):
        with pytest.raises(ValueError, match="k: expected a whole number"):
            statistics.top_overlap([1, 2], [1, 2], k)
