"""Chapter 14: four ways to look ahead."""

import numpy as np
from scipy import stats

from ntkal.textbook.check import Checker


def _step(outputs, kernel, rate, *, conditioned=False, surprise=True, absolute=True):
    likely = np.eye(outputs.shape[1])[outputs.argmax(axis=1)]
    size = np.linalg.norm(likely - outputs, axis=1) if surprise else 1.0
    reach = (np.abs(kernel) if absolute else kernel).sum(axis=0)
    return size * reach / np.diag(kernel) if conditioned else rate * size * reach


def _between(ours, ours_random, theirs, theirs_random, *, quantile=None, divisor=1):
    d = (ours - ours_random) - (theirs - theirs_random)
    t = stats.t.ppf(0.975, len(d) - 1) if quantile is None else quantile
    half = t * d.std(ddof=divisor) / np.sqrt(len(d))
    return np.array([d.mean(), d.mean() - half, d.mean() + half])


def _unpaired(ours, ours_random, theirs, theirs_random):
    one, other = ours - ours_random, theirs - theirs_random
    n, mean = len(one), one.mean() - other.mean()
    half = stats.t.ppf(0.975, 2 * n - 2) * np.sqrt((one.var(ddof=1) + other.var(ddof=1)) / n)
    return np.array([mean, mean - half, mean + half])


CHECKERS = {
    "14.2": Checker(
        expected=_step,
        mistakes={
            "You divided by the diagonal of the kernel; a step has no denominator, only its rate.": (
                lambda **given: _step(**given, conditioned=True)
            ),
            "You left out the surprise, the length of the likely label minus the outputs.": (
                lambda **given: _step(**given, surprise=False)
            ),
            "You added up a column of the kernel with its signs; movement has none.": (
                lambda **given: _step(**given, absolute=False)
            ),
            "You left out the learning rate.": (lambda outputs, kernel, rate: _step(outputs, kernel, 1.0)),
        },
    ),
    "14.3": Checker(
        expected=_between,
        mistakes={
            "You used the normal quantile; with so few seeds take Student's, of n - 1 degrees of freedom.": (
                lambda **given: _between(**given, quantile=stats.norm.ppf(0.975))
            ),
            "You divided the sum of squares by n; the sample variance divides by n - 1.": (
                lambda **given: _between(**given, divisor=0)
            ),
            "You treated the two gains as independent; take their difference within each seed.": _unpaired,
            "You left the baselines out; take each way's gain over its own random picks first.": (
                lambda ours, ours_random, theirs, theirs_random: _between(ours, 0 * ours, theirs, 0 * theirs)
            ),
        },
    ),
}
