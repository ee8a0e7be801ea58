"""The exact look-ahead of a pool whose covariance is never formed: the kernel minus a product."""

from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ntkal.inputs import as_float64, is_traced
from ntkal.kernels.rounding import refuse_asymmetry
from ntkal.lookahead.condition import KernelLookahead, check_covariance, scales
from ntkal.lookahead.row_sums import walk

TOGETHER = 64
"""Reveals that are gathered before they join V, which is copied then."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class ImplicitLookahead(KernelLookahead):
    r"""The look-ahead of :class:`ntkal.Lookahead`, with its covariance held as a difference.

    .. math:: S = \Theta(U,U) - V V^\top, \qquad V = \Theta(U,X) L^{-\top}, \qquad
              L L^\top = \Theta(X,X) + \lambda I

    Beside the kernel of the pool, which is not copied, it holds m x n numbers in place of m x m, and a reveal
    adds one column to V, :math:`S_{:c} / \sqrt{S_{cc} + \lambda}`: O(m (n + r)) after r reveals, in place of
    O(m^2). Every score takes it; those that read all of S make its entries anew each time, O(m^2 (n + r)),
    for the norm form and EMOC once and at the price of half a product. Made anew, an entry may differ by what
    the kernel's entries are rounded by.

    Take it to score a pool once in little memory, or to reveal many labels while only means, variances and
    single columns are looked at. For scores after each reveal, :class:`ntkal.Lookahead` is faster. A loop
    that is traced has to say by :meth:`with_room` how many labels it reveals; without room, the variances
    are NaN from then on.

    Attributes:
        mean: M, shape (m, C), float64.
        kernel: :math:`\Theta(U,U)`, shape (m, m), float64.
        half: V, shape (m, k).
        recent: Columns of V from the last reveals, then zeros, shape (m, 64) or as many as there is room for.
        count: How many of them.
        variances: The diagonal of S, shape (m,).
        keep: 0 for candidates that were determined from the start, whose rows of S are zero, else 1.
        ridge: λ.
        floor: As in :class:`~ntkal.lookahead.Posterior`.
        sums: :math:`\sum_u |S_{uc}|`, shape (m,), from the fit; NaN after a reveal.

    Source:
        Equations (11) and (12) of Mohamadi, Bae and Sutherland (2022), as :class:`ntkal.Lookahead`; a reveal
        appends the next column of the Cholesky factor, as in Golub and Van Loan (2013), section 4.2.

    Example:
        >>> labelled, pool = np.array([[1.0, 0.0]]), np.array([[1.0, 1.0], [0.0, 2.0]])
        >>> post = ImplicitLookahead.fit(labelled @ labelled.T, pool @ labelled.T, pool @ pool.T,
        ...                              np.zeros((1, 1)), np.zeros((2, 1)), np.array([[3.0]]))
        >>> post.reveal(1, np.array([4.0])).mean.tolist()
        [[5.0], [4.0]]
    """

    mean: Float[Array, "m C"]
    kernel: Float[Array, "m m"]
    half: Float[Array, "m k"]
    recent: Float[Array, "m b"]
    count: Int[Array, ""] | int
    variances: Float[Array, " m"]
    keep: Float[Array, " m"]
    ridge: Float[Array, ""] | float
    floor: Float[Array, ""] | float
    sums: Float[Array, " m"]

    @classmethod
    def _of(cls, it):
        """After one walk over S that checks it and sums the sizes of its rows."""
        variances = _variances(it.k_pp, it.half)
        known, error, floor = it.rounding(variances)
        keep = (~known).astype(jnp.float64)
        variances = variances * keep
        seen = walk(it.k_pp, it.half, scales(variances, error), keep)
        if not is_traced(seen):
            if not np.isfinite(seen.sums).all():
                as_float64("k_pp", it.k_pp, it.k_pp.shape)  # says how many entries are not
            refuse_asymmetry("k_pp", float(seen.asymmetry), float(it.prior), it.eps)
        check_covariance(variances, seen.excess, partial(_entries, it.k_pp, it.half, keep), error)
        nothing = jnp.zeros_like(it.mean, shape=(len(keep), TOGETHER))
        return cls(it.mean, it.k_pp, it.half, nothing, 0, variances, keep, it.ridge, floor, seen.sums)

    @property
    def variance(self) -> Float[Array, " m"]:
        """The diagonal of S, shape (m,)."""
        return self.variances

    def absolute_sums(self) -> Float[Array, " m"]:
        r"""Return :math:`\sum_u |S_{uc}|` for each candidate, shape (m,): from the fit, or by a walk."""

        def anew():
            half = jnp.concatenate([self.half, self.recent], axis=1)
            return walk(self.kernel, half, jnp.ones_like(self.keep), self.keep).sums

        return jax.lax.cond(jnp.isnan(self.sums[0]), anew, lambda: self.sums)

    def with_room(self, reveals: int) -> "ImplicitLookahead":
        """The same, such that ``reveals`` more labels change no shape: what a loop that is traced needs."""
        used = self.recent if is_traced(self.count) else self.recent[:, : int(self.count)]
        half = jnp.concatenate([self.half, used], axis=1)
        recent = jnp.zeros_like(used, shape=(len(used), max(reveals, 1)))
        return replace(self, half=half, recent=recent, count=0)

    def _columns(self, take):
        rows = take(self.kernel) - take(self.half) @ self.half.T - take(self.recent) @ self.recent.T
        # Without the barrier XLA turns the products and the sum that follows into one slow loop.
        return jax.lax.optimization_barrier(rows * take(self.keep)[:, None] * self.keep[None, :]).T

    def _with_label(self, c, mean, column, variance):
        post = self
        if not is_traced(self.count) and int(self.count) == self.recent.shape[1]:
            post = self.with_room(TOGETHER)
        recent, variances = _appended(post.recent, post.variances, column, variance, post.count)
        changed = {"mean": mean, "recent": recent, "count": post.count + 1, "variances": variances}
        return replace(post, sums=jnp.full_like(self.sums, jnp.nan), **changed)

    def _with_labels(self, at, mean, half, factor):
        variances, sums = self.variances - jnp.sum(half**2, axis=1), jnp.full_like(self.sums, jnp.nan)
        half = jnp.concatenate([self.half, half], axis=1)
        return replace(self, mean=mean, half=half, variances=variances, sums=sums)


@jax.jit
def _variances(kernel, half):
    return jnp.diag(kernel) - jnp.sum(half**2, axis=1)


@jax.jit
def _entries(kernel, half, keep, i, j):
    return (kernel[i[:, None], j[None, :]] - half[i] @ half[j].T) * keep[i][:, None] * keep[j][None, :]


@jax.jit
def _appended(recent, variances, column, variance, count):
    """One more column beside the ``count`` recent ones; NaN where there is no room: nobody is misled."""
    added = jnp.where(count < recent.shape[1], column / jnp.sqrt(variance), jnp.nan)
    return jax.lax.dynamic_update_slice_in_dim(recent, added, count, 1), variances - added[:, 0] ** 2
