"""What the exercises of several chapters compute, with keyword-only arguments for what goes wrong."""

from collections.abc import Callable

import numpy as np
from scipy import stats


def interval(values, *, quantile=None, level=0.975, lost=1, ddof=1, root=True) -> np.ndarray:
    """Mean and ends of Student's 95% interval, with R - ``lost`` degrees of freedom."""
    count = len(values)
    t = stats.t.ppf(level, count - lost) if quantile is None else quantile
    half = t * np.std(values, ddof=ddof) / (np.sqrt(count) if root else 1.0)
    return np.mean(values) + np.array([0.0, -half, half])


def unpaired(ours, theirs) -> np.ndarray:
    """Mean difference and ends of the interval of two independent samples."""
    ends = stats.ttest_ind(ours, theirs).confidence_interval(0.95)
    return np.array([ours.mean() - theirs.mean(), ends.low, ends.high])


def first(holds: Callable[[int], bool]) -> int:
    """The least whole number from 2 on at which something holds that goes on holding."""
    low, high = 1, 2
    while not holds(high):
        if high > 10**8:
            raise ValueError("given: no number of seeds below a hundred million will do; is there an effect?")
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def labels_at(labels, curve, target) -> float:
    """The labels at which a curve first reaches the target, between its cycles; NaN if it never does."""
    rising = np.maximum.accumulate(curve)
    if rising[-1] < target:
        return float("nan")
    at = max(int(np.argmax(rising >= target)), 1)
    return float(np.interp(target, rising[at - 1 : at + 1], labels[at - 1 : at + 1]))


def cycle_at(labels, curve, target) -> float:
    """The labels of the first cycle that is above the target."""
    return float(labels[np.argmax(curve >= target)]) if np.max(curve) >= target else float("nan")


def steps(pace, count) -> np.ndarray:
    """What gradient descent has learned of each eigenvector."""
    return 1 - (1 - pace) ** count


def flow(pace, time) -> np.ndarray:
    """What gradient flow has learned of each eigenvector."""
    return -np.expm1(-time * pace)


def limit(pace, time) -> np.ndarray:
    """What has been learned in the end."""
    return np.ones_like(pace)


def trained(kernel, to_pool, residual, rate, time, *, learned=steps, mean=False) -> np.ndarray:
    """How far training moves the pool's outputs, for a loss that is a sum or a ``mean`` over inputs."""
    values, vectors = np.linalg.eigh(kernel)
    share = learned(rate * values / (len(kernel) if mean else 1), time) / values
    return to_pool @ (vectors @ (share[:, None] * (vectors.T @ residual)))


def one_by_one(
    mean, cov, reveals, ridge, *, keep_cov=False, surprise=lambda y, now, before: y - now
) -> np.ndarray:
    """The mean after pairs of a candidate and its label are revealed one after the other."""
    before = mean
    for c, y in reveals:
        c = int(c)
        gain = cov[:, c] / (cov[c, c] + ridge)
        mean = mean + np.outer(gain, surprise(y, mean[c], before[c]))
        cov = cov if keep_cov else cov - np.outer(gain, cov[c])
    return mean


def at_once(mean, cov, ridge, picks, labels, *, joint=True, surprise=True) -> np.ndarray:
    """The mean after the labels of some candidates are revealed together."""
    picks = np.asarray(picks)
    block = cov[np.ix_(picks, picks)] * (1.0 if joint else np.eye(len(picks)))
    target = labels - mean[picks] if surprise else labels
    return mean + cov[:, picks] @ np.linalg.solve(block + ridge * np.eye(len(picks)), target)


def surprise_of(mean, *, order=2) -> np.ndarray:
    """The length of the most likely label minus the mean, for each input."""
    return np.linalg.norm(np.eye(mean.shape[1])[mean.argmax(axis=1)] - mean, ord=order, axis=1)


def absolute(k, norm) -> np.ndarray:
    """E[|u| |v|] for Gaussian u, v of covariance k and of standard deviations with the product ``norm``."""
    rho = np.clip(k / norm, -1.0, 1.0)
    return 2 * norm / np.pi * (np.sqrt(1 - rho**2) + rho * np.arcsin(rho))


def deviations(k) -> np.ndarray:
    """The products of the standard deviations of each pair."""
    return np.sqrt(np.outer(np.diag(k), np.diag(k)))


SLIPS = {
    "one_less": lambda count: count - 1,
    "one_more": lambda count: count + 1,
    "half": lambda value: value / 2,
    "in_bits": lambda nats: nats / np.log(2),
    "first_alone": lambda several: several[:1],
}
"""What ``exercises.toml`` calls by these names in every chapter."""
