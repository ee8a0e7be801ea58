"""Checkers for the exercises of chapter 10, asymptotic equivalence."""

import numpy as np

from ntkal.textbook.check import Checker


def _flow(
    kernel: np.ndarray, rows: slice, labels: np.ndarray, start: np.ndarray, t: float, ridge: float = 0.0
):
    """Outputs on all rows of the kernel after training on some of them for the time t (infinity allowed)."""
    values, vectors = np.linalg.eigh(kernel[rows, rows] + ridge * np.eye(len(labels)))
    learned = -np.expm1(-t * values) / values
    return start + kernel[:, rows] @ (vectors @ (learned[:, None] * (vectors.T @ (labels - start[rows]))))


def _arrays(kernel, labels, first: int):
    kernel, labels = np.asarray(kernel, dtype=float), np.asarray(labels, dtype=float)
    n = len(labels)
    return (
        kernel,
        labels,
        np.zeros((len(kernel), labels.shape[1])),
        slice(0, first),
        slice(0, n),
        slice(first, n),
    )


def _trace(
    kernel, labels, first: int, t: float, *, first_time: float = np.inf, other_time: float | None = None
):
    kernel, labels, zero, old, everything, _ = _arrays(kernel, labels, first)
    warm = _flow(kernel, old, labels[old], zero, first_time)
    warm = _flow(kernel, everything, labels, warm, t)
    fresh = _flow(kernel, everything, labels, zero, t if other_time is None else other_time)
    return (warm - fresh)[len(labels) :]


def _trace_without_carrying(kernel, labels, first: int, t: float):
    kernel, labels, zero, old, everything, _ = _arrays(kernel, labels, first)
    warm = _flow(kernel, old, labels[old], zero, np.inf)
    n = len(labels)
    warm[n:] = 0.0
    fresh = _flow(kernel, everything, labels, zero, t)
    return (_flow(kernel, everything, labels, warm, t) - fresh)[n:]


def _trace_new_inputs_only(kernel, labels, first: int, t: float):
    kernel, labels, zero, old, everything, new = _arrays(kernel, labels, first)
    warm = _flow(kernel, new, labels[new], _flow(kernel, old, labels[old], zero, np.inf), t)
    return (warm - _flow(kernel, everything, labels, zero, t))[len(labels) :]


def _anchored(
    kernel, labels, first: int, ridge: float, *, first_ridge: float | None = None, last: float | None = None
):
    kernel, labels, zero, old, everything, _ = _arrays(kernel, labels, first)
    warm = _flow(kernel, old, labels[old], zero, np.inf, ridge if first_ridge is None else first_ridge)
    warm = _flow(kernel, everything, labels, warm, np.inf, ridge if last is None else last)
    return (warm - _flow(kernel, everything, labels, zero, np.inf, ridge))[len(labels) :]


def _anchored_without_residual(kernel, labels, first: int, ridge: float):
    kernel, labels, zero, old, _, _ = _arrays(kernel, labels, first)
    return _flow(kernel, old, labels[old], zero, np.inf, ridge)[len(labels) :]


CHECKERS = {
    "10.2": Checker(
        expected=_trace,
        mistakes={
            "Run A's first round was stopped at time t too: it runs to convergence.": (
                lambda **given: _trace(**given, first_time=given["t"])
            ),
            "You compared with run B at convergence: B stops at time t as well.": (
                lambda **given: _trace(**given, other_time=np.inf)
            ),
            "The sign is reversed: A minus B.": lambda **given: -_trace(**given),
            "A's second round started from zero on the pool: carry the outputs of round one there too.": (
                _trace_without_carrying
            ),
            "The second round of A trained on the new inputs only: it trains on all sixteen.": (
                _trace_new_inputs_only
            ),
        },
    ),
    "10.3": Checker(
        expected=_anchored,
        mistakes={
            "The first fit was made without the ridge.": lambda **given: _anchored(**given, first_ridge=0.0),
            "The second fit was made without the ridge.": lambda **given: _anchored(**given, last=0.0),
            "The sign is reversed: moving anchor minus fixed anchor.": lambda **given: -_anchored(**given),
            "The second fit was given the labels themselves: it fits what the first has left, Y - h(X).": (
                _anchored_without_residual
            ),
        },
    ),
}
