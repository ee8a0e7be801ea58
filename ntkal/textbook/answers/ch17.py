"""Chapter 17: reproduction report."""

from collections.abc import Callable

import numpy as np
from scipy import stats

from ntkal.textbook.check import Checker


def _ends(values: np.ndarray, *, ddof: int = 1, quantile: float | None = None) -> np.ndarray:
    """Mean and the ends of Student's 95% interval."""
    v = np.asarray(values, dtype=float)
    q = float(stats.t.ppf(0.975, len(v) - 1)) if quantile is None else quantile
    half = q * v.std(ddof=ddof) / np.sqrt(len(v))
    return np.array([v.mean(), v.mean() - half, v.mean() + half])


def _slopes(gains, widths, *, scale: Callable[[np.ndarray], np.ndarray] = np.log2) -> np.ndarray:
    """The slope of each seed's gain against the width on a scale."""
    at = scale(np.asarray(widths, dtype=float))
    return np.polyfit(at, np.asarray(gains, dtype=float).T, 1)[0]


def _slope(gains, widths, *, scale: Callable[[np.ndarray], np.ndarray] = np.log2, **interval) -> np.ndarray:
    return _ends(_slopes(gains, widths, scale=scale), **interval)


def _first_to_last(gains, widths) -> np.ndarray:
    gains = np.asarray(gains, dtype=float)
    order = np.argsort(widths)
    return _ends(gains[:, order[-1]] - gains[:, order[0]])


def _one_regression(gains, widths) -> np.ndarray:
    """What a regression through all points prints, seeds taken for independent."""
    gains = np.asarray(gains, dtype=float)
    at = np.tile(np.log2(np.asarray(widths, dtype=float)), len(gains))
    line = stats.linregress(at, gains.ravel())
    half = float(stats.t.ppf(0.975, gains.size - 2)) * line.stderr
    return np.array([line.slope, line.slope - half, line.slope + half])


def _lows(ours, rivals, **interval) -> np.ndarray:
    """The lower end of ours minus each rival, in points."""
    return np.array([_ends(np.asarray(ours) - theirs, **interval)[1] for theirs in np.asarray(rivals)])


def _margin(ours, rivals, **interval) -> float:
    return float(-_lows(ours, rivals, **interval).min())


def _unpaired(ours, rivals) -> float:
    """The intervals of two independent samples in place of those of the differences."""
    ours, rivals = np.asarray(ours, dtype=float), np.asarray(rivals, dtype=float)
    lows = [stats.ttest_ind(ours, theirs).confidence_interval().low for theirs in rivals]
    return float(-min(lows))


CHECKERS = {
    "17.2": Checker(
        expected=_slope,
        mistakes={
            "That is for each unit of the natural logarithm; a doubling is a unit of the binary one.": (
                lambda gains, widths: _slope(gains, widths, scale=np.log)
            ),
            "That is the slope against the width itself; a doubling is a unit of its binary logarithm.": (
                lambda gains, widths: _slope(gains, widths, scale=lambda at: at)
            ),
            "That is the widest minus the narrowest; divide by the doublings between them, and let the "
            "widths in between count.": _first_to_last,
            "You took all points for independent. Fit one line a seed; the seeds are what is independent.": (
                _one_regression
            ),
            "The quantile 1.96 is that of the normal distribution; with few seeds Student's t is wider.": (
                lambda gains, widths: _slope(gains, widths, quantile=1.96)
            ),
            "The standard deviation over seeds has divisor n - 1 (ddof=1).": (
                lambda gains, widths: _slope(gains, widths, ddof=0)
            ),
        },
    ),
    "17.3": Checker(
        expected=_margin,
        mistakes={
            "That is enough for the rival that is easiest to match; every part has to be shown, so the "
            "worst of them decides.": lambda ours, rivals: float(-_lows(ours, rivals).max()),
            "That is from the mean differences. A part is shown when the lower end of its interval is above "
            "the mark.": lambda ours, rivals: _margin(ours, rivals, quantile=0.0),
            "The sign is reversed: a loss is positive when a lower end is below zero.": (
                lambda ours, rivals: -_margin(ours, rivals)
            ),
            "You took the two series for independent. Runs of one seed share their start: form the "
            "differences first, then the interval.": _unpaired,
            "The quantile 1.96 is that of the normal distribution; with few seeds Student's t is wider.": (
                lambda ours, rivals: _margin(ours, rivals, quantile=1.96)
            ),
            "Expected points: multiply accuracies by a hundred.": (
                lambda ours, rivals: _margin(ours, rivals) / 100
            ),
        },
    ),
}
