"""The exact look-ahead of a pool whose covariance is never formed: the kernel minus a product."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Integer, Real

from ntkal.inputs import ArrayLike, as_float64
from ntkal.kernels.rounding import refuse_asymmetry
from ntkal.lookahead.condition import condition
from ntkal.lookahead.covariance import check_covariance, scales
from ntkal.lookahead.posterior import Posterior, moved
from ntkal.lookahead.row_sums import walk

TOGETHER = 64
"""Reveals that are gathered before they join V, which is copied then."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class ImplicitLookahead(Posterior):
    r"""The look-ahead of :class:`ntkal.Lookahead`, with its covariance held as a difference.

    .. math:: S = \Theta(U,U) - V V^\top, \qquad V = \Theta(U,X) L^{-\top}, \qquad
              L L^\top = \Theta(X,X) + \lambda I

    Beside the kernel of the pool, which is not copied, it holds m x n numbers in place of m x m, and a reveal
    adds one column to V: O(m (n + r)) after r reveals, in place of O(m^2). Every score takes it; those that
    read all of S make its entries anew each time, O(m^2 (n + r)), for the norm form and EMOC once and at the
    price of half a product. Made anew, an entry may differ by what the kernel's entries are rounded by.

    Take it to score a pool once in little memory, or to reveal many labels while only means, variances and
    single columns are looked at. For scores after each reveal, :class:`ntkal.Lookahead` is faster.

    Attributes:
        mean: M, shape (m, C), float64.
        kernel: :math:`\Theta(U,U)`, shape (m, m), float64.
        half: V, shape (m, k).
        recent: Columns of V from the last reveals, then zeros, shape (m, 64).
        count: How many of them.
        variances: The diagonal of S, shape (m,).
        keep: 0 for candidates that were determined from the start, whose rows of S are zero, else 1.
        ridge: λ.
        floor: As in :class:`ntkal.Lookahead`.
        sums: :math:`\sum_u |S_{uc}|`, shape (m,), from the fit; None after a reveal.

    Source:
        Equations (11) and (12) of Mohamadi, Bae and Sutherland (2022), as :class:`ntkal.Lookahead`; a reveal
        appends the next column of the Cholesky factor, as in Golub and Van Loan (2013), section 4.2.

    Example:
        >>> labelled, pool = np.array([[1.0, 0.0]]), np.array([[1.0, 1.0], [0.0, 2.0]])
        >>> post = ImplicitLookahead.fit(labelled @ labelled.T, pool @ labelled.T, pool @ pool.T,
        ...                              np.zeros((1, 1)), np.zeros((2, 1)), np.array([[3.0]]))
        >>> post.mean.tolist()
        [[3.0], [0.0]]
        >>> post.after(1, np.array([4.0])).tolist()
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
    sums: Float[Array, " m"] | None = None

    @classmethod
    def fit(
        cls,
        k_ll: Float[ArrayLike, "n n"],
        k_pl: Float[ArrayLike, "m n"],
        k_pp: Float[ArrayLike, "m m"],
        f_l: Float[ArrayLike, "n C"],
        f_p: Float[ArrayLike, "m C"],
        y_l: Real[ArrayLike, "n C"],
        *,
        ridge: float | int = 0.0,
    ) -> "ImplicitLookahead":
        """Return the look-ahead, after one walk over S that checks it and sums the sizes of its rows.

        Args:
            k_ll: As in :meth:`ntkal.lookahead.Lookahead.fit`, and so are the others.
            k_pl: Shape (m, n).
            k_pp: Shape (m, m).
            f_l: Shape (n, C).
            f_p: Shape (m, C).
            y_l: Shape (n, C).
            ridge: Absolute, at least 0.

        Returns:
            The look-ahead; cost O(n^3 + n^2 m + n m^2), memory O(m n) beside the arguments.

        Raises:
            SingularKernelError: As :meth:`ntkal.lookahead.Lookahead.fit`.
            ValueError: As :meth:`ntkal.lookahead.Lookahead.fit`.
        """
        it = condition(k_ll, k_pl, k_pp, f_l, f_p, y_l, ridge=ridge, finite=False)
        variances = _variances(it.k_pp, it.half)
        known, error, floor = it.rounding(variances)
        keep = jnp.asarray(~known, dtype=jnp.float64)
        variances = variances * keep
        seen = walk(it.k_pp, it.half, scales(variances, error), keep)
        if not np.isfinite(seen.sums).all():
            as_float64("k_pp", k_pp, it.k_pp.shape)  # says how many entries are not
        refuse_asymmetry("k_pp", float(seen.asymmetry), it.prior, it.eps)
        check_covariance(variances, seen.excess, partial(_entries, it.k_pp, it.half, keep), error)
        nothing = jnp.zeros((len(it.mean), TOGETHER))
        return cls(it.mean, it.k_pp, it.half, nothing, 0, variances, keep, it.ridge, floor, seen.sums)

    def after(self, c: int, y: Real[ArrayLike, " C"]) -> Float[Array, "m C"]:
        """Return the outputs once candidate c has label y, as :meth:`ntkal.lookahead.Lookahead.after`.

        Args:
            c: Position of the candidate in the pool, 0 to m - 1.
            y: Its label vector, shape (C,).

        Returns:
            Outputs of the refitted linearised network over the pool, shape (m, C).

        Raises:
            ValueError: For a position outside the pool or a label vector of another shape or with NaN.
            SingularKernelError: When the labelled points determine the candidate already and the ridge is 0.

        Example:
            >>> one = jnp.ones((1, 1))
            >>> ImplicitLookahead.fit(one, one, 3 * one, 0 * one, 0 * one, one).after(0, one[0]).tolist()
            [[1.0]]
        """
        c, y = self._candidate(c, y)
        return moved(self.mean, self.columns(c, 1), self.variances[c] + self.ridge, c, y)

    def reveal(self, c: int, y: Real[ArrayLike, " C"]) -> "ImplicitLookahead":
        r"""Return the look-ahead once (c, y) has joined the labelled set: one more column of V.

        .. math:: M \leftarrow M^+, \qquad V \leftarrow [V \;\; S_{:c} / \sqrt{S_{cc} + \lambda}]

        Args:
            c: As in :meth:`after`.
            y: As in :meth:`after`.

        Returns:
            A new look-ahead; this one is unchanged, and both share kernel and V.

        Raises:
            ValueError: As :meth:`after`.
            SingularKernelError: As :meth:`after`.

        Example:
            >>> one = jnp.ones((1, 1))
            >>> post = ImplicitLookahead.fit(one, one, 3 * one, 0 * one, 0 * one, one)
            >>> abs(post.reveal(0, one[0]).variance).round(12).tolist()
            [0.0]
        """
        c, y = self._candidate(c, y)
        column, variance = self.columns(c, 1), self.variances[c] + self.ridge
        mean = moved(self.mean, column, variance, c, y)
        half, count = self.half, int(self.count)
        recent, variances = _appended(self.recent, self.variances, column / jnp.sqrt(variance), count)
        if count + 1 == TOGETHER:
            half, recent, count = jnp.concatenate([half, recent], axis=1), jnp.zeros_like(recent), -1
        rest = self.keep, self.ridge, self.floor
        return ImplicitLookahead(mean, self.kernel, half, recent, count + 1, variances, *rest)

    @property
    def variance(self) -> Float[Array, " m"]:
        """The diagonal of S, shape (m,)."""
        return self.variances

    def variance_of(self, c: int) -> Float[Array, ""]:
        """S_cc of one candidate."""
        return self.variances[c]

    def columns(self, start: int | Integer[Array, ""], width: int) -> Float[Array, "m b"]:
        """``width`` neighbouring columns of S, the first of them number ``start``, shape (m, width)."""
        return _columns(self.kernel, self.half, self.recent, self.keep, start, width)

    def absolute_sums(self) -> Float[Array, " m"]:
        r"""Return :math:`\sum_u |S_{uc}|` for each candidate, shape (m,): from the fit, or by a walk.

        Example:
            >>> one = jnp.ones((1, 1))
            >>> ImplicitLookahead.fit(one, one, 3 * one, 0 * one, 0 * one, one).absolute_sums().tolist()
            [2.0]
        """
        if self.sums is not None:
            return self.sums
        half = jnp.concatenate([self.half, self.recent], axis=1)
        return walk(self.kernel, half, jnp.ones(len(half)), self.keep).sums


@jax.jit
def _variances(kernel, half):
    return jnp.diag(kernel) - jnp.sum(half**2, axis=1)


@jax.jit
def _entries(kernel, half, keep, i, j):
    return (kernel[i[:, None], j[None, :]] - half[i] @ half[j].T) * keep[i][:, None] * keep[j][None, :]


@jax.jit
def _appended(recent, variances, added, count):
    return jax.lax.dynamic_update_slice_in_dim(recent, added, count, 1), variances - added[:, 0] ** 2


@partial(jax.jit, static_argnames="width")
def _columns(kernel, half, recent, keep, start, width):
    def some(rows):
        return jax.lax.dynamic_slice_in_dim(rows, start, width)

    rows = some(kernel) - some(half) @ half.T - some(recent) @ recent.T
    # Without the barrier XLA turns the products and the sum that follows into one slow loop.
    return jax.lax.optimization_barrier(rows * some(keep)[:, None] * keep[None, :]).T
