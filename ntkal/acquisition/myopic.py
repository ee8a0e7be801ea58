"""Myopic scores: how uncertain the present model, or a few of its kind, are about each candidate."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from ntkal.inputs import ArrayLike, as_float64, is_traced


def check_classes(name: str, classes: int) -> None:
    """Raise a ValueError when there is but one output, of which arg-max and entropy say nothing."""
    if classes < 2:
        raise ValueError(
            f"{name}: expected two or more classes, got {classes} output; give a binary problem two outputs "
            "and one-hot labels, and score a regression by acquisition.variance_reduction."
        )


def probabilities(outputs: Float[ArrayLike, "*m C"]) -> Float[Array, "*m C"]:
    r"""Return class probabilities from the outputs of a network trained on the squared loss.

    .. math:: p_{ik} = \max(f_{ik}, 0) \Big/ \sum_j \max(f_{ij}, 0)

    The minimiser of the squared loss on one-hot labels is the vector of class probabilities itself, so its
    estimate is only clipped and normalised; a softmax of it would be nearly uniform. Where no output is
    positive the row is uniform.

    Args:
        outputs: Network outputs, shape (m, C), or with further axes before the last; C at least 2.

    Returns:
        Probabilities, of the same shape, float64; along the last axis they sum to one.

    Raises:
        ValueError: For no rows, a single output, or NaN.

    Example:
        >>> import numpy as np
        >>> probabilities(np.array([[0.6, 0.2, -0.1], [-1.0, -1.0, -1.0]])).round(2).tolist()
        [[0.75, 0.25, 0.0], [0.33, 0.33, 0.33]]
    """
    outputs = as_float64("outputs", outputs, (None,) * max(jnp.ndim(outputs), 2))
    check_classes("outputs", outputs.shape[-1])
    kept = jnp.maximum(outputs, 0.0)
    total = kept.sum(axis=-1, keepdims=True)
    return jnp.where(total > 0, kept / jnp.where(total > 0, total, 1.0), 1.0 / outputs.shape[-1])


def check_probabilities(
    probs: Float[ArrayLike, "*m C"], shape: tuple[int | None, ...] = (None, None), name: str = "probs"
) -> Float[Array, "*m C"]:
    """Return ``probs`` as float64, or raise a ValueError when a row is no probability vector."""
    probs = as_float64(name, probs, shape)
    check_classes(name, probs.shape[-1])
    if is_traced(probs):
        return probs
    low, sums = float(probs.min()), probs.sum(axis=-1)
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
        ValueError: When a row is not a probability vector, or there is one class.

    Source:
        Settles (2009), section 3.1, as for :func:`margin` and :func:`entropy`.

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
        Scores, shape (m,), larger is better, between -1 and 0.

    Raises:
        ValueError: When a row is not a probability vector, or there is one class.

    Example:
        >>> import numpy as np
        >>> margin(np.array([[0.75, 0.25, 0.0], [0.5, 0.5, 0.0]])).tolist()
        [-0.5, 0.0]
    """
    ordered = jnp.sort(check_probabilities(probs), axis=1)
    return ordered[:, -2] - ordered[:, -1]


def entropy(probs: Float[ArrayLike, "m C"]) -> Float[Array, " m"]:
    r"""Return the entropy of the class probabilities in nats, :math:`-\sum_k p_{ik} \log p_{ik}`.

    Args:
        probs: Class probabilities, shape (m, C), rows sum to one.

    Returns:
        Scores, shape (m,), larger is better, between 0 and log C.

    Raises:
        ValueError: When a row is not a probability vector, or there is one class.

    Example:
        >>> import numpy as np
        >>> entropy(np.array([[1.0, 0.0], [0.5, 0.5]])).round(4).tolist()
        [0.0, 0.6931]
    """
    return _entropy(check_probabilities(probs))


def bald(samples: Float[ArrayLike, "s m C"]) -> Float[Array, " m"]:
    r"""Return the mutual information between each candidate's label and the sampled model.

    .. math:: a_c = H\Big(\frac1s \sum_r p^{(r)}_c\Big) - \frac1s \sum_r H\big(p^{(r)}_c\big),
              \qquad H(p) = -\sum_k p_k \log p_k

    The first term is the whole uncertainty about the label, the second the part that would remain if the
    model were known. What is left is disagreement between the models; noise in the labels cancels.

    The strategy ``"bald"`` samples models by an *ensemble* (:func:`ntkal.training.ensemble.outputs`), not by
    Monte Carlo dropout, which would change the classifier that every other strategy uses.

    Args:
        samples: Class probabilities under s models (members of an ensemble, draws from a posterior), shape
            (s, m, C), rows sum to one.

    Returns:
        Scores in nats, shape (m,), larger is better, between 0 and the smaller of log C and log s. A single
        model has nobody to disagree with: all scores are 0.

    Raises:
        ValueError: For another shape, one class, or when a row is not a probability vector.

    Source:
        Houlsby, Huszár, Ghahramani and Lengyel (2011), equation (2); Gal, Islam and Ghahramani (2017), who
        sample by dropout; Beluch, Genewein, Nürnberger and Köhler (2018), whose ensembles do better.

    Example:
        >>> import numpy as np
        >>> agree, differ = [[0.5, 0.5], [0.5, 0.5]], [[1.0, 0.0], [0.0, 1.0]]
        >>> bald(np.stack([agree, differ], axis=1)).round(4).tolist()
        [0.0, 0.6931]
    """
    samples = check_probabilities(samples, (None, None, None), "samples")
    # Entropy is concave, so the difference is not negative; rounding can make it so.
    return jnp.maximum(_entropy(samples.mean(axis=0)) - _entropy(samples).mean(axis=0), 0.0)


def _entropy(probs: Float[Array, "*m C"]) -> Float[Array, "*m"]:
    return jnp.sum(jnp.where(probs > 0, -probs * jnp.log(jnp.where(probs > 0, probs, 1.0)), 0.0), axis=-1)
