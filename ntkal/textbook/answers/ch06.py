"""Checkers for the exercises of chapter 6, the empirical NTK in practice."""

import numpy as np

from ntkal.textbook.check import Checker


def _margin(full: np.ndarray, first: int, second: int) -> np.ndarray:
    own = full[:, :, first, first] + full[:, :, second, second]
    return own - full[:, :, first, second] - full[:, :, second, first]


CHECKERS = {
    "6.2": Checker(
        expected=lambda h, delta: (h @ h.T + 1) * (delta @ delta.T),
        mistakes={
            "The bias is missing: its derivative is delta itself, which adds 1 to h . h'.": (
                lambda h, delta: (h @ h.T) * (delta @ delta.T)
            ),
            "The two Gram matrices are multiplied entry by entry, not as matrices.": (
                lambda h, delta: (h @ h.T + 1) @ (delta @ delta.T)
            ),
            "The two Gram matrices are multiplied, not added.": lambda h, delta: h @ h.T + delta @ delta.T,
            "The 1 goes with the activations: the bias has derivative delta, its share is delta . delta'.": (
                lambda h, delta: (h @ h.T) * (delta @ delta.T + 1)
            ),
            "That is the share of the bias alone.": lambda h, delta: delta @ delta.T,
            "The cotangents are missing: that is the kernel of a last layer.": lambda h, delta: h @ h.T + 1,
        },
    ),
    "6.3": Checker(
        expected=_margin,
        mistakes={
            "The mixed terms are missing: the two logits share parameters.": (
                lambda full, first, second: full[:, :, first, first] + full[:, :, second, second]
            ),
            "That is the kernel of the sum: the mixed terms of a difference are subtracted.": (
                lambda full, first, second: (
                    2 * (full[:, :, first, first] + full[:, :, second, second]) - _margin(full, first, second)
                )
            ),
            "There are two mixed terms, transposes of each other: yours is not symmetric.": (
                lambda full, first, second: (
                    full[:, :, first, first] + full[:, :, second, second] - 2 * full[:, :, first, second]
                )
            ),
            "Only one of the two mixed terms was subtracted.": (
                lambda full, first, second: _margin(full, first, second) + full[:, :, second, first]
            ),
            "That is the difference of the two kernels; wanted is the kernel of the difference.": (
                lambda full, first, second: full[:, :, first, first] - full[:, :, second, second]
            ),
        },
    ),
}
