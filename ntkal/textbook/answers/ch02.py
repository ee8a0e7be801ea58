"""Checkers for the exercises of chapter 2, kernel regression and Gaussian conditioning."""

from collections.abc import Callable, Sequence

import numpy as np

from ntkal.textbook.check import Checker


def _reveal_all(
    mean: np.ndarray,
    cov: np.ndarray,
    reveals: Sequence[tuple[int, float]],
    ridge: float,
    *,
    keep_cov: bool = False,
    residual: Callable[[float, np.ndarray, np.ndarray, int], np.ndarray] = lambda y, now, start, c: (
        y - now[c]
    ),
) -> np.ndarray:
    start, mean, cov = mean, np.array(mean, dtype=float), np.array(cov, dtype=float)
    for c, y in reveals:
        gain = cov[:, [c]] / (cov[c, c] + ridge)
        mean = mean + gain @ residual(y, mean, start, c)[None, :]
        if not keep_cov:
            cov = cov - gain @ cov[[c], :]
    return mean


def _extremes(kernel: np.ndarray) -> tuple[float, float]:
    values = np.linalg.eigvalsh(kernel)
    return float(values[0]), float(values[-1])


def _smallest_ridge(kernel: np.ndarray, cond: float) -> float:
    low, high = _extremes(kernel)
    return max((high - cond * low) / (cond - 1), 0.0)


CHECKERS = {
    "2.2": Checker(
        expected=_reveal_all,
        mistakes={
            "The second update used the covariance from before the first: a reveal changes S as well.": (
                lambda **given: _reveal_all(**given, keep_cov=True)
            ),
            "The ridge is missing from the denominator: divide by S[c, c] + ridge.": (
                lambda **given: _reveal_all(**{**given, "ridge": 0.0})
            ),
            "The update is driven by the surprise y - M[c], not by the label y itself.": (
                lambda **given: _reveal_all(**given, residual=lambda y, now, start, c: y + 0 * now[c])
            ),
            "The second surprise was measured against the old mean: the first update has moved M[c].": (
                lambda **given: _reveal_all(**given, residual=lambda y, now, start, c: y - start[c])
            ),
            "The sign of the surprise is reversed: it is y - M[c].": (
                lambda **given: _reveal_all(**given, residual=lambda y, now, start, c: now[c] - y)
            ),
            "Only the first of the reveals was made.": (
                lambda **given: _reveal_all(**{**given, "reveals": given["reveals"][:1]})
            ),
        },
    ),
    "2.3": Checker(
        expected=_smallest_ridge,
        mistakes={
            "That is the bound lambda_max / cond: the ridge raises the largest eigenvalue too, and the "
            "smallest is not zero.": lambda kernel, cond: _extremes(kernel)[1] / cond,
            "You left out what the ridge adds to the largest eigenvalue: divide by cond - 1, not by cond.": (
                lambda kernel, cond: (_extremes(kernel)[1] - cond * _extremes(kernel)[0]) / cond
            ),
            "You took the smallest eigenvalue for zero.": lambda kernel, cond: (
                _extremes(kernel)[1] / (cond - 1)
            ),
            "The sign is reversed: the ridge that is asked for is positive.": (
                lambda kernel, cond: -_smallest_ridge(kernel, cond)
            ),
        },
        rtol=1e-6,
    ),
}
