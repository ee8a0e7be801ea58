"""Two of our scores beside scikit-activeml, which fits a new model for each candidate and label."""

import importlib.util
import warnings
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import softmax

from ntkal import models
from ntkal.acquisition import eer, expected_squared_change
from ntkal.lookahead import Lookahead
from ntkal.textbook.bench.timing import Peer, rows

FEW = 2
"""Candidates that scikit-activeml is timed on; its seconds are scaled to the whole pool."""


def both(size: int = 400, classes: int = 10, seed: int = 0, ridge: float = 0.1) -> list[dict[str, Any]]:
    """Return a row for each of the two; where scikit-activeml is not installed, the rows say so.

    Args:
        size: Labelled inputs, and as many in the pool.
        classes: Number of classes.
        seed: Draws inputs, labels and the network.
        ridge: Absolute, for features of mean squared length 1.

    Example:
        >>> [made["needed"] for made in both(size=12, classes=2)]
        [1000, 1000]
    """
    rng, here = np.random.default_rng(seed), importlib.util.find_spec("skactiveml") is not None
    model = models.mlp((8, 8, 1), 10, width=16, dtype="float64")
    params, x = model.init(jax.random.key(seed)), jnp.asarray(rng.random((2 * size, 8, 8, 1)))
    gradients = jax.jacrev(lambda params: model.apply(params, x)[:, 0])(params)
    features = np.concatenate([leaf.reshape(2 * size, -1) for leaf in jax.tree.leaves(gradients)], axis=1)
    features /= np.sqrt(np.mean(np.sum(features**2, axis=1)))
    kernel = jnp.asarray(features @ features.T)
    blocks = kernel[:size, :size], kernel[size:, :size], kernel[size:, size:]
    numbers = rng.normal(size=size)
    known = np.concatenate([np.arange(classes), rng.integers(classes, size=size - classes)])

    def fitted(labels):
        return Lookahead.fit(*blocks, 0 * labels, 0 * labels, labels, ridge=ridge)

    def error():
        post = fitted(np.eye(classes)[known])
        return eer(post, softmax(np.asarray(post.mean), axis=1), link="softmax")

    def change():
        return expected_squared_change(fitted(numbers[:, None]))

    made = []
    for name, ours, given, theirs in (
        ("ExpectedModelOutputChange", change, numbers, _change),
        ("MonteCarloEER", error, known, _error),
    ):
        task = partial(_asked, *theirs(ridge, classes), features, given) if here else None
        peer = Peer("scikit-activeml", task, 1000, size / FEW, 1e-10)
        with warnings.catch_warnings(action="ignore"):
            made += rows(f"as {name}, from kernels (n = m = {size})", ours, peer, repeats=2)
    return made


def _asked(rule, model, features: np.ndarray, known: np.ndarray) -> np.ndarray:
    size = len(known)
    y, at = np.concatenate([known, np.full(size, np.nan)]), np.arange(size, size + FEW)
    options = {"candidates": at, "X_eval": features[size:], "return_utilities": True}
    return rule.query(features, y, model, **options)[1][0, at]


def _change(ridge: float, classes: int):
    from skactiveml.pool import ExpectedModelOutputChange
    from skactiveml.regressor import SklearnNormalRegressor
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import DotProduct

    process = GaussianProcessRegressor(DotProduct(sigma_0=0.0), alpha=ridge, optimizer=None)
    integration = {"method": "gauss_hermite", "n_integration_samples": 3}
    return ExpectedModelOutputChange(integration_dict=integration), SklearnNormalRegressor(process)


def _error(ridge: float, classes: int):
    from skactiveml.pool import MonteCarloEER

    return MonteCarloEER(method="log_loss"), kernel_ridge()(ridge, classes=list(range(classes)))


def kernel_ridge() -> type:
    """Return the classifier that scikit-activeml is given; it can be made where that is installed only."""
    from skactiveml.base import SkactivemlClassifier

    class KernelRidge(SkactivemlClassifier):
        """Ridge regression to one-hot labels with a linear kernel; a softmax of its outputs."""

        def __init__(
            self, ridge=1.0, classes=None, missing_label=np.nan, cost_matrix=None, random_state=None
        ):
            super().__init__(classes, missing_label, cost_matrix, random_state)
            self.ridge = ridge

        def fit(self, X, y, sample_weight=None):
            X, y, _ = self._validate_data(X, y, sample_weight)
            X, labels = X[y >= 0], np.eye(len(self.classes_))[y[y >= 0]]  # a missing label has become -1
            self.rows_, self.dual_ = X, np.linalg.solve(X @ X.T + self.ridge * np.eye(len(X)), labels)
            return self

        def predict_proba(self, X):
            return softmax(X @ self.rows_.T @ self.dual_, axis=1)

    return KernelRidge
