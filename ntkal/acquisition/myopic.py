"""Myopic scores: how uncertain the present model is about each candidate."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from ntkal.inputs import ArrayLike, as_float64


def probabilities(outputs: Float[ArrayLike, "m C"]) -> Float[Array, "m C"]:
    r"""Return class probabilities from the outputs of a network trained on the squared loss.

    .. math:: p_{ik} = \max(f_{ik}, 0) \Big/ \sum_j \max(f_{ij}, 0)

    The minimiser of the squared loss on one-hot labels is the vector of class probabilities itself, so its
    estimate is only clipped and normalised; a softmax of it would be nearly uniform. Where no output is
    positive the row is uniform. A single output (C = 1) has probability one.

    Args:
        outputs: Network outputs, shape (m, C).

    Returns:
        Probabilities, shape (m, C), float64, rows sum to one.

    Raises:
        ValueError: For outputs of another shape or with NaN.

    Example:
        >>> import numpy as np
        >>> probabilities(np.array([[0.6, 0.2, -0.1], [-1.0, -1.0, -1.0]])).round(2).tolist()
        [[0.75, 0.25, 0.0], [0.33, 0.33, 0.33]]
    """
    return clipped(as_float64("outputs", outputs, (None, None)))


def clipped(outputs: Float[Array, "*m C"]) -> Float[Array, "*m C"]:
    """Return the numbers of :func:`probabilities` along the last axis, without its checks.

    Example:
        >>> clipped(jnp.array([3.0, 1.0, -1.0])).tolist()
        [0.75, 0.25, 0.0]
    """
    kept = jnp.maximum(outputs, 0.0)
    total = kept.sum(axis=-1, keepdims=True)
    return jnp.where(total > 0, kept / jnp.where(total > 0, total, 1.0), 1.0 / outputs.shape[-1])


def check_probabilities(
    probs: Float[ArrayLike, "m C"], shape: tuple[int | None, int | None] = (None, None), name: str = "probs"
) -> Float[Array, "m C"]:
    """Return ``probs`` as float64, or raise a ValueError that names it when a row is no probability vector.

    Example:
        >>> import numpy as np
        >>> check_probabilities(np.array([[0.25, 0.75]])).tolist()
        [[0.25, 0.75]]
    """
    probs = as_float64(name, probs, shape)
    low, sums = float(probs.min()), probs.sum(axis=1)
    if low < 0 or float(jnp.max(jnp.abs(sums - 1))) > 1e-4:
        raise ValueError(
            f"{name}: rows must be probability vectors, but the smallest entry is {low:.3g} and row sums run "
            f"from {float(sums.min()):.3g} to {float(sums.max()):.3g}; acquisition.probabilities makes them."
        )
    return probs


def least_confident(probs: Float[ArrayLike, "m C"]) -> Float[Array, " m"]:
    r"""Return one minus the probability of the most likely class, :math:`1 - \max_k p_{ik}`.

    Args:
        probs: Class probabilities, shape (m, C), rows sum to one.

    Returns:
        Scores, shape (m,), larger is better, between 0 and 1 - 1/C.

    Raises:
        ValueError: When a row is not a probability vector.

    Source:
        Settles (2009), section 3.1.

    Example:
        >>> import numpy as np
        >>> least_confident(np.array([[0.75, 0.25], [0.5, 0.5]])).tolist()
        [0.25, 0.5]
    """
    return 1.0 - check_probabilities(probs).max(axis=1)


def margin(probs: Float[ArrayLike, "m C"]) -> Float[Array, " m"]:
    r"""Return minus the gap between the two most likely classes, :math:`-(p_{i(1)} - p_{i(2)})`.

    Args:
        probs: Class probabilities, shape (m, C), rows sum to one.

    Returns:
        Scores, shape (m,), larger is better, between -1 and 0; with one class every score is -1.

    Raises:
        ValueError: When a row is not a probability vector.

    Source:
        Settles (2009), section 3.1.

    Example:
        >>> import numpy as np
        >>> margin(np.array([[0.75, 0.25, 0.0], [0.5, 0.5, 0.0]])).tolist()
        [-0.5, 0.0]
    """
    ordered = jnp.sort(check_probabilities(probs), axis=1)
    return ordered[:, -2] - ordered[:, -1] if ordered.shape[1] > 1 else -ordered[:, -1]


def entropy(probs: Float[ArrayLike, "m C"]) -> Float[Array, " m"]:
    r"""Return the entropy of the class probabilities in nats, :math:`-\sum_k p_{ik} \log p_{ik}`.

    Args:
        probs: Class probabilities, shape (m, C), rows sum to one.

    Returns:
        Scores, shape (m,), larger is better, between 0 and log C.

    Raises:
        ValueError: When a row is not a probability vector.

    Source:
        Settles (2009), section 3.1.

    Example:
        >>> import numpy as np
        >>> entropy(np.array([[1.0, 0.0], [0.5, 0.5]])).round(4).tolist()
        [0.0, 0.6931]
    """
    probs = check_probabilities(probs)
    return jnp.sum(jnp.where(probs > 0, -probs * jnp.log(jnp.where(probs > 0, probs, 1.0)), 0.0), axis=1)
