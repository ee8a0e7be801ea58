"""Chapter 16: sequential against batch, and width."""

from collections.abc import Callable

import numpy as np
from scipy import stats

from ntkal.textbook.check import Checker


def _needed(labels: np.ndarray, curve: np.ndarray, target: float) -> float:
    """The labels at which a curve first reaches the target, NaN if it never does."""
    rising = np.maximum.accumulate(curve)
    if rising[-1] < target:
        return float("nan")
    after = int(np.argmax(rising >= target))
    if after == 0:
        return float(labels[0])
    return float(np.interp(target, rising[after - 1 : after + 1], labels[after - 1 : after + 1]))


def _next_cycle(labels: np.ndarray, curve: np.ndarray, target: float) -> float:
    return float(labels[np.argmax(curve >= target)]) if curve.max() >= target else float("nan")


def _saved(labels, ours, theirs, target, *, needed: Callable = _needed, never: str = "last") -> float:
    """Mean over seeds of theirs minus ours, a seed of theirs that never arrives taken as ``never`` says."""
    labels = np.asarray(labels, dtype=float)
    mine = np.array([needed(labels, np.asarray(curve), target) for curve in ours])
    other = np.array([needed(labels, np.asarray(curve), target) for curve in theirs])
    if never == "last":
        return float(np.mean(np.where(np.isnan(other), labels[-1], other) - mine))
    if never == "nothing":
        return float(np.mean(np.where(np.isnan(other), 0.0, other - mine)))
    return float(np.nanmean(other - mine))


def _from_means(labels, ours, theirs, target) -> float:
    return _saved(labels, np.mean(ours, axis=0)[None], np.mean(theirs, axis=0)[None], target)


def _seeds(differences, *, ddof: int = 1, quantile: Callable[[int], float] | None = None) -> int:
    """The least number of seeds whose interval, with this mean and this spread, excludes zero."""
    d = np.asarray(differences, dtype=float)
    quantile = quantile or (lambda n: float(stats.t.ppf(0.975, n - 1)))
    ratio = abs(d.mean()) / d.std(ddof=ddof)
    n = 2
    while quantile(n) / np.sqrt(n) >= ratio:
        n += 1
    return n


CHECKERS = {
    "16.2": Checker(
        expected=_saved,
        mistakes={
            "You dropped the seeds in which theirs never arrives. They are those in which most is saved; "
            "count each with the last number of labels that it has.": (
                lambda **given: _saved(**given, never="drop")
            ),
            "You let a seed in which theirs never arrives save nothing; it saves at least what ours has "
            "left when the run ends.": lambda **given: _saved(**given, never="nothing"),
            "The sign is reversed: labels saved are theirs minus ours.": lambda **given: -_saved(**given),
            "You stopped at the first cycle that is above the target: interpolate between the cycles.": (
                lambda **given: _saved(**given, needed=_next_cycle)
            ),
            "You read the labels off the mean curves; read them off each seed's own, and then take the "
            "mean.": _from_means,
        },
    ),
    "16.3": Checker(
        expected=_seeds,
        mistakes={
            "The quantile 1.96 is that of the normal distribution; with few seeds Student's t is wider.": (
                lambda differences: _seeds(differences, quantile=lambda n: 1.96)
            ),
            "You kept the quantile of the seeds at hand; Student's t has n - 1 degrees of freedom for the n "
            "that you try.": lambda differences: _seeds(
                differences, quantile=lambda n: float(stats.t.ppf(0.975, len(differences) - 1))
            ),
            "The quantile is that of a one-sided interval: 95% between two ends needs 0.975.": (
                lambda differences: _seeds(differences, quantile=lambda n: float(stats.t.ppf(0.95, n - 1)))
            ),
            "That is one too few: its interval still holds zero.": (
                lambda differences: _seeds(differences) - 1
            ),
        },
    ),
}
