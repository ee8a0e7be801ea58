"""Chapter 12: sequential querying."""

import numpy as np

from ntkal.textbook.check import Checker


def _block(mean, cov, ridge, picks, labels, *, joint=True, surprise=True):
    among = cov[np.ix_(picks, picks)]
    if not joint:
        among = np.diag(np.diag(among))
    target = labels - mean[picks] if surprise else labels
    return mean + cov[:, picks] @ np.linalg.solve(among + ridge * np.eye(len(picks)), target)


def _worst(cov, ridge, c, *, scale=2**0.5):
    return scale * np.abs(cov[:, c]).max() / (cov[c, c] + ridge)


CHECKERS = {
    "12.2": Checker(
        expected=_block,
        mistakes={
            "You updated for each candidate on its own; solve with all of S[picks, picks].": (
                lambda **given: _block(**given, joint=False)
            ),
            "You multiplied the labels themselves; it is the surprise, labels minus mean[picks].": (
                lambda **given: _block(**given, surprise=False)
            ),
            "You left the ridge out of the system.": (
                lambda mean, cov, ridge, picks, labels: _block(mean, cov, 0.0, picks, labels)
            ),
        },
        rtol=1e-8,
    ),
    "12.3": Checker(
        expected=_worst,
        mistakes={
            "Two different one-hot vectors are sqrt(2) apart, not 1.": lambda **given: _worst(
                **given, scale=1.0
            ),
            "Two different one-hot vectors are sqrt(2) apart, not 2.": lambda **given: _worst(
                **given, scale=2.0
            ),
            "That is the change at the candidate itself; look for the pool point most affected.": (
                lambda cov, ridge, c: np.sqrt(2.0) * cov[c, c] / (cov[c, c] + ridge)
            ),
            "You left the ridge out of the denominator.": lambda cov, ridge, c: _worst(cov, 0.0, c),
        },
    ),
}
