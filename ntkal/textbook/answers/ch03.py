"""Checkers for the exercises of chapter 3, wide networks as Gaussian processes."""

from collections.abc import Callable

import numpy as np

from ntkal.textbook.check import Checker

Pair = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def _cosine(k: np.ndarray, norm: np.ndarray) -> np.ndarray:
    return np.clip(k / norm, -1.0, 1.0)


def _absolute(k: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    norm = np.sqrt(a * b)
    rho = _cosine(k, norm)
    return 2 * norm / np.pi * (np.sqrt(1 - rho**2) + rho * np.arcsin(rho))


def _relu(k: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    norm = np.sqrt(a * b)
    rho = _cosine(k, norm)
    return norm / (2 * np.pi) * (np.sqrt(1 - rho**2) + rho * (np.pi - np.arccos(rho)))


def _kernel(
    x: np.ndarray,
    depth: int,
    sw2: float,
    sb2: float,
    *,
    pair: Pair = _absolute,
    later_bias: float = 1.0,
    fan_in: bool = True,
) -> np.ndarray:
    k = sb2 + sw2 * x @ x.T / (x.shape[1] if fan_in else 1)
    for _ in range(depth):
        variance = np.diag(k)
        k = later_bias * sb2 + sw2 * pair(k, variance[:, None], variance[None, :])
    return k


def _width(depth: int, kurtosis: float) -> int:
    return int(np.ceil(5 / ((1 + kurtosis / 3) ** (1 / depth) - 1)))


CHECKERS = {
    "3.2": Checker(
        expected=_kernel,
        mistakes={
            "That is the kernel of a ReLU network: |z| has a second half, max(-z, 0).": (
                lambda **given: _kernel(**given, pair=_relu)
            ),
            "A factor of 2 is missing: of the four products, two have covariance k and two have -k.": (
                lambda **given: _kernel(**given, pair=lambda k, a, b: _absolute(k, a, b) / 2)
            ),
            "You left out the mixed products, those of the pair (u, -v).": (
                lambda **given: _kernel(**given, pair=lambda k, a, b: 2 * _relu(k, a, b))
            ),
            "Every layer has biases: the later ones add sb2 as well.": (
                lambda **given: _kernel(**given, later_bias=0.0)
            ),
            "The first layer divides the inner product by the number of inputs d.": (
                lambda **given: _kernel(**given, fan_in=False)
            ),
            "That is one hidden layer too few.": lambda **given: _kernel(
                **{**given, "depth": given["depth"] - 1}
            ),
            "That is one hidden layer too many: the readout has no activation.": (
                lambda **given: _kernel(**{**given, "depth": given["depth"] + 1})
            ),
        },
    ),
    "3.3": Checker(
        expected=_width,
        mistakes={
            "That is the first-order rule 15 L / kurtosis; the layers' factors multiply.": (
                lambda depth, kurtosis: np.ceil(15 * depth / kurtosis)
            ),
            "The bracket is multiplied by 3: the outputs are Gaussian given the covariance.": (
                lambda depth, kurtosis: _width(depth, 3 * kurtosis)
            ),
            "That is one too small: round up, for the kurtosis must not exceed the bound.": (
                lambda depth, kurtosis: _width(depth, kurtosis) - 1
            ),
            "That is the width for a single layer.": lambda depth, kurtosis: _width(1, kurtosis),
            "The fourth moment of max(z, 0) is 3/2, half that of z: the factor is 1 + 5/N, not 1 + 2/N.": (
                lambda depth, kurtosis: np.ceil(2 / ((1 + kurtosis / 3) ** (1 / depth) - 1))
            ),
        },
        rtol=1e-9,
    ),
}
