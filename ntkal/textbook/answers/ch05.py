"""Checkers for the exercises of chapter 5, linearised networks and lazy training."""

import numpy as np

from ntkal.textbook.check import Checker


def _descent(
    k_train: np.ndarray,
    k_test: np.ndarray,
    y: np.ndarray,
    f_train: np.ndarray,
    f_test: np.ndarray,
    rate: float,
    steps: int,
) -> np.ndarray:
    n = len(k_train)
    left = np.linalg.matrix_power(np.eye(n) - rate * k_train, steps)
    return f_test + k_test @ np.linalg.solve(k_train, (np.eye(n) - left) @ (y - f_train))


def _flow(*, rate: float, steps: int, **given: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(given["k_train"])
    learned = -np.expm1(-rate * steps * values) / values
    residual = given["y"] - given["f_train"]
    return given["f_test"] + given["k_test"] @ (vectors @ (learned[:, None] * (vectors.T @ residual)))


def _steps(k_train: np.ndarray, level: float, factor) -> float:
    values = np.linalg.eigvalsh(k_train)
    return float(np.ceil(np.log(level) / np.log(factor(values[0], values[-1]))))


def _best(low: float, high: float) -> float:
    return (high - low) / (high + low)


def _at_inverse_top(low: float, high: float) -> float:
    return 1 - low / high


CHECKERS = {
    "5.2": Checker(
        expected=_descent,
        mistakes={
            "That is the continuous flow at t = rate x steps: a step multiplies the residual by 1 - rate * "
            "eigenvalue, not by its exponential.": _flow,
            "The outputs before training are missing: add f_test.": (
                lambda **given: _descent(**given) - given["f_test"]
            ),
            "The residual is y - f_train: the network does not start from zero.": (
                lambda **given: _descent(**{**given, "f_train": 0 * given["f_train"]})
            ),
            "That is the limit of infinitely many steps.": (
                lambda k_train, k_test, y, f_train, f_test, rate, steps: (
                    f_test + k_test @ np.linalg.solve(k_train, y - f_train)
                )
            ),
            "One step too few: the sum runs over i = 0 to steps - 1.": (
                lambda **given: _descent(**{**given, "steps": given["steps"] - 1})
            ),
            "One step too many: the sum runs over i = 0 to steps - 1.": (
                lambda **given: _descent(**{**given, "steps": given["steps"] + 1})
            ),
            "The rate was divided by n: the loss of this chapter is a sum over inputs, not a mean.": (
                lambda **given: _descent(**{**given, "rate": given["rate"] / len(given["k_train"])})
            ),
        },
    ),
    "5.3": Checker(
        expected=lambda k_train, level: _steps(k_train, level, _best),
        mistakes={
            "You took the rate 1 / (largest eigenvalue): twice that, nearly, is allowed and better.": (
                lambda k_train, level: _steps(k_train, level, _at_inverse_top)
            ),
            "Round up: with the number rounded down, the slowest direction is still above the level.": (
                lambda k_train, level: _steps(k_train, level, _best) - 1
            ),
            "The level is for the residual, not for its square.": (
                lambda k_train, level: _steps(k_train, np.sqrt(level), _best)
            ),
        },
        rtol=1e-9,
    ),
}
