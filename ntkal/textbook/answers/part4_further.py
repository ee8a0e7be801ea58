"""Checkers of chapters 18 and 19: scaling up, and beyond the paper."""

import math

import numpy as np


def rank(m, memory, seconds, rate, *, size=4):
    """The largest rank whose factors fit in the memory and whose score fits in the time."""
    return math.floor(min(memory / (size * m), seconds * rate / (2 * m**2)))


def smallest_rank(g, h, share, *, sparse=2.0, cross=1.0, power=2):
    """The least r at which the standard deviation is the given share of the norms' product."""
    size = np.dot(g, g) * np.dot(h, h)
    column = size + cross * np.dot(g, h) ** 2 - sparse * np.sum(np.square(g) * np.square(h))
    return math.ceil(column / (share**power * size))


def taken(cov, ridge, pair, *, joint=True, within=False):
    """Trace of what two labels take from the covariance."""
    block = cov[np.ix_(pair, pair)]
    columns = block if within else cov[:, pair]
    system = block * (1.0 if joint else np.eye(2)) + ridge * np.eye(2)
    return np.sum(columns * np.linalg.solve(system, columns.T).T)


def calibration_error(
    probs, y, bins, *, size=np.abs, over=np.average, confidence=lambda probs, y: probs.max(axis=1)
):
    """A mean over bins of the sizes of accuracy minus confidence."""
    sure, right = confidence(probs, y), probs.argmax(axis=1) == y
    place = np.clip(np.ceil(sure * bins - 1e-12).astype(int) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    gap = np.bincount(place, right - sure, bins)[count > 0] / count[count > 0]
    return over(size(gap), weights=count[count > 0])


def recall(probs, y, counts, *, power=-1.0, smooth=1.0, by_class=True):
    """Recall averaged over classes (or inputs) of the arg-max of p times a power of the labelled shares."""
    with np.errstate(divide="ignore", invalid="ignore"):
        right = (probs * (counts + smooth) ** power).argmax(axis=1) == y
    return np.mean([right[y == k].mean() for k in np.unique(y)]) if by_class else right.mean()


SLIPS = {
    "by_the_bound": lambda g, h, share: math.ceil(2 / share**2),
    "left": lambda **given: np.trace(given["cov"]) - taken(**given),
    "over_bins": lambda gaps, weights: np.mean(gaps),
    "largest": lambda gaps, weights: np.max(gaps),
    "of_the_truth": lambda probs, y: probs[np.arange(len(y)), y],
}
