"""Two of our scores beside scikit-activeml, which fits a new model for each candidate and label."""

import importlib.util
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import softmax

from ntkal.acquisition import eer, expected_squared_change
from ntkal.lookahead.dense import Lookahead
from ntkal.textbook.bench.timing import best, gap, missing, row

FEW = 2
"""Candidates that scikit-activeml is timed on; its seconds are scaled to the whole pool."""

_NAMES = ("ExpectedModelOutputChange", "MonteCarloEER")


def rows(size: int = 400, classes: int = 10, seed: int = 0, ridge: float = 0.1) -> list[dict[str, Any]]:
    """Return a row for each of the two; where scikit-activeml is not installed, the rows say so.

    Args:
        size: Labelled inputs, and as many in the pool.
        classes: Number of classes.
        seed: Draws inputs, labels and the network.
        ridge: Absolute, for features of mean squared length 1.

    Example:
        >>> [made["needed"] for made in rows(size=12, classes=2)]
        [1000.0, 1000.0]
    """
    if importlib.util.find_spec("skactiveml") is None:
        return [missing(f"as {name}", "scikit-activeml", 1000, "not installed") for name in _NAMES]
    with warnings.catch_warnings(action="ignore"):
        return [_change(size, seed, ridge), _error(size, classes, seed, ridge)]


def _case(size: int, seed: int, labels: np.ndarray, ridge: float):
    """Jacobian features of a small network at random inputs, and the fit on their kernel."""
    from ntkal import models

    model = models.mlp((8, 8, 1), 10, width=16, dtype="float64")
    x = np.random.default_rng(seed).random((2 * size, 8, 8, 1))
    gradient = jax.grad(lambda params, one: model.apply(params, one[None])[0, 0])
    leaves = jax.tree.leaves(jax.vmap(gradient, (None, 0))(model.init(jax.random.key(seed)), jnp.asarray(x)))
    features = np.concatenate([np.asarray(leaf, float).reshape(2 * size, -1) for leaf in leaves], axis=1)
    features /= np.sqrt(np.mean(np.sum(features**2, axis=1)))
    kernel = jnp.asarray(features @ features.T)
    blocks = kernel[:size, :size], kernel[size:, :size], kernel[size:, size:]
    outputs = jnp.zeros(labels.shape)
    return features, lambda: Lookahead.fit(*blocks, outputs, outputs, jnp.asarray(labels), ridge=ridge)


def _change(size: int, seed: int, ridge: float) -> dict[str, Any]:
    from skactiveml.pool import ExpectedModelOutputChange
    from skactiveml.regressor import SklearnNormalRegressor
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import DotProduct

    known = np.random.default_rng(seed).normal(size=size)
    x, fit = _case(size, seed, known[:, None], ridge)
    y = np.concatenate([known, np.full(size, np.nan)])
    process = GaussianProcessRegressor(DotProduct(sigma_0=0.0), alpha=ridge, optimizer=None)
    rule = ExpectedModelOutputChange(integration_dict={"method": "gauss_hermite", "n_integration_samples": 3})

    def theirs():
        at = np.arange(size, size + FEW)
        options = {"candidates": at, "X_eval": x[size:], "return_utilities": True}
        return rule.query(x, y, SklearnNormalRegressor(process), **options)[1][0, at]

    return _row(0, size, lambda: expected_squared_change(fit()), theirs)


def _error(size: int, classes: int, seed: int, ridge: float) -> dict[str, Any]:
    from skactiveml.pool import MonteCarloEER

    rng = np.random.default_rng(seed)
    known = np.concatenate([np.arange(classes), rng.integers(classes, size=size - classes)])
    x, fit = _case(size, seed, np.eye(classes)[known], ridge)
    y = np.concatenate([known, np.full(size, np.nan)])
    model, rule = kernel_ridge()(ridge, classes=list(range(classes))), MonteCarloEER(method="log_loss")

    def ours():
        post = fit()
        return eer(post, softmax(np.asarray(post.mean), axis=1))

    def theirs():
        at = np.arange(size, size + FEW)
        options = {"candidates": at, "X_eval": x[size:], "return_utilities": True}
        return rule.query(x, y, model, **options)[1][0, at]

    return _row(1, size, ours, theirs)


def _row(which: int, size: int, ours, theirs) -> dict[str, Any]:
    (seconds, few), (have, want) = best([ours, theirs], repeats=2)
    return row(
        f"as {_NAMES[which]}, from kernels (n = m = {size})",
        seconds,
        "scikit-activeml",
        few * size / FEW,
        needed=1000,
        difference=gap(have[:FEW], want),
        difference_at_most=1e-10,
    )


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
