"""Checkers for the exercises of chapter 8, look-ahead acquisition and the price of retraining."""

from collections.abc import Callable, Mapping

import numpy as np
from scipy.special import entr

from ntkal.textbook.check import Checker


def _doubts(one: np.ndarray) -> np.ndarray:
    """Entropy of binary labels that are 1 with the given probabilities."""
    one = np.clip(one, 0.0, 1.0)  # sums of a prior may exceed one by a rounding error
    return entr(one) + entr(1 - one)


def _labels(prior: np.ndarray) -> np.ndarray:
    m = len(prior) - 1
    return np.arange(1, m + 1)[:, None] > np.arange(m + 1)[None]


def _expected(
    prior: np.ndarray,
    after: Callable[[np.ndarray, int], float],
    weigh: Callable[[float], float] = lambda p: p,
) -> np.ndarray:
    """Average over the label of each point of a function of all points' probabilities after it."""
    labels = _labels(prior)
    scores = np.zeros(len(labels))
    for c, row in enumerate(labels):
        for value in (True, False):
            weight = prior * (row == value)
            if weight.sum() > 0:
                scores[c] += weigh(weight.sum()) * after(labels @ (weight / weight.sum()), c)
    return scores


def _left(one: np.ndarray, c: int) -> float:
    return -float(_doubts(one).sum())


def _information(prior: np.ndarray) -> np.ndarray:
    return _expected(prior, _left) + _doubts(_labels(prior) @ prior).sum()


def _best_case(prior: np.ndarray) -> np.ndarray:
    """The more favourable label instead of the average."""
    labels = _labels(prior)
    scores = np.full(len(labels), -np.inf)
    for c, row in enumerate(labels):
        for value in (True, False):
            weight = prior * (row == value)
            if weight.sum() > 0:
                scores[c] = max(scores[c], _left(labels @ (weight / weight.sum()), c))
    return scores


def _threshold_doubt(prior: np.ndarray) -> np.ndarray:
    labels = _labels(prior)
    scores = np.zeros(len(labels))
    for c, row in enumerate(labels):
        for value in (True, False):
            weight = prior * (row == value)
            if weight.sum() > 0:
                scores[c] -= weight.sum() * entr(weight / weight.sum()).sum()
    return scores


def _hours(
    seconds: float,
    small: Mapping[str, float | int],
    large: Mapping[str, float | int],
    *,
    ratios: str = "npE",
    times: str = "mC",
    unit: float = 3600.0,
) -> float:
    for name in ratios:
        seconds *= large[name] / small[name]
    for name in times:
        seconds *= large[name]
    return seconds / unit


CHECKERS = {
    "8.2": Checker(
        expected=lambda prior: _expected(prior, _left),
        mistakes={
            "The sign is reversed: a score is larger when less doubt is left.": (
                lambda prior: -_expected(prior, _left)
            ),
            "That is the reduction of the doubt: the same order, but EER is minus the doubt that is left.": (
                _information
            ),
            "You took both labels for equally likely: weigh them by their probabilities.": (
                lambda prior: _expected(prior, _left, lambda p: 0.5)
            ),
            "You added the two labels without their probabilities.": (
                lambda prior: _expected(prior, _left, lambda p: 1.0)
            ),
            "You took the more favourable label: the candidate's label is not ours to choose, so average.": (
                _best_case
            ),
            "That is the entropy of the candidate's own label, the myopic score.": (
                lambda prior: _doubts(_labels(prior) @ prior)
            ),
            "That is in bits: use the natural logarithm.": (
                lambda prior: _expected(prior, _left) / np.log(2)
            ),
            "That is the mean over the points; EER is their sum.": (
                lambda prior: _expected(prior, _left) / (len(prior) - 1)
            ),
            "That is the doubt about the threshold: EER asks about the points' labels.": _threshold_doubt,
        },
    ),
    "8.3": Checker(
        expected=_hours,
        mistakes={
            "The classes are missing: there is one retraining for each candidate and each label.": (
                lambda **given: _hours(**given, times="m")
            ),
            "The candidates are missing: that is the time for one of them.": (
                lambda **given: _hours(**given, times="C")
            ),
            "That is a single retraining: multiply by candidates and labels.": (
                lambda **given: _hours(**given, times="")
            ),
            "The epochs are not scaled.": lambda **given: _hours(**given, ratios="np"),
            "The parameters are not scaled.": lambda **given: _hours(**given, ratios="nE"),
            "The labelled inputs are not scaled.": lambda **given: _hours(**given, ratios="pE"),
            "Nothing is scaled to the larger problem but the number of retrainings.": (
                lambda **given: _hours(**given, ratios="")
            ),
            "That is in seconds.": lambda **given: _hours(**given, unit=1.0),
            "That is in minutes.": lambda **given: _hours(**given, unit=60.0),
            "That is in days.": lambda **given: _hours(**given, unit=86400.0),
        },
        rtol=0.005,
    ),
}
