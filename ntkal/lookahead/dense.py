"""A trained linearised network over a pool, and what each further label would make of it."""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Integer, Real

from ntkal.inputs import ArrayLike, as_float64, check_int
from ntkal.kernels import host as _host
from ntkal.kernels.rounding import check_symmetric
from ntkal.lookahead.condition import condition, whitened
from ntkal.lookahead.covariance import check_semidefinite
from ntkal.lookahead.posterior import Posterior, moved
from ntkal.lookahead.solve import cholesky


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Lookahead(Posterior):
    r"""Mean and covariance of the trained linearised network over a pool of m inputs.

    With :math:`A = (\Theta(X,X) + \lambda I)^{-1} \Theta(X,U)` for labelled inputs X and pool inputs U,

    .. math:: M = f(U) + A^\top (Y - f(X)), \qquad S = \Theta(U,U) - \Theta(U,X) A .

    Every look-ahead criterion is a function of M and S: labelling candidate c with y makes the mean
    :math:`M + S_{:c} (y - M_c)^\top / (S_{cc} + \lambda)`, which is the network refitted on the labelled
    set and c. Build one with :meth:`fit`.

    Attributes:
        mean: M, shape (m, C), float64.
        cov: S, shape (m, m), float64, symmetric positive semi-definite.
        ridge: The absolute ridge λ that was added to the labelled kernel's diagonal.
        floor: Posterior variance below which a candidate counts as already determined: the rounding level of
            the kernel that came in.

    Source:
        Mohamadi, Bae and Sutherland (2022), equations (11) and (12), with the inverse that the printed (12)
        omits; the form in M and S is Gaussian conditioning, as in Rasmussen and Williams (2006), chapter 2.

    Example:
        >>> import numpy as np
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
    ) -> "Lookahead":
        """Return the look-ahead of a network with the given kernels, outputs and labels.

        Args:
            k_ll: Kernel of the labelled inputs, shape (n, n).
            k_pl: Kernel between pool and labelled inputs, shape (m, n).
            k_pp: Kernel of the pool inputs, shape (m, m).
            f_l: The network's outputs at the labelled inputs, shape (n, C).
            f_p: The network's outputs at the pool inputs, shape (m, C).
            y_l: Label vectors (one-hot, say), shape (n, C).
            ridge: Absolute, at least 0; nothing else is added to the kernel.

        Returns:
            The look-ahead, in float64; cost O(n^3 + n^2 m + n m^2).

        Raises:
            SingularKernelError: When ``k_ll + ridge I`` cannot be inverted in the precision it came in; the
                message gives the smallest eigenvalue, the likely cause and a ridge that would do.
            ValueError: For bad shapes, NaN, an empty pool, asymmetric kernels, a negative ridge, or blocks
                that do not come from one positive semi-definite kernel (seen in each candidate, each pair of
                them, and some hundred together).
        """
        it = condition(k_ll, k_pl, k_pp, f_l, f_p, y_l, ridge=ridge)
        check_symmetric("k_pp", it.k_pp, it.eps)
        cov = _minus_gram(it.k_pp, it.half)
        known, error, floor = it.rounding(jnp.diag(cov))
        if known.any():
            cov = jnp.where(known[:, None] | known[None, :], 0.0, cov)
        check_semidefinite(cov, error)
        return cls(it.mean, cov, it.ridge, floor)

    def after(self, c: int, y: Real[ArrayLike, " C"]) -> Float[Array, "m C"]:
        r"""Return the pool's outputs once candidate c has the label vector y, without retraining.

        .. math:: M^+ = M + S_{:c} (y - M_c)^\top / (S_{cc} + \lambda)

        Args:
            c: Position of the candidate in the pool, 0 to m - 1.
            y: Its label vector, shape (C,).

        Returns:
            Outputs of the refitted linearised network over the pool, shape (m, C).

        Raises:
            ValueError: For a position outside the pool or a label vector of another shape or with NaN.
            SingularKernelError: When the labelled points determine the candidate already and the ridge is 0.

        Example:
            >>> import jax.numpy as jnp
            >>> Lookahead(jnp.zeros((2, 1)), jnp.eye(2), ridge=1.0).after(0, jnp.array([1.0])).tolist()
            [[0.5], [0.0]]
        """
        c, y = self._candidate(c, y)
        return moved(self.mean, self.columns(c, 1), self.cov[c, c] + self.ridge, c, y)

    def reveal(self, c: int, y: Real[ArrayLike, " C"]) -> "Lookahead":
        r"""Return the look-ahead once (c, y) has joined the labelled set: a rank-1 update, O(m^2).

        .. math:: M \leftarrow M^+, \qquad S \leftarrow S - S_{:c} S_{c:} / (S_{cc} + \lambda)

        Args:
            c: As in :meth:`after`.
            y: As in :meth:`after`.

        Returns:
            A new look-ahead; this one is unchanged.

        Raises:
            ValueError: As :meth:`after`.
            SingularKernelError: As :meth:`after`.

        Example:
            >>> import jax.numpy as jnp
            >>> later = Lookahead(jnp.zeros((2, 1)), jnp.eye(2), ridge=1.0).reveal(0, jnp.array([1.0]))
            >>> later.cov.tolist()
            [[0.5, 0.0], [0.0, 1.0]]
        """
        c, y = self._candidate(c, y)
        column, variance = self.columns(c, 1), self.cov[c, c] + self.ridge
        mean, row = moved(self.mean, column, variance, c, y), column[:, 0]
        gained = row / variance
        if self.cov.nbytes >= _host.LARGE and _host.on_host(self.cov):
            cov = _host.minus_outer(self.cov, np.asarray(row), np.asarray(gained))
        else:
            cov = _minus_outer(self.cov, row, gained)
        return Lookahead(mean, cov, self.ridge, self.floor)

    def reveal_all(self, at: Integer[ArrayLike, " r"], y: Real[ArrayLike, "r C"]) -> "Lookahead":
        r"""Return the look-ahead once several candidates have joined the labelled set: one product, O(r m^2).

        .. math:: V = S_{:R} L^{-\top}, \quad L L^\top = S_{RR} + \lambda I, \qquad
                  M \leftarrow M + V L^{-1} (y - M_R), \quad S \leftarrow S - V V^\top

        The numbers are those of :meth:`reveal` for one candidate after another, in any order, but the
        covariance goes through memory once and not r times.

        Args:
            at: Positions of the candidates in the pool, shape (r,), at least one, no position twice unless
                the ridge is above 0.
            y: Their label vectors, shape (r, C).

        Returns:
            A new look-ahead; this one is unchanged.

        Raises:
            ValueError: For positions outside the pool or label vectors of another shape or with NaN.
            SingularKernelError: When some of them determine another of them, and the ridge is 0.

        Example:
            >>> import numpy as np
            >>> post = Lookahead(jnp.zeros((3, 1)), jnp.eye(3), ridge=1.0)
            >>> post.reveal_all(np.array([0, 2]), np.ones((2, 1))).mean.round(9).tolist()
            [[0.5], [0.0], [0.5]]
        """
        at = np.asarray([check_int("at", int(c), low=0, high=len(self.mean) - 1) for c in np.asarray(at)])
        y = as_float64("y", y, (len(at), self.mean.shape[1]))
        rows = self.cov[at]
        factor = cholesky("cov[at]", rows[:, at], float(self.ridge))
        mean, half = whitened(factor, rows.T, self.mean, y - self.mean[at])
        return Lookahead(mean, _minus_gram(self.cov, half), self.ridge, self.floor)

    @property
    def variance(self) -> Float[Array, " m"]:
        """The diagonal of S, shape (m,)."""
        return jnp.diag(self.cov)

    def variance_of(self, c: int) -> Float[Array, ""]:
        """S_cc of one candidate."""
        return self.cov[c, c]

    def columns(self, start: int | Integer[Array, ""], width: int) -> Float[Array, "m b"]:
        """``width`` neighbouring columns of S, the first of them number ``start``, shape (m, width)."""
        # S is symmetric, and a row lies together in memory.
        return jax.lax.dynamic_slice_in_dim(self.cov, start, width).T

    def absolute_sums(self) -> Float[Array, " m"]:
        """The row sums of the sizes of S, shape (m,): one pass."""
        return jnp.sum(jnp.abs(self.cov), axis=1)


def _minus_gram(whole, half):
    return _host.minus_gram(whole, half) if _host.on_host(whole) else _minus_product(whole, half)


@jax.jit
def _minus_product(whole, half):
    return whole - half @ half.T


@jax.jit
def _minus_outer(cov, row, gained):
    return cov - row[:, None] * gained[None, :]
