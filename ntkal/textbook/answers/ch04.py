"""Checkers for the exercises of chapter 4, the neural tangent kernel."""

from collections.abc import Callable

import numpy as np

from ntkal.textbook.check import Checker


def _time(
    kernel: np.ndarray,
    y: np.ndarray,
    share: float,
    *,
    place: int = 0,
    logarithm: Callable[[float], float] = np.log,
    clock: float | int = 1.0,
) -> float:
    return clock * float(logarithm(1 / share) / np.linalg.eigvalsh(kernel)[place])


def _ntk(
    x: np.ndarray,
    depth: int,
    sw2: float,
    sb2: float,
    *,
    own_term: bool = True,
    relu_slope: bool = False,
    from_below: bool = True,
    start: bool = True,
    late_slope: bool = False,
) -> np.ndarray:
    k = sb2 + sw2 * x @ x.T / x.shape[1]
    theta = k if start else np.zeros_like(k)
    for _ in range(depth):
        variance = np.diag(k)
        norm = np.sqrt(variance[:, None] * variance[None, :])
        rho = np.clip(k / norm, -1.0, 1.0)
        value = 2 * norm / np.pi * (np.sqrt(1 - rho**2) + rho * np.arcsin(rho))
        k = sb2 + sw2 * value
        if late_slope:
            variance = np.diag(k)
            rho = np.clip(k / np.sqrt(variance[:, None] * variance[None, :]), -1.0, 1.0)
        slope = (np.pi - np.arccos(rho)) / (2 * np.pi) if relu_slope else 2 / np.pi * np.arcsin(rho)
        theta = own_term * k + from_below * sw2 * slope * theta
    return theta


CHECKERS = {
    "4.2": Checker(
        expected=_time,
        mistakes={
            "You used the largest eigenvalue: the slowest mode, the smallest one, decides.": (
                lambda **given: _time(**given, place=-1)
            ),
            "The decay is exp(-lambda t): take the natural logarithm, not that to base 10.": (
                lambda **given: _time(**given, logarithm=np.log10)
            ),
            "The sign is reversed: the logarithm of the share is negative, and the time is not.": (
                lambda **given: -_time(**given)
            ),
            "That is the clock of a loss divided by n C, as in nt.predict; here the loss is a plain sum.": (
                lambda **given: _time(**given, clock=given["y"].size)
            ),
            "That is when the loss, the square of the residual, has fallen to this share.": (
                lambda **given: _time(**given, clock=0.5)
            ),
        },
    ),
    "4.3": Checker(
        expected=_ntk,
        mistakes={
            "That is the NNGP kernel: the term with the derivative kernel is missing.": (
                lambda **given: _ntk(**given, from_below=False)
            ),
            "Each layer adds its own NNGP kernel: only what comes from below was passed on.": (
                lambda **given: _ntk(**given, own_term=False)
            ),
            "That slope is ReLU's; for |z| it is E[sign(u) sign(v)] = (2 / pi) arcsin(rho).": (
                lambda **given: _ntk(**given, relu_slope=True)
            ),
            "The first layer has parameters too: the recursion starts at Sigma^1, not at zero.": (
                lambda **given: _ntk(**given, start=False)
            ),
            "The derivative kernel belongs to the covariance of the layer below, before it is updated.": (
                lambda **given: _ntk(**given, late_slope=True)
            ),
            "That is one hidden layer too few.": lambda **given: _ntk(
                **{**given, "depth": given["depth"] - 1}
            ),
        },
    ),
}
