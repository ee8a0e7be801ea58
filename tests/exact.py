"""Refitting in exact rational arithmetic: the rank is known, and rounding is not in doubt."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

Matrix = list[list[Fraction]]


def solve(a: Matrix, b: Matrix) -> Matrix | None:
    """Return X with A X = B by elimination, or None when A has no inverse."""
    rows = [[*left, *right] for left, right in zip(a, b, strict=True)]
    for k in range(len(a)):
        pivot = next((i for i in range(k, len(a)) if rows[i][k] != 0), None)
        if pivot is None:
            return None
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [value / rows[k][k] for value in rows[k]]
        for i, row in enumerate(rows):
            if i != k and row[k] != 0:
                rows[i] = [x - row[k] * y for x, y in zip(row, rows[k], strict=True)]
    return [row[len(a) :] for row in rows]


def gram(x: Matrix, z: Matrix) -> Matrix:
    return [[sum((p * q for p, q in zip(a, b, strict=True)), Fraction(0)) for b in z] for a in x]


def floats(a: Matrix, dtype=np.float64) -> np.ndarray:
    """Each entry rounded once."""
    return np.array([[float(value) for value in row] for row in a]).astype(dtype)


@dataclass(frozen=True)
class Refit:
    """Outputs over the pool after an exact refit, and how far an error in the kernel's entries moves them."""

    outputs: np.ndarray
    moved: np.ndarray


def refit(x: Matrix, targets: Matrix, pool: Matrix, ridge: Fraction) -> Refit | None:
    """Fit a linear model without start to targets; None when the kernel and the ridge have no inverse."""
    kernel = gram(x, x)
    for i, row in enumerate(kernel):
        row[i] += ridge
    across = gram(pool, x)
    weights = solve(kernel, targets)
    reach = solve(kernel, [list(column) for column in zip(*across, strict=True)])
    if weights is None or reach is None:
        return None
    outputs = gram(across, [list(column) for column in zip(*weights, strict=True)])
    size = np.abs(floats(weights)).sum(axis=0)
    moved = (1 + np.abs(floats(reach)).sum(axis=0))[:, None] * size[None, :]
    return Refit(floats(outputs), moved)
