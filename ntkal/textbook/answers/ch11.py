"""Chapter 11: MLMOC and its relatives."""

import numpy as np

from ntkal.textbook.check import Checker

FIRST = 5


def _expected_flips(mean, cov, ridge, probs, *, label=None, weight=None, axis=0):
    """Expected flips of the first candidates; the options make the likely mistakes."""
    present, out = mean.argmax(axis=1), []
    for c in range(FIRST):
        column = (cov[:, c] if axis == 0 else np.full(len(mean), cov[c, c])) / (cov[c, c] + ridge)
        total = 0.0
        for k in range(mean.shape[1]):
            target = np.eye(mean.shape[1])[k if label is None else label(mean[c])]
            flips = np.sum((mean + np.outer(column, target - mean[c])).argmax(axis=1) != present)
            total += flips * (probs[c, k] if weight is None else weight(mean))
        out.append(total)
    return np.array(out)


def _fraction(mean, cov, ridge, *, absolute=True, swap=False):
    surprise = np.linalg.norm(np.eye(mean.shape[1])[mean.argmax(axis=1)] - mean, axis=1)
    columns = np.abs(cov).sum(axis=0) if absolute else np.abs(cov.sum(axis=0))
    reach = columns / (np.diag(cov) + ridge)
    score, part = np.log(surprise * reach), np.log(surprise if swap else reach)
    return np.cov(score, part)[0, 1] / np.var(score, ddof=1)


CHECKERS = {
    "11.2": Checker(
        expected=_expected_flips,
        mistakes={
            "You used the most likely label for every k; label k is the one-hot vector e_k.": (
                lambda **given: _expected_flips(**given, label=np.argmax)
            ),
            "You weighted all labels alike; weight label k by probs[c, k].": (
                lambda **given: _expected_flips(**given, weight=lambda mean: 1 / mean.shape[1])
            ),
            "You summed over the labels without weights; weight label k by probs[c, k].": (
                lambda **given: _expected_flips(**given, weight=lambda mean: 1.0)
            ),
            "You left the ridge out of the denominator.": (
                lambda mean, cov, ridge, probs: _expected_flips(mean, cov, 0.0, probs)
            ),
        },
    ),
    "11.3": Checker(
        expected=_fraction,
        mistakes={
            "That is the share of surprise; take the covariance with log reach.": (
                lambda **given: _fraction(**given, swap=True)
            ),
            "You summed the column before taking the absolute value; reach sums |S_uc|.": (
                lambda **given: _fraction(**given, absolute=False)
            ),
        },
    ),
}
