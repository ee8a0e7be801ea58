"""Is a posterior covariance one? What rounding left of a variance is found, what is no covariance refused."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import cho_solve
from jaxtyping import Array, Bool, Float

from ntkal.inputs import ArrayLike

# Candidates whose joint covariance is looked at as a whole.
TOGETHER = 256
_TINY = float(np.finfo(np.float64).tiny)


def determined(
    factor: Float[Array, "n n"], k_pl: Float[Array, "m n"], variances: Float[Array, " m"], noise: float
) -> tuple[Bool[np.ndarray, " m"], float]:
    r"""Say which candidates have a variance that is nothing but rounding.

    .. math:: S_{cc} \le \delta \, (1 + \|A_c\|_2)^2, \qquad A = (K + \lambda I)^{-1} k

    An error of size :math:`\delta` in each entry of the kernel is an error of this size in :math:`S_{cc}`: a
    combination of labelled points with large weights has a variance of zero, of which more than
    :math:`\delta` is left.

    Args:
        factor: Cholesky factor of the labelled kernel, shape (n, n).
        k_pl: Kernel between pool and labelled inputs, shape (m, n).
        variances: The diagonal of S as computed, shape (m,).
        noise: :math:`\delta`.

    Returns:
        Which are, shape (m,), and the largest error of a variance of the others.

    Example:
        >>> known, error = determined(jnp.eye(1), jnp.array([[9.0], [0.0]]), jnp.array([0.1, 4.0]), 0.01)
        >>> known.tolist(), error
        ([True, False], 0.01)
    """
    errors = np.asarray(_errors(factor, k_pl, noise))
    known = np.abs(np.asarray(variances)) <= errors
    return known, float(np.max(np.where(known, 0.0, errors)))


def check_semidefinite(cov: Float[Array, "m m"], error: float) -> None:
    """Raise a ValueError when a matrix is no covariance; see :func:`check_covariance`.

    Example:
        >>> check_semidefinite(jnp.array([[1.0, 2.0], [2.0, 1.0]]), 1e-8)
        Traceback (most recent call last):
            ...
        ValueError: k_pp: given the labelled inputs, pool points 0 and 1 have the correlation 2; ...
    """
    variances = jnp.diag(cov)
    check_covariance(variances, _excess(cov, scales(variances, error)), lambda i, j: cov[np.ix_(i, j)], error)


def scales(variances: Float[Array, " m"], error: float) -> Float[Array, " m"]:
    """Return the inverse standard deviations, for variances that are ``error`` larger than they say.

    Example:
        >>> scales(jnp.array([3.0, -1.0]), 1.0).tolist()
        [0.5, 1.0]
    """
    return 1 / jnp.sqrt(jnp.maximum(variances, 0.0) + max(error, _TINY))


def check_covariance(
    variances: Float[Array, " m"],
    excess: Float[Array, " m"],
    entries: Callable[[np.ndarray, np.ndarray], Float[ArrayLike, "a b"]],
    error: float,
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

    Example:
        >>> check_covariance(jnp.array([-1.0]), jnp.zeros(1), lambda i, j: jnp.array([[-1.0]]), 1e-8)
        Traceback (most recent call last):
            ...
        ValueError: k_pp: given the labelled inputs, pool point 0 has the negative variance -1; ...
    """
    error = max(error, _TINY)
    again = "compute k_ll, k_pl and k_pp as blocks of one kernel."
    variances, excess = np.asarray(variances), np.asarray(excess)
    lowest, m = int(variances.argmin()), len(variances)
    if variances[lowest] < -error:
        raise ValueError(
            f"k_pp: given the labelled inputs, pool point {lowest} has the negative variance "
            f"{variances[lowest]:.3g}; {again}"
        )
    i = int(excess.argmax())
    if excess[i] > 1:
        row = np.asarray(entries(np.array([i]), np.arange(m)))[0]
        j = int(np.argmax(np.abs(row) / np.sqrt(np.maximum(variances, 0.0) + error)))
        size = float(np.sqrt(max(variances[i], error) * max(variances[j], error)))
        raise ValueError(
            f"k_pp: given the labelled inputs, pool points {min(i, j)} and {max(i, j)} have the correlation "
            f"{float(row[j]) / size:.3g}; {again}"
        )
    some = np.unique(np.linspace(0, m - 1, min(m, TOGETHER)).astype(int))
    values = np.linalg.eigvalsh(np.asarray(entries(some, some)))
    if values[0] < -error * len(some):
        raise ValueError(
            f"k_pp: given the labelled inputs, the pool's covariance has the negative eigenvalue "
            f"{values[0]:.3g}; {again}"
        )


@jax.jit
def _errors(factor, k_pl, noise):
    return noise * (1 + jnp.linalg.norm(cho_solve((factor, True), k_pl.T), axis=0)) ** 2


@jax.jit
def _excess(cov, scale):
    """For each candidate, its largest covariance with another over what the two variances allow."""
    return jnp.max(jnp.abs(cov) * scale[None, :], axis=1) * scale
