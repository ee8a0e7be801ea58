"""A small network of each family, shared by the tests."""

import jax
import numpy as np

from ntkal import models

SMALL = {
    "mlp": {"input_shape": (3, 2), "width": 7, "depth": 2},
    "cnn": {"input_shape": (8, 7, 2), "width": 5},
    "wide_resnet": {"input_shape": (8, 7, 2), "width": 8},
    "resnet18": {"input_shape": (8, 7, 2), "width": 16},
}
STAGES = {"mlp": [7, 7], "cnn": [5, 5, 5], "wide_resnet": [2, 4, 8], "resnet18": [2, 4, 8, 16]}
RESIDUAL = ["resnet18", "wide_resnet"]


def make(name, dtype="float64", **options):
    return models.get(name, **(SMALL[name] | {"classes": 3, "dtype": dtype} | options))


def moved(params, rng, by=0.3):
    """The parameters and running statistics, pushed away from where they start; variances stay positive."""
    return jax.tree.map(
        lambda leaf: np.asarray(leaf) + by * rng.uniform(0.1, 1.0, leaf.shape).astype(leaf.dtype), params
    )


def flat(tree):
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)])


def size(model):
    """The number of weights."""
    weights = jax.eval_shape(model.init, jax.random.key(0))["weights"]
    return sum(leaf.size for leaf in jax.tree.leaves(weights))
