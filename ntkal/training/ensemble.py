"""Ensembles: networks that differ only in their initial weights and their batches."""

from collections.abc import Sequence

import jax
import numpy as np
from jaxtyping import Float

from ntkal.inputs import ArrayLike, as_float64
from ntkal.models import Model
from ntkal.training.settings import TrainConfig
from ntkal.training.sgd import fit, predict


def outputs(
    model: Model,
    x: Float[ArrayLike, "n ..."],
    y: Float[ArrayLike, "n C"],
    x_pool: Float[ArrayLike, "m ..."],
    config: TrainConfig,
    keys: Sequence[jax.Array] | jax.Array,
    first: Float[ArrayLike, "m C"] | None = None,
) -> Float[np.ndarray, "E m C"]:
    """Train one network for each key and return what all of them say about the pool.

    Where the labelled set decides, the members agree; elsewhere their initial weights show. Each member costs
    a whole training; the classifier can be the first.

    Args:
        model: The network.
        x: Labelled inputs (n, ...).
        y: Their targets (n, C).
        x_pool: Inputs of the pool (m, ...).
        config: How each member is trained.
        keys: JAX random keys, an array or a sequence of them, one for each member to train; a key draws its
            initial weights, batches and augmentation.
        first: Outputs (m, C) of a network trained before, such as the classifier, to be the first member.

    Returns:
        Outputs (E, m, C) in the model's precision; E counts the keys, and ``first`` if it is given.

    Raises:
        ValueError: When that makes fewer than two members, and when shapes do not fit.
        FloatingPointError: When a member's training diverges.

    Source:
        Lakshminarayanan, Pritzel and Blundell (2017), without their adversarial examples; as a committee for
        active learning, Beluch, Genewein, Nürnberger and Köhler (2018).

    Example:
        >>> import jax, ntkal
        >>> found = ntkal.load("moons")
        >>> y = ntkal.data.one_hot(found.y_train, 2)
        >>> model = ntkal.models.mlp((2,), 2, width=8)
        >>> config = TrainConfig(steps=20, learning_rate=0.05)
        >>> keys = jax.random.split(jax.random.key(0), 3)
        >>> outputs(model, found.x_train[:10], y[:10], found.x_train[10:16], config, keys).shape
        (3, 6, 2)
    """
    if getattr(keys, "ndim", 1) == 0:
        raise ValueError("keys: expected one key for each member, as jax.random.split(key, 4), got one key.")
    members = len(keys) + (first is not None)
    if members < 2:
        raise ValueError(
            f"keys: an ensemble needs at least two members, got {members}; give more keys, or `first` too."
        )
    said = []
    if first is not None:
        as_float64("first", first, (len(x_pool), np.shape(y)[-1]))
        said.append(np.asarray(first))
    for key in keys:
        of_weights, of_batches = jax.random.split(key)
        params, _ = fit(model, model.init(of_weights), x, y, config, of_batches)
        said.append(predict(model, params, x_pool))
    return np.stack(said)
