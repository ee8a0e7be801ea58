"""Conditioning the pool on the labelled set: what a look-ahead needs before it forms any covariance."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax.lax.linalg import triangular_solve
from jax.scipy.linalg import cho_solve
from jaxtyping import Array, Bool, Float, Real

from ntkal.inputs import ArrayLike, as_float64, check_ridge
from ntkal.kernels import host as _host
from ntkal.kernels.rounding import noise_floor, precision_of
from ntkal.lookahead.covariance import determined
from ntkal.lookahead.solve import cholesky


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
    ridge: float
    eps: float
    prior: float

    def rounding(self, variances: Float[Array, " m"]) -> tuple[Bool[np.ndarray, " m"], float, float]:
        """Return which candidates are determined but for rounding, the largest error left, and the floor.

        Example:
            >>> it = condition(jnp.eye(1), jnp.eye(1), jnp.eye(1), *(jnp.ones((1, 1)),) * 3, ridge=0.0)
            >>> it.rounding(jnp.zeros(1))[0].tolist()
            [True]
        """
        noise = noise_floor(self.eps, sum(self.k_pl.shape), self.prior, self.prior)
        if self.ridge > 2 * noise:
            # S_cc >= ridge |A_c|^2: with so much ridge, no variance and ridge together can be mere rounding.
            nobody = np.zeros(len(self.mean), dtype=bool)
            known, error, floor = nobody, 2 * noise * (1 + self.prior / self.ridge), noise
        else:
            known, error = determined(self.factor, self.k_pl, variances, noise)
            floor = 2 * noise
        return known, float(np.sqrt(self.eps)) * self.prior + error, floor


def condition(
    k_ll: Float[ArrayLike, "n n"],
    k_pl: Float[ArrayLike, "m n"],
    k_pp: Float[ArrayLike, "m m"],
    f_l: Float[ArrayLike, "n C"],
    f_p: Float[ArrayLike, "m C"],
    y_l: Real[ArrayLike, "n C"],
    *,
    ridge: float | int,
    finite: bool = True,
) -> Conditioned:
    """Check what :meth:`ntkal.lookahead.Lookahead.fit` is given, and condition on the labelled set.

    The cost is O(n^3 + n^2 m). Without ``finite``, NaN and infinite entries of the pool's kernel are left for
    the caller to find.

    Example:
        >>> half = condition(4 * jnp.eye(1), jnp.eye(1), jnp.eye(1), *(jnp.ones((1, 1)),) * 3, ridge=0.0).half
        >>> half.tolist()
        [[0.5]]
    """
    eps = precision_of(k_ll, k_pl, k_pp)
    ridge = check_ridge(ridge)
    k_pl = as_float64("k_pl", k_pl, (None, None))
    m, n = k_pl.shape
    k_ll = as_float64("k_ll", k_ll, (n, n))
    k_pp = as_float64("k_pp", k_pp, (m, m), finite=finite)
    f_l = as_float64("f_l", f_l, (n, None))
    f_p = as_float64("f_p", f_p, (m, f_l.shape[1]))
    y_l = as_float64("y_l", y_l, f_l.shape)
    factor = cholesky("k_ll", k_ll, ridge, eps=eps)
    mean, half = whitened(factor, k_pl, f_p, y_l - f_l)
    prior = float(jnp.max(jnp.abs(jnp.diag(k_pp))))
    return Conditioned(mean, half, k_pp, factor, k_pl, ridge, eps, prior)


def whitened(
    factor: Float[Array, "n n"],
    k_pl: Float[Array, "m n"],
    f_p: Float[Array, "m C"],
    residual: Float[Array, "n C"],
) -> tuple[Float[Array, "m C"], Float[Array, "m n"]]:
    """Return M and V.

    Example:
        >>> mean, half = whitened(2 * jnp.eye(1), jnp.eye(1), jnp.zeros((1, 1)), jnp.ones((1, 1)))
        >>> mean.tolist(), half.tolist()
        ([[0.25]], [[0.5]])
    """
    half = _host.whiten(factor, k_pl) if _host.on_host(k_pl) else _whiten(factor, k_pl)
    return _mean(factor, k_pl, f_p, residual), half


@jax.jit
def _mean(factor, k_pl, f_p, residual):
    return f_p + k_pl @ cho_solve((factor, True), residual)


@jax.jit
def _whiten(factor, k_pl):
    return triangular_solve(factor, k_pl, left_side=False, lower=True, transpose_a=True)
