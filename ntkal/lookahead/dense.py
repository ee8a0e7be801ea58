"""The look-ahead with its covariance as an array: the fastest when a pool is scored after each label."""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ntkal.inputs import is_traced
from ntkal.kernels import host
from ntkal.kernels.rounding import check_symmetric
from ntkal.lookahead.condition import KernelLookahead, check_semidefinite


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Lookahead(KernelLookahead):
    r"""Mean and covariance of the trained linearised network over a pool of m inputs.

    With :math:`A = (\Theta(X,X) + \lambda I)^{-1} \Theta(X,U)` for labelled inputs X and pool inputs U,

    .. math:: M = f(U) + A^\top (Y - f(X)), \qquad S = \Theta(U,U) - \Theta(U,X) A .

    Every look-ahead criterion is a function of M and S: labelling candidate c with y makes the mean
    :math:`M + S_{:c} (y - M_c)^\top / (S_{cc} + \lambda)`, which is the network refitted on the labelled
    set and c. Build one with :meth:`fit`. A label costs O(m^2), r labels together O(r m^2).

    Attributes:
        mean: M, shape (m, C), float64.
        cov: S, shape (m, m), float64, symmetric positive semi-definite.
        ridge: λ, as in :class:`~ntkal.lookahead.Posterior`.
        floor: As in :class:`~ntkal.lookahead.Posterior`.

    Source:
        Mohamadi, Bae and Sutherland (2022), equations (11) and (12), with the inverse that the printed (12)
        omits; the form in M and S is Gaussian conditioning, as in Rasmussen and Williams (2006), chapter 2.

    Example:
        >>> labelled, pool = np.array([[1.0, 0.0]]), np.array([[1.0, 1.0], [0.0, 2.0]])
        >>> post = Lookahead.fit(labelled @ labelled.T, pool @ labelled.T, pool @ pool.T,
        ...                      np.zeros((1, 1)), np.zeros((2, 1)), np.array([[3.0]]))
        >>> post.mean.tolist()
        [[3.0], [0.0]]
        >>> post.after(1, np.array([4.0])).tolist()
        [[5.0], [4.0]]
    """

    mean: Float[Array, "m C"]
    cov: Float[Array, "m m"]
    ridge: Float[Array, ""] | float
    floor: Float[Array, ""] | float = 0.0
    stored: ClassVar[bool] = True

    @classmethod
    def _of(cls, it):
        if not is_traced(it.k_pp):
            check_symmetric("k_pp", it.k_pp, it.eps)
        cov = _minus_gram(it.k_pp, it.half)
        known, error, floor = it.rounding(jnp.diag(cov))
        if is_traced(known) or bool(known.any()):
            cov = jnp.where(known[:, None] | known[None, :], 0.0, cov)
        check_semidefinite(cov, error)
        return cls(it.mean, cov, it.ridge, floor)

    @property
    def variance(self) -> Float[Array, " m"]:
        """The diagonal of S, shape (m,)."""
        return jnp.diag(self.cov)

    def variance_of(self, c) -> Float[Array, ""]:
        """S_cc of one candidate."""
        return self.cov[c, c]

    def absolute_sums(self) -> Float[Array, " m"]:
        """The row sums of the sizes of S, shape (m,): one pass."""
        return jnp.sum(jnp.abs(self.cov), axis=1)

    def _columns(self, take):
        return take(self.cov).T  # S is symmetric, and a row lies together in memory

    def _with_label(self, c, mean, column, variance):
        row = column[:, 0]
        gained = row / variance
        if host.on_host(self.cov) and self.cov.nbytes >= host.LARGE and not is_traced(row):
            cov = host.minus_outer(self.cov, np.asarray(row), np.asarray(gained))
        else:
            cov = _minus_outer(self.cov, row, gained)
        return Lookahead(mean, cov, self.ridge, self.floor)

    def _with_labels(self, at, mean, half, factor):
        return Lookahead(mean, _minus_gram(self.cov, half), self.ridge, self.floor)


def _minus_gram(whole, half):
    if host.on_host(whole) and host.on_host(half):
        return host.minus_gram(whole, half)
    return _minus_product(whole, half)


@jax.jit
def _minus_product(whole, half):
    return whole - half @ half.T


@jax.jit
def _minus_outer(cov, row, gained):
    return cov - row[:, None] * gained[None, :]
