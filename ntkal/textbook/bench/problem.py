"""Made-up kernels, outputs and labels that all rows share."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from ntkal.inputs import ArrayLike
from ntkal.lookahead.dense import Lookahead
from ntkal.lookahead.implicit import ImplicitLookahead

FEW = 8
"""Candidates that peers without blocks are timed on; their seconds are scaled to the whole pool."""


@dataclass(frozen=True)
class Case:
    """Kernels of n labelled and m pool inputs, and what the network says of them.

    Attributes:
        kernels: k_ll, k_pl, k_pp as JAX arrays.
        rest: f_l, f_p, y_l.
        ridge: Absolute.
        post: The look-ahead fitted to them.
        features: Rows whose products the kernels are, first the labelled ones.

    Example:
        >>> made_up(5, 8, 2).post.mean.shape
        (8, 2)
    """

    kernels: tuple[ArrayLike, ArrayLike, ArrayLike]
    rest: tuple[ArrayLike, ArrayLike, ArrayLike]
    ridge: float
    post: Lookahead
    features: np.ndarray

    def fit(self) -> Lookahead:
        """Fit the look-ahead anew."""
        return Lookahead.fit(*self.kernels, *self.rest, ridge=self.ridge)

    def implicit(self) -> ImplicitLookahead:
        """Fit it without its covariance."""
        return ImplicitLookahead.fit(*self.kernels, *self.rest, ridge=self.ridge)


def made_up(n: int, m: int, classes: int, seed: int = 0, ridge: float = 1e-3) -> Case:
    """Return kernels of random features, more of them than labelled inputs and fewer than all.

    Example:
        >>> made_up(5, 8, 3).kernels[1].shape
        (8, 5)
    """
    rng = np.random.default_rng(seed)
    width = n + m // 4
    features = rng.normal(size=(n + m, width)) / np.sqrt(width)
    labelled, pool = features[:n], features[n:]
    kernels = tuple(jnp.asarray(k) for k in (labelled @ labelled.T, pool @ labelled.T, pool @ pool.T))
    y = np.eye(classes)[rng.integers(classes, size=n)]
    rest = tuple(jnp.asarray(a) for a in (np.zeros((n, classes)), 0.1 * rng.normal(size=(m, classes)), y))
    return Case(kernels, rest, ridge, Lookahead.fit(*kernels, *rest, ridge=ridge), features)
