"""BALD: how much a label would tell about which of several sampled models is right."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from ntkal.acquisition.myopic import check_probabilities, entropy
from ntkal.inputs import ArrayLike, as_float64


def bald(samples: Float[ArrayLike, "s m C"]) -> Float[Array, " m"]:
    r"""Return the mutual information between each candidate's label and the sampled model.

    .. math:: a_c = H\Big(\frac1s \sum_r p^{(r)}_c\Big) - \frac1s \sum_r H\big(p^{(r)}_c\big),
              \qquad H(p) = -\sum_k p_k \log p_k

    The first term is the whole uncertainty about the label, the second the part that would remain if the
    model were known. What is left is disagreement between the models; noise in the labels cancels.

    The strategy ``"bald"`` samples models by an *ensemble* (:func:`ntkal.training.ensemble.outputs`), not by Monte
    Carlo dropout: our networks have no dropout layer, and adding one would change the classifier that every
    other strategy uses. Its probabilities are those of :func:`~ntkal.acquisition.probabilities`.

    Args:
        samples: Class probabilities under s models (members of an ensemble, draws from a posterior), shape
            (s, m, C), rows sum to one.

    Returns:
        Scores in nats, shape (m,), larger is better, between 0 and the smaller of log C and log s. A single
        model has nobody to disagree with: all scores are 0.

    Raises:
        ValueError: For another shape, or when a row is not a probability vector.

    Source:
        Houlsby, Huszár, Ghahramani and Lengyel (2011), equation (2); Gal, Islam and Ghahramani (2017), who
        sample by dropout; Beluch, Genewein, Nürnberger and Köhler (2018), whose ensembles do better.

    Example:
        >>> import numpy as np
        >>> agree, differ = [[0.5, 0.5], [0.5, 0.5]], [[1.0, 0.0], [0.0, 1.0]]
        >>> bald(np.stack([agree, differ], axis=1)).round(4).tolist()
        [0.0, 0.6931]
    """
    samples = as_float64("samples", samples, (None, None, None))
    s, m, classes = samples.shape
    rows = check_probabilities(samples.reshape(s * m, classes), name="samples")
    known_model = entropy(rows).reshape(s, m).mean(axis=0)
    # Entropy is concave, so the difference is not negative; rounding can make it so.
    return jnp.maximum(entropy(samples.mean(axis=0)) - known_model, 0.0)
