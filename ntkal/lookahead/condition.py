"""Conditioning the pool on the labelled set: what a look-ahead needs before it forms any covariance.

Is what comes out a covariance? What rounding left of a variance is found, what is no covariance refused.
"""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax.lax.linalg import triangular_solve
from jax.scipy.linalg import cho_solve
from jaxtyping import Array, Bool, Float, Shaped

from ntkal.inputs import ArrayLike, as_float64, as_labels, check_number, is_traced
from ntkal.kernels import host
from ntkal.kernels.rounding import noise_floor, precision_of
from ntkal.lookahead.posterior import Posterior
from ntkal.lookahead.solve import cholesky

# Candidates whose joint covariance is looked at as a whole.
TOGETHER = 256
_TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class Conditioned:
    r"""The mean of the pool, and V with :math:`S = \Theta(U,U) - V V^\top`.

    Attributes:
        mean: M, shape (m, C).
        half: V, shape (m, n): row u is the whitened kernel of pool input u, :math:`L^{-1} \Theta(X, u)`.
        k_pp: Kernel of the pool, shape (m, m).
        factor: L, the Cholesky factor of the labelled kernel and its ridge, shape (n, n).
        k_pl: Kernel between pool and labelled inputs, shape (m, n).
        ridge: λ.
        eps: Rounding unit of the precision that the kernel came in.
        prior: The largest variance before any label.
    """

    mean: Float[Array, "m C"]
    half: Float[Array, "m n"]
    k_pp: Float[Array, "m m"]
    factor: Float[Array, "n n"]
    k_pl: Float[Array, "m n"]
    ridge: Float[Array, ""] | float
    eps: float
    prior: Float[Array, ""]

    def rounding(
        self, variances: Float[Array, " m"]
    ) -> tuple[Bool[Array, " m"], Float[Array, ""], Float[Array, ""]]:
        r"""Return which candidates are determined but for rounding, the largest error left, and the floor.

        .. math:: S_{cc} \le \delta \, (1 + \|A_c\|_2)^2, \qquad A = (K + \lambda I)^{-1} k

        An error of size :math:`\delta` in each entry of the kernel is an error of this size in
        :math:`S_{cc}`: a combination of labelled points with large weights has a variance of zero, of which
        more than :math:`\delta` is left.
        """
        unit = noise_floor(self.eps, sum(self.k_pl.shape), 1.0, 1.0)
        return _rounding(self.factor, self.k_pl, variances, self.ridge, self.prior, unit, self.eps)


class KernelLookahead(Posterior):
    """A look-ahead that is fitted to kernel blocks, whatever it keeps of them."""

    @classmethod
    def fit(
        cls,
        k_ll: Float[ArrayLike, "n n"],
        k_pl: Float[ArrayLike, "m n"],
        k_pp: Float[ArrayLike, "m m"],
        f_l: Float[ArrayLike, "n C"],
        f_p: Float[ArrayLike, "m C"],
        y_l: Shaped[ArrayLike, "n C"],
        *,
        ridge: Float[Array, ""] | float | int = 0.0,
    ) -> "KernelLookahead":
        """Return the look-ahead of a network with the given kernels, outputs and labels.

        Args:
            k_ll: Kernel of the labelled inputs, shape (n, n).
            k_pl: Kernel between pool and labelled inputs, shape (m, n).
            k_pp: Kernel of the pool inputs, shape (m, m).
            f_l: The network's outputs at the labelled inputs, shape (n, C).
            f_p: The network's outputs at the pool inputs, shape (m, C).
            y_l: Label vectors (one-hot, say; booleans will do), shape (n, C).
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
        given, ridge = (k_ll, k_pl, k_pp), check_number("ridge", ridge, low=0)
        k_pl = as_float64("k_pl", k_pl, (None, None))
        m, n = k_pl.shape
        k_ll = as_float64("k_ll", k_ll, (n, n))
        k_pp = as_float64("k_pp", k_pp, (m, m), finite=cls.stored)
        f_l = as_float64("f_l", f_l, (n, None))
        f_p = as_float64("f_p", f_p, (m, f_l.shape[1]))
        y_l = as_labels("y_l", y_l, f_l.shape)
        eps = precision_of(*given)
        factor = cholesky("k_ll", k_ll, ridge, eps=eps)
        mean, half = whitened(factor, k_pl, f_p, y_l - f_l)
        prior = jnp.max(jnp.abs(jnp.diag(k_pp)))
        return cls._of(Conditioned(mean, half, k_pp, factor, k_pl, ridge, eps, prior))

    @classmethod
    @abstractmethod
    def _of(cls, it: Conditioned) -> "KernelLookahead":
        """The look-ahead of what was conditioned; if its kernel is no array of its own, that may have NaN."""


def whitened(
    factor: Float[Array, "n n"],
    k_pl: Float[Array, "m n"],
    f_p: Float[Array, "m C"],
    residual: Float[Array, "n C"],
) -> tuple[Float[Array, "m C"], Float[Array, "m n"]]:
    """Return M and V."""
    mean = mean_given(factor, k_pl, f_p, residual)
    if host.on_host(k_pl) and host.on_host(factor):
        return mean, host.whiten(factor, k_pl)
    return mean, triangular_solve(factor, k_pl, left_side=False, lower=True, transpose_a=True)


@jax.jit
def mean_given(factor, k_pl, f_p, residual):
    """M from the Cholesky factor, shape (m, C)."""
    return f_p + k_pl @ cho_solve((factor, True), residual)


def check_semidefinite(cov: Float[Array, "m m"], error: Float[Array, ""] | float) -> None:
    """Raise a ValueError when a matrix is no covariance; see :func:`check_covariance`.

    Example:
        >>> check_semidefinite(jnp.array([[1.0, 2.0], [2.0, 1.0]]), 1e-8)
        Traceback (most recent call last):
            ...
        ValueError: k_pp: given the labelled inputs, pool points 0 and 1 have the correlation 2; ...
    """
    variances = jnp.diag(cov)
    check_covariance(variances, _excess(cov, scales(variances, error)), lambda i, j: cov[np.ix_(i, j)], error)


@jax.jit
def scales(variances: Float[Array, " m"], error: Float[Array, ""] | float) -> Float[Array, " m"]:
    """Return the inverse standard deviations, for variances that are ``error`` larger than they say."""
    return 1 / jnp.sqrt(jnp.maximum(variances, 0.0) + jnp.maximum(error, _TINY))


def check_covariance(
    variances: Float[Array, " m"],
    excess: Float[Array, " m"],
    entries: Callable[[np.ndarray, np.ndarray], Float[ArrayLike, "a b"]],
    error: Float[Array, ""] | float,
) -> None:
    """Raise a ValueError when S is no covariance, as far as its rounding error tells.

    Each variance and each pair are looked at, and the smallest eigenvalue of all candidates, or of
    :data:`TOGETHER` evenly spaced ones: that of the whole would take longer than all the rest.

    Args:
        variances: The diagonal of S, shape (m,).
        excess: For each row, its largest absolute covariance with another, or with those before it, times
            the :func:`scales` of both, shape (m,).
        entries: Gives the rows and columns of S at the positions asked for.
        error: What rounding may have made of a variance.
    """
    if is_traced(variances, excess, error):
        return
    error = max(float(error), _TINY)
    said, again = "k_pp: given the labelled inputs,", "compute k_ll, k_pl and k_pp as blocks of one kernel."
    variances, excess = np.asarray(variances), np.asarray(excess)
    lowest, m = int(variances.argmin()), len(variances)
    if variances[lowest] < -error:
        value = variances[lowest]
        raise ValueError(f"{said} pool point {lowest} has the negative variance {value:.3g}; {again}")
    i = int(excess.argmax())
    if excess[i] > 1:
        row = np.asarray(entries(np.array([i]), np.arange(m)))[0]
        j = int(np.argmax(np.abs(row) / np.sqrt(np.maximum(variances, 0.0) + error)))
        value = row[j] / np.sqrt(max(variances[i], error) * max(variances[j], error))
        pair = f"{min(i, j)} and {max(i, j)}"
        raise ValueError(f"{said} pool points {pair} have the correlation {value:.3g}; {again}")
    some = np.unique(np.linspace(0, m - 1, min(m, TOGETHER)).astype(int))
    value = np.linalg.eigvalsh(np.asarray(entries(some, some)))[0]
    if value < -error * len(some):
        raise ValueError(f"{said} the pool's covariance has the negative eigenvalue {value:.3g}; {again}")


@jax.jit
def _rounding(factor, k_pl, variances, ridge, prior, unit, eps):
    noise = unit * prior

    def beside_the_ridge():
        # S_cc >= ridge |A_c|^2: with so much ridge, no variance and ridge together can be mere rounding.
        return jnp.zeros(len(variances), bool), 2 * noise * (1 + prior / ridge), noise

    def by_weights():
        errors = noise * (1 + jnp.linalg.norm(cho_solve((factor, True), k_pl.T), axis=0)) ** 2
        known = jnp.abs(variances) <= errors
        return known, jnp.max(jnp.where(known, 0.0, errors)), 2 * noise

    known, error, floor = jax.lax.cond(ridge > 2 * noise, beside_the_ridge, by_weights)
    return known, jnp.sqrt(eps) * prior + error, floor


@jax.jit
def _excess(cov, scale):
    """For each candidate, its largest covariance with another over what the two variances allow."""
    return jnp.max(jnp.abs(cov) * scale[None, :], axis=1) * scale
