"""Whether probabilities mean what they say, and one number that makes a softmax mean it better."""

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped
from scipy.optimize import brentq
from scipy.special import softmax

from ntkal.acquisition.myopic import check_probabilities
from ntkal.inputs import ArrayLike, as_float64, check_int


def reliability(
    probs: Float[ArrayLike, "m C"], y: Shaped[ArrayLike, " m"], *, bins: int = 10
) -> pd.DataFrame:
    r"""Return, for bins of equal width of the confidence, how often the prediction is right.

    The confidence of input i is :math:`\max_k p_{ik}`; bin b holds the confidences in
    :math:`((b-1)/B,\, b/B]`.

    Args:
        probs: Class probabilities, shape (m, C), C at least 2, rows sum to one.
        y: True classes, 0 to C - 1, shape (m,).
        bins: B, at least 1.

    Returns:
        One row a bin: ``low``, ``high``, ``count``, and the means ``confidence`` and ``accuracy``, NaN in an
        empty bin.

    Raises:
        ValueError: For bad shapes, rows that are no probability vectors, or classes out of range.

    Source:
        Guo, Pleiss, Sun and Weinberger (2017), section 2.

    Example:
        >>> reliability(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1]), bins=2)["count"].tolist()
        [0, 2]
    """
    probs = np.asarray(check_probabilities(probs))
    y = _classes("probs", probs, y)
    bins = check_int("bins", bins, low=1)
    confidence = probs.max(axis=1)
    place = np.clip(np.ceil(confidence * bins - 1e-12).astype(int) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    some = np.where(count > 0, count, np.nan)
    return pd.DataFrame(
        {
            "low": np.arange(bins) / bins,
            "high": np.arange(1, bins + 1) / bins,
            "count": count,
            "confidence": np.bincount(place, confidence, bins) / some,
            "accuracy": np.bincount(place, probs.argmax(axis=1) == y, bins) / some,
        }
    )


def expected_calibration_error(
    probs: Float[ArrayLike, "m C"], y: Shaped[ArrayLike, " m"], *, bins: int = 10
) -> float:
    r"""Return the mean gap of confidence and accuracy over the bins, weighted by their counts.

    .. math:: \mathrm{ECE} = \sum_b \frac{m_b}{m}\,\lvert \mathrm{acc}_b - \mathrm{conf}_b \rvert

    Arguments and errors are those of :func:`reliability`; the result is between 0 and 1.

    Source:
        Guo, Pleiss, Sun and Weinberger (2017), equation (3).

    Example:
        >>> round(expected_calibration_error(np.array([[0.9, 0.1], [0.9, 0.1]]), np.array([0, 1])), 6)
        0.4
    """
    table = reliability(probs, y, bins=bins)
    gap = (table["accuracy"] - table["confidence"]).abs().fillna(0.0)
    return float((gap * table["count"]).sum() / table["count"].sum())


def temperature(outputs: Float[ArrayLike, "m C"], y: Shaped[ArrayLike, " m"]) -> float:
    r"""Return the temperature T whose softmax gives the true classes the largest likelihood.

    .. math:: \sum_i \Big( \sum_k q_{ik} f_{ik} - f_{i y_i} \Big) = 0, \qquad
              q_i = \operatorname{softmax}(f_i / T)

    The negative log-likelihood is convex in 1/T, so this root is its minimum.

    Args:
        outputs: Network outputs at inputs held out, shape (m, C), C at least 2.
        y: True classes, 0 to C - 1, shape (m,).

    Returns:
        T, above 0.

    Raises:
        ValueError: For bad shapes or classes out of range; when every prediction is right (the smaller T,
            the better, without end); and when the outputs are no better than chance (the larger, the better).

    Source:
        Guo, Pleiss, Sun and Weinberger (2017), section 4.2.

    Example:
        >>> outputs = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
        >>> round(1 / temperature(outputs, np.array([0, 0, 0, 1])), 4) == round(float(np.log(3)), 4)
        True
    """
    f = np.asarray(as_float64("outputs", outputs, (None, None)))
    y = _classes("outputs", f, y)
    true = f[np.arange(len(f)), y].sum()
    spread = np.ptp(f, axis=1).max()
    small = 1e-12 * max(len(f) * spread, np.finfo(float).tiny)
    if f.max(axis=1).sum() - true <= small:
        raise ValueError(
            "outputs: every prediction is right, so that the likelihood grows without end as T falls; fit "
            "the temperature on inputs held out, some of which are wrong."
        )
    if f.mean(axis=1).sum() - true >= -small:
        raise ValueError(
            "outputs: the true class has no more output than the average class, so that no temperature "
            "beats equal probabilities."
        )

    def slope(log_beta: float) -> float:
        return float((softmax(np.exp(log_beta) * f, axis=1) * f).sum() - true)

    low = high = -np.log(spread)
    while slope(low) > 0:
        low -= 2.0
    while slope(high) < 0:
        high += 2.0
    return float(np.exp(-brentq(slope, low, high, xtol=1e-12)))


def _classes(name: str, rows: np.ndarray, y: ArrayLike) -> np.ndarray:
    """True classes as whole numbers: booleans, nullable and whole floating-point numbers will do."""
    (m, classes), y = rows.shape, np.asarray(y)
    if classes < 2:
        raise ValueError(
            f"{name}: one column is no choice between classes; of one probability p, give both, "
            "np.column_stack([1 - p, p])."
        )
    if y.shape != (m,):
        raise ValueError(
            f"y: expected one class for each of {m} inputs, got shape {y.shape}; of label vectors, "
            "give .argmax(axis=1)."
        )
    whole = np.asarray(as_float64("y", y.astype(int) if y.dtype == bool else y, (m,)))
    if whole.min() < 0 or whole.max() >= classes or (whole % 1).any():
        raise ValueError(
            f"y: expected classes from 0 to {classes - 1}, got {whole.min():g} to {whole.max():g}."
        )
    return whole.astype(int)
