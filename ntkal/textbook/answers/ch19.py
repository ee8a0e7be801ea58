"""Chapter 19: beyond the paper."""

import numpy as np

from ntkal.textbook.check import Checker


def _pair(cov, ridge, pair, *, system: str = "full", within: bool = False) -> float:
    """Trace of what two labels take from the covariance."""
    cov, pair = np.asarray(cov, dtype=float), np.asarray(pair)
    block = cov[np.ix_(pair, pair)]
    if system == "diagonal":
        block = np.diag(np.diag(block))
    if system != "no ridge":
        block = block + ridge * np.eye(2)
    columns = cov[np.ix_(pair, pair)] if within else cov[:, pair]
    return float(np.sum(columns * np.linalg.solve(block, columns.T).T))


def _left(cov, ridge, pair) -> float:
    return float(np.trace(np.asarray(cov))) - _pair(cov, ridge, pair)


def _gaps(probs, y, bins, *, confidence=None) -> tuple[np.ndarray, np.ndarray]:
    """Accuracy minus confidence, and the number of inputs, in each bin that has some."""
    probs, y = np.asarray(probs, dtype=float), np.asarray(y)
    sure = probs.max(axis=1) if confidence is None else confidence(probs, y)
    right = probs.argmax(axis=1) == y
    place = np.clip(np.ceil(sure * bins - 1e-12).astype(int) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    gap = np.bincount(place, right - sure, bins)[count > 0] / count[count > 0]
    return gap, count[count > 0]


def _ece(probs, y, bins, **options) -> float:
    gap, count = _gaps(probs, y, bins, **options)
    return float(np.sum(np.abs(gap) * count) / count.sum())


def _signed(probs, y, bins) -> float:
    gap, count = _gaps(probs, y, bins)
    return float(np.sum(gap * count) / count.sum())


def _of_the_truth(probs, y):
    return probs[np.arange(len(y)), y]


def _macro(probs, y, counts, *, power: float = -1.0, smooth: float = 1.0, macro: bool = True) -> float:
    """Recall averaged over classes (or inputs) of the arg-max of p times a power of the labelled shares."""
    probs, y = np.asarray(probs, dtype=float), np.asarray(y)
    share = np.asarray(counts, dtype=float) + smooth
    with np.errstate(divide="ignore", invalid="ignore"):
        predicted = (probs * share**power).argmax(axis=1)
    right = predicted == y
    return float(np.mean([right[y == k].mean() for k in np.unique(y)]) if macro else right.mean())


CHECKERS = {
    "19.2": Checker(
        expected=_pair,
        mistakes={
            "That is the sum of the two single scores. The second label repeats part of what the first told: "
            "the 2 x 2 system has entries beside its diagonal.": (
                lambda **given: _pair(**given, system="diagonal")
            ),
            "The ridge is missing: labels have noise, so it is S_PP + ridge I that is inverted.": (
                lambda **given: _pair(**given, system="no ridge")
            ),
            "You counted the variance that leaves the two candidates themselves; sum over the whole pool.": (
                lambda **given: _pair(**given, within=True)
            ),
            "That is the variance that is left; the question is what was taken.": _left,
        },
    ),
    "19.3": Checker(
        expected=_ece,
        mistakes={
            "The gaps are averaged over bins; weight each bin by the number of its inputs.": (
                lambda **given: float(np.mean(np.abs(_gaps(**given)[0])))
            ),
            "Gaps of both signs cancel in your sum: take the absolute value in each bin.": _signed,
            "That is the largest gap; the expected calibration error is the mean one.": (
                lambda **given: float(np.max(np.abs(_gaps(**given)[0])))
            ),
            "The confidence is the largest probability, that of the predicted class, not that of the true "
            "one.": lambda **given: _ece(**given, confidence=_of_the_truth),
        },
    ),
    "19.4": Checker(
        expected=_macro,
        mistakes={
            "You predicted without dividing by the shares.": lambda **given: _macro(**given, power=0.0),
            "You multiplied by the shares: a rare class needs a larger weight, not a smaller one.": (
                lambda **given: _macro(**given, power=1.0)
            ),
            "That is the accuracy of the divided prediction; take the share that is right in each class, "
            "then the mean over classes.": lambda **given: _macro(**given, macro=False),
            "The shares are those of the counts plus one.": lambda **given: _macro(**given, smooth=0.0),
        },
    ),
}
