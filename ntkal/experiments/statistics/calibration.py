"""Whether probabilities mean what they say, and one number that makes a softmax mean it better.

After Guo, Pleiss, Sun and Weinberger (2017). The functions take m rows of C columns, C at least 2, and the m
true classes, 0 to C - 1; they raise a ValueError for other shapes, rows that are no probability vectors where
these are asked for, and classes out of range.
"""

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped
from scipy.optimize import brentq
from scipy.special import softmax

from ntkal.acquisition.myopic import check_probabilities
from ntkal.data.dataset import class_numbers
from ntkal.inputs import ArrayLike, as_float64, check_int


def reliability(
    probs: Float[ArrayLike, "m C"], y: Shaped[ArrayLike, " m"], *, bins: int = 10
) -> pd.DataFrame:
    r"""Return, for bins of equal width of the confidence, how often the prediction is right.

    The confidence of input i is :math:`\max_k p_{ik}`; bin b of B holds those in :math:`((b-1)/B,\, b/B]`.

    Returns a row a bin: ``low``, ``high``, ``count``, ``confidence`` and ``accuracy``; NaN of an empty bin.

    Example:
        >>> reliability(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1]), bins=2)["count"].tolist()
        [0, 2]
    """
    probs, y = _checked("probs", probs, y, "1 - p, p")
    check_probabilities(probs)
    bins = check_int("bins", bins, low=1)
    confidence, right, edges = probs.max(axis=1), probs.argmax(axis=1) == y, np.arange(bins + 1) / bins
    place = np.clip(np.ceil(confidence * bins - 1e-12).astype(int) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    table = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "count": count})
    for name, values in (("confidence", confidence), ("accuracy", right)):
        table[name] = np.bincount(place, values, bins) / np.where(count > 0, count, np.nan)
    return table


def expected_calibration_error(
    probs: Float[ArrayLike, "m C"], y: Shaped[ArrayLike, " m"], *, bins: int = 10
) -> float:
    r"""Return the mean gap of confidence and accuracy over the bins of :func:`reliability`, from 0 to 1.

    .. math:: \mathrm{ECE} = \sum_b \frac{m_b}{m}\,\lvert \mathrm{acc}_b - \mathrm{conf}_b \rvert

    Example:
        >>> round(expected_calibration_error(np.array([[0.9, 0.1], [0.9, 0.1]]), np.array([0, 1])), 6)
        0.4
    """
    table = reliability(probs, y, bins=bins)
    gap = (table["accuracy"] - table["confidence"]).abs().fillna(0.0)
    return float((gap * table["count"]).sum() / table["count"].sum())


def temperature(outputs: Float[ArrayLike, "m C"], y: Shaped[ArrayLike, " m"]) -> float:
    r"""Return the temperature T > 0 whose softmax gives the true classes the largest likelihood.

    .. math:: \sum_i \Big( \sum_k q_{ik} f_{ik} - f_{i y_i} \Big) = 0, \qquad
              q_i = \operatorname{softmax}(f_i / T)

    The negative log-likelihood is convex in 1/T, so this root is its minimum. The outputs are those at inputs
    held out. Where all predictions are right (the smaller T, the better, without end), or the outputs no
    better than chance (the larger), they are refused.

    Example:
        >>> outputs = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
        >>> round(1 / temperature(outputs, np.array([0, 0, 0, 1])), 4) == round(float(np.log(3)), 4)
        True
    """
    f, y = _checked("outputs", outputs, y, "0 * f, f")
    f = f - f.mean(axis=1, keepdims=True)
    true, spread = f[np.arange(len(f)), y].sum(), np.ptp(f, axis=1).max()
    small = 1e-12 * max(len(f) * spread, np.finfo(float).tiny)
    if f.max(axis=1).sum() - true <= small:
        raise ValueError("outputs: every prediction is right, so that no T is best; take inputs held out.")
    if true <= small:
        raise ValueError("outputs: the true class has no more output than the average class; no T is best.")

    def slope(log_beta: float) -> float:
        return float((softmax(np.exp(log_beta) * f, axis=1) * f).sum() - true)

    middle = -np.log(spread)
    return float(np.exp(-brentq(slope, middle - 40, middle + 40, xtol=1e-12, maxiter=1000)))


def _checked(name: str, rows: ArrayLike, y: ArrayLike, both: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows of numbers and the class of each; ``both`` is what one column has to become."""
    flat = getattr(rows, "ndim", 2) == 1
    rows = np.asarray(as_float64(name, rows, (None,) if flat else (None, None)))
    if flat or rows.shape[1] == 1:
        raise ValueError(f"{name}: one column is no choice of class; give np.column_stack([{both}]).")
    y = class_numbers("y", y, rows.shape[1])
    if len(y) != len(rows):
        raise ValueError(f"y: expected one class for each of {len(rows)} inputs, got {len(y)}.")
    return rows, y
