"""Chapter 18: scaling up."""

import math

import numpy as np

from ntkal.textbook.check import Checker


def _rank(m, memory, seconds, rate, *, size: int = 4) -> int:
    """The largest rank whose factors fit in the memory and whose score fits in the time."""
    return math.floor(min(memory / (size * m), seconds * rate / (2 * m**2)))


def _by_memory(m, memory, seconds, rate) -> int:
    return math.floor(memory / (4 * m))


def _smallest_rank(g, h, share, *, sparse: float = 2.0, cross: float = 1.0, power: int = 2) -> int:
    """The least r at which the standard deviation is the given share of the norms' product."""
    size = float(np.dot(g, g) * np.dot(h, h))
    column = size + cross * float(np.dot(g, h)) ** 2 - sparse * float(np.sum(np.square(g) * np.square(h)))
    return math.ceil(column / (share**power * size))


CHECKERS = {
    "18.2": Checker(
        expected=_rank,
        mistakes={
            "You counted eight bytes a number; the factors are kept in float32.": (
                lambda **given: _rank(**given, size=8)
            ),
            "That rank fits in the memory, but its score does not fit in the time.": _by_memory,
            "That rank is one too large: round down.": lambda **given: _rank(**given) + 1,
        },
    ),
    "18.3": Checker(
        expected=_smallest_rank,
        mistakes={
            "That is the bound, which is reached only by parallel vectors; use the exact variance.": (
                lambda g, h, share: math.ceil(2 / share**2)
            ),
            "That is the variance of a Gaussian sketch; signs have - 2 sum g_i^2 h_i^2 as well.": (
                lambda **given: _smallest_rank(**given, sparse=0.0)
            ),
            "You left out (g^T h)^2.": lambda **given: _smallest_rank(**given, cross=0.0),
            "You set the variance equal to the share; it is the standard deviation that should be.": (
                lambda **given: _smallest_rank(**given, power=1)
            ),
        },
    ),
}
