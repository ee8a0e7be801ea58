"""Is a posterior covariance one? What rounding left of it is taken away, what is no covariance refused."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import cho_solve
from jaxtyping import Array, Float

# Candidates whose joint covariance is looked at as a whole.
TOGETHER = 256


def without_rounding(
    factor: Float[Array, "n n"], k_pl: Float[Array, "m n"], cov: Float[Array, "m m"], noise: float
) -> tuple[Float[Array, "m m"], float]:
    r"""Return the covariance without the candidates whose variance is nothing but rounding, set to zero.

    .. math:: S_{cc} \le \delta \, (1 + \|A_c\|_2)^2, \qquad A = (K + \lambda I)^{-1} k

    An error of size :math:`\delta` in each entry of the kernel is an error of this size in :math:`S_{cc}`: a
    combination of labelled points with large weights has a variance of zero, of which more than
    :math:`\delta` is left.

    Args:
        factor: Cholesky factor of the labelled kernel, shape (n, n).
        k_pl: Kernel between pool and labelled inputs, shape (m, n).
        cov: S as computed, shape (m, m).
        noise: :math:`\delta`.

    Returns:
        The covariance, and the largest error of a variance that is left.

    Example:
        >>> k_pl, computed = jnp.array([[9.0], [0.0]]), jnp.diag(jnp.array([0.1, 4.0]))
        >>> cov, error = without_rounding(jnp.eye(1), k_pl, computed, 0.01)
        >>> cov.tolist()
        [[0.0, 0.0], [0.0, 4.0]]
    """
    errors = _errors(factor, k_pl, noise)
    variances = jnp.diag(cov)
    known = jnp.abs(variances) <= errors
    kept = jnp.where(known[:, None] | known[None, :], 0.0, cov)
    return kept, float(jnp.max(jnp.where(known, 0.0, errors)))


def check_semidefinite(cov: Float[Array, "m m"], error: float) -> None:
    """Raise a ValueError when a matrix is no covariance, as far as its rounding error tells.

    Each variance and each pair are looked at, and the smallest eigenvalue of all candidates, or of
    :data:`TOGETHER` evenly spaced ones: that of the whole would take longer than all the rest.

    Example:
        >>> check_semidefinite(jnp.array([[1.0, 2.0], [2.0, 1.0]]), 1e-8)
        Traceback (most recent call last):
            ...
        ValueError: k_pp: given the labelled inputs, pool points 0 and 1 have the correlation 2; ...
    """
    error = max(error, float(np.finfo(np.float64).tiny))
    again = "compute k_ll, k_pl and k_pp as blocks of one kernel."
    variances = np.asarray(jnp.diag(cov))
    lowest = int(variances.argmin())
    if variances[lowest] < -error:
        raise ValueError(
            f"k_pp: given the labelled inputs, pool point {lowest} has the negative variance "
            f"{variances[lowest]:.3g}; {again}"
        )
    excess = np.asarray(_excess(cov, error))
    i = int(excess.argmax())
    if excess[i] > 1:
        j = int(np.argmax(np.abs(np.asarray(cov[i])) / np.sqrt(np.maximum(variances, 0.0) + error)))
        size = float(np.sqrt(max(variances[i], error) * max(variances[j], error)))
        raise ValueError(
            f"k_pp: given the labelled inputs, pool points {min(i, j)} and {max(i, j)} have the correlation "
            f"{float(cov[i, j]) / size:.3g}; {again}"
        )
    some = np.unique(np.linspace(0, len(cov) - 1, min(len(cov), TOGETHER)).astype(int))
    values = np.linalg.eigvalsh(np.asarray(cov[some[:, None], some]))
    if values[0] < -error * len(some):
        raise ValueError(
            f"k_pp: given the labelled inputs, the pool's covariance has the negative eigenvalue "
            f"{values[0]:.3g}; {again}"
        )


@jax.jit
def _errors(factor, k_pl, noise):
    return noise * (1 + jnp.linalg.norm(cho_solve((factor, True), k_pl.T), axis=0)) ** 2


@jax.jit
def _excess(cov, error):
    """For each candidate, its largest covariance with another over what the two variances allow."""
    scale = 1 / jnp.sqrt(jnp.maximum(jnp.diag(cov), 0.0) + error)
    return jnp.max(jnp.abs(cov) * scale[None, :], axis=1) * scale
