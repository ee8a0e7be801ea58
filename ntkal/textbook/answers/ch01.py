"""Checkers for the exercises of chapter 1, learning with few labels."""

import numpy as np
from scipy import stats

from ntkal.textbook.check import Checker


def _interval(
    d: np.ndarray, *, quantile: float | None = None, ddof: int = 1, root: bool = True
) -> list[float]:
    n = len(d)
    q = stats.t.ppf(0.975, n - 1) if quantile is None else quantile
    half = q * np.std(d, ddof=ddof) / (np.sqrt(n) if root else 1.0)
    return [d.mean(), d.mean() - half, d.mean() + half]


def _unpaired(ours: np.ndarray, theirs: np.ndarray) -> list[float]:
    ends = stats.ttest_ind(ours, theirs).confidence_interval(0.95)
    return [ours.mean() - theirs.mean(), ends.low, ends.high]


def _money(labels: np.ndarray, chance: np.ndarray, strategy: np.ndarray, price: float) -> float:
    return price * (labels[-1] - _labels_needed(labels, chance, strategy))


def _labels_needed(labels: np.ndarray, chance: np.ndarray, strategy: np.ndarray) -> float:
    return float(np.interp(chance[-1], np.maximum.accumulate(strategy), labels))


def _next_cycle(labels: np.ndarray, chance: np.ndarray, strategy: np.ndarray, price: float) -> float:
    return price * (labels[-1] - labels[np.argmax(strategy >= chance[-1])])


def _cycle_before(labels: np.ndarray, chance: np.ndarray, strategy: np.ndarray, price: float) -> float:
    return price * (labels[-1] - labels[np.argmax(strategy >= chance[-1]) - 1])


CHECKERS = {
    "1.2": Checker(
        expected=lambda ours, theirs: _interval(ours - theirs),
        mistakes={
            "That is the interval for two independent samples: the seeds are shared, so take the differences "
            "within seeds first.": _unpaired,
            "The quantile is that of the normal distribution: with so few seeds Student's t is wider.": (
                lambda ours, theirs: _interval(ours - theirs, quantile=float(stats.norm.ppf(0.975)))
            ),
            "The quantile 1.96 is that of the normal distribution: with so few seeds Student's t is wider.": (
                lambda ours, theirs: _interval(ours - theirs, quantile=1.96)
            ),
            "The standard deviation divides by R: with an estimated mean it is R - 1 (ddof=1 in NumPy).": (
                lambda ours, theirs: _interval(ours - theirs, ddof=0)
            ),
            "The square root of the number of seeds is missing: the interval is for the mean, not for one "
            "more seed.": lambda ours, theirs: _interval(ours - theirs, root=False),
            "The degrees of freedom are R - 1, not R.": lambda ours, theirs: _interval(
                ours - theirs, quantile=float(stats.t.ppf(0.975, len(ours)))
            ),
            "The quantile is that of a one-sided interval: 95% between two ends needs 0.975.": (
                lambda ours, theirs: _interval(
                    ours - theirs, quantile=float(stats.t.ppf(0.95, len(ours) - 1))
                )
            ),
            "The sign is reversed: the difference is ours minus theirs.": (
                lambda ours, theirs: _interval(theirs - ours)
            ),
        },
    ),
    "1.3": Checker(
        expected=_money,
        mistakes={
            "That is the number of labels saved; multiply by the price of a label.": (
                lambda labels, chance, strategy, price: _money(labels, chance, strategy, 1.0)
            ),
            "That is the price of the labels needed, the start set included, not of those saved.": (
                lambda labels, chance, strategy, price: price * _labels_needed(labels, chance, strategy)
            ),
            "You stopped at the first cycle that is above the target: interpolate between the cycles.": (
                _next_cycle
            ),
            "You stopped at the last cycle that is below the target: interpolate between the cycles.": (
                _cycle_before
            ),
            "You asked what random needs for the strategy's last accuracy, which it never reaches. Turn it "
            "round: where does the strategy reach random's last accuracy?": (
                lambda labels, chance, strategy, price: (
                    price * (labels[-1] - np.interp(strategy[-1], np.maximum.accumulate(chance), labels))
                )
            ),
            "That is the difference of the final accuracies times the price: a price is per label.": (
                lambda labels, chance, strategy, price: price * (strategy[-1] - chance[-1])
            ),
        },
    ),
}
