"""Checkers of chapters 18 and 19: scaling up, and beyond the paper."""

import math

import numpy as np

from ntkal.textbook.answers.formulas import NO_RIDGE
from ntkal.textbook.check import Checker


def _rank(m, memory, seconds, rate, *, size=4):
    """The largest rank whose factors fit in the memory and whose score fits in the time."""
    return math.floor(min(memory / (size * m), seconds * rate / (2 * m**2)))


RANK = {
    "You counted eight bytes a number; the factors are kept in float32.": {"size": 8},
    "That rank fits in the memory, but its score does not fit in the time.": {"rate": math.inf},
    "That rank is one too large: round down.": {"then": lambda rank: rank + 1},
}


def _smallest_rank(g, h, share, *, sparse=2.0, cross=1.0, power=2):
    """The least r at which the standard deviation is the given share of the norms' product."""
    size = np.dot(g, g) * np.dot(h, h)
    column = size + cross * np.dot(g, h) ** 2 - sparse * np.sum(np.square(g) * np.square(h))
    return math.ceil(column / (share**power * size))


SMALLEST_RANK = {
    "That is the bound, which is reached only by parallel vectors; use the exact variance.": (
        lambda g, h, share: math.ceil(2 / share**2)
    ),
    "That is the variance of a Gaussian sketch; signs have - 2 sum g_i^2 h_i^2 as well.": {"sparse": 0.0},
    "You left out (g^T h)^2.": {"cross": 0.0},
    "You set the variance equal to the share; it is the standard deviation that should be.": {"power": 1},
}


def _taken(cov, ridge, pair, *, joint=True, within=False):
    """Trace of what two labels take from the covariance."""
    block = cov[np.ix_(pair, pair)]
    columns = block if within else cov[:, pair]
    system = block * (1.0 if joint else np.eye(2)) + ridge * np.eye(2)
    return np.sum(columns * np.linalg.solve(system, columns.T).T)


TAKEN = {
    "That is the sum of the two single scores. The second label repeats part of what the first told: "
    "the 2 x 2 system has entries beside its diagonal.": {"joint": False},
    "The ridge is missing: labels have noise, so it is S_PP + ridge I that is inverted.": NO_RIDGE,
    "You counted the variance that leaves the two candidates themselves; sum over the whole pool.": {
        "within": True
    },
    "That is the variance that is left; the question is what was taken.": (
        lambda **given: np.trace(given["cov"]) - _taken(**given)
    ),
}


def _calibration_error(
    probs, y, bins, *, size=np.abs, over=np.average, confidence=lambda probs, y: probs.max(axis=1)
):
    """A mean over bins of the sizes of accuracy minus confidence."""
    sure, right = confidence(probs, y), probs.argmax(axis=1) == y
    place = np.clip(np.ceil(sure * bins - 1e-12).astype(int) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    gap = np.bincount(place, right - sure, bins)[count > 0] / count[count > 0]
    return over(size(gap), weights=count[count > 0])


CALIBRATION_ERROR = {
    "The gaps are averaged over bins; weight each bin by the number of its inputs.": {
        "over": lambda gaps, weights: np.mean(gaps)
    },
    "Gaps of both signs cancel in your sum: take the absolute value in each bin.": {"size": np.positive},
    "That is the largest gap; the expected calibration error is the mean one.": {
        "over": lambda gaps, weights: np.max(gaps)
    },
    "The confidence is the largest probability, that of the predicted class, not that of the true one.": {
        "confidence": lambda probs, y: probs[np.arange(len(y)), y]
    },
}


def _recall(probs, y, counts, *, power=-1.0, smooth=1.0, by_class=True):
    """Recall averaged over classes (or inputs) of the arg-max of p times a power of the labelled shares."""
    with np.errstate(divide="ignore", invalid="ignore"):
        right = (probs * (counts + smooth) ** power).argmax(axis=1) == y
    return np.mean([right[y == k].mean() for k in np.unique(y)]) if by_class else right.mean()


RECALL = {
    "You predicted without dividing by the shares.": {"power": 0.0},
    "You multiplied by the shares: a rare class needs a larger weight, not a smaller one.": {"power": 1.0},
    "That is the accuracy of the divided prediction; take the share that is right in each class, "
    "then the mean over classes.": {"by_class": False},
    "The shares are those of the counts plus one.": {"smooth": 0.0},
}

CHECKERS = {
    "18.2": Checker(_rank, RANK),
    "18.3": Checker(_smallest_rank, SMALLEST_RANK),
    "19.2": Checker(_taken, TAKEN),
    "19.3": Checker(_calibration_error, CALIBRATION_ERROR),
    "19.4": Checker(_recall, RECALL),
}
