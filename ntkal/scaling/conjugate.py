"""The labelled solve by preconditioned conjugate gradients: products with the kernel, no factorisation."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.sparse.linalg import cg
from jax.tree_util import Partial
from jaxtyping import Array, Float, Real

from ntkal.inputs import ArrayLike, SingularKernelError, as_float64, check_int, check_ridge
from ntkal.kernels.empirical import ApplyFn, Logit, as_inputs, check_logit, count_classes


def solve(
    k: Float[ArrayLike, "n n"] | Callable[[jax.Array], jax.Array],
    y: Real[ArrayLike, "n C"],
    ridge: float | int,
    *,
    factor: Float[ArrayLike, "n r"] | None = None,
    tolerance: float = 1e-10,
    max_steps: int = 1000,
) -> Float[Array, "n C"]:
    r"""Return :math:`(K + \lambda I)^{-1} Y` by conjugate gradients, each column of Y on its own.

    A step costs one product with K. The number of steps grows with the square root of the condition number;
    a low-rank factor :math:`K \approx L L^\top = U \Lambda U^\top`, with smallest kept eigenvalue
    :math:`\ell`, brings it down through

    .. math:: P^{-1} = (\ell + \lambda) \, U (\Lambda + \lambda I)^{-1} U^\top + I - U U^\top,

    after which only the part of the spectrum that L misses is left to iterate on.

    Args:
        k: The labelled kernel K, shape (n, n), or a function ``v -> K v`` that JAX can trace, with v and K v
            of shape (n,), such as :func:`ntk_product` gives: then K need not exist.
        y: Right-hand sides, shape (n, C).
        ridge: The absolute ridge λ, at least 0.
        factor: L, shape (n, r), from :func:`ntkal.kernels.pivoted_cholesky` or
            :func:`ntkal.kernels.nystrom`, or None for no preconditioner.
        tolerance: Largest relative residual of a column, between 0 and 1.
        max_steps: Most steps, at least 1.

    Returns:
        The solution, shape (n, C), float64.

    Raises:
        SingularKernelError: When the tolerance is not reached; the message gives the residual and what to do.
        ValueError: For bad shapes, NaN, a negative ridge, or a tolerance or number of steps out of range.

    Source:
        Hestenes and Stiefel (1952); the preconditioner is that of Frangella, Tropp and Udell (2023),
        Randomized Nyström preconditioning, equation (1.3). The iteration is JAX's own
        ``jax.scipy.sparse.linalg.cg``.

    Example:
        >>> solve(jnp.diag(jnp.array([1.0, 3.0])), jnp.ones((2, 1)), 1.0).round(9).tolist()
        [[0.5], [0.25]]
    """
    y = as_float64("y", y, (None, None))
    n = len(y)
    ridge = check_ridge(ridge)
    check_int("max_steps", max_steps, low=1)
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance: expected a relative residual between 0 and 1, got {tolerance!r}.")
    product = Partial(k) if callable(k) else Partial(jnp.matmul, as_float64("k", k, (n, n)))
    basis, scale = _preconditioner(factor, n, ridge)
    solution, residual = _solve(product, y, ridge, basis, scale, tolerance, max_steps)
    worst = float(jnp.max(residual))
    # The residual is computed afresh here, so it may exceed the iteration's own by rounding.
    if not worst <= 2 * tolerance:
        raise SingularKernelError(
            f"k + ridge*I: after {max_steps} steps of conjugate gradients the relative residual is "
            f"{worst:.2g}, and {tolerance:.2g} was asked for. Raise max_steps or the ridge, or give a factor "
            "of higher rank; a product in float32 allows a tolerance of about 1e-5."
        )
    return solution


def ntk_product(
    apply_fn: ApplyFn, params: Any, x: Float[ArrayLike, "n ..."], *, logit: Logit = "first"
) -> Callable[[Float[Array, " n"]], Float[Array, " n"]]:
    r"""Return ``v -> K v`` for the empirical kernel of x, by one backward and one forward derivative.

    .. math:: K v = J (J^\top v), \qquad J = \partial g(X) / \partial\theta

    Neither K nor J exists: memory is that of training on a batch of n inputs.

    Args:
        apply_fn: As in :func:`ntkal.empirical_ntk`.
        params: As in :func:`ntkal.empirical_ntk`.
        x: Inputs, shape (n, ...).
        logit: As in :func:`ntkal.empirical_ntk`, except ``"all"``.

    Returns:
        The product, computed in the network's precision and returned in that of v.

    Raises:
        ValueError: As :func:`ntkal.empirical_ntk`, and for ``logit="all"``.

    Example:
        >>> x = jnp.array([[1.0, 2.0], [3.0, 4.0]])  # K = [[5, 11], [11, 25]]
        >>> ntk_product(lambda w, x: x @ w, jnp.ones((2, 3)), x)(jnp.array([1.0, -1.0])).tolist()
        [-6.0, -14.0]
    """
    if logit == "all":
        raise ValueError("logit: 'all' has no single kernel; choose one logit, 'mean' or 'sum'.")
    x = as_inputs("x", x)
    classes = count_classes(apply_fn, params, x)
    logit = check_logit(logit, classes)
    weights = {"mean": np.full(classes, 1 / classes), "sum": np.full(classes, classes**-0.5)}.get(logit)
    weights = jnp.asarray(np.eye(classes)[logit] if weights is None else weights)
    leaves, tree = jax.tree.flatten(params)
    moving = [i for i, leaf in enumerate(leaves) if jnp.issubdtype(jnp.result_type(leaf), jnp.floating)]

    def g(chosen: list[jax.Array]) -> jax.Array:
        full = list(leaves)
        for index, leaf in zip(moving, chosen, strict=True):
            full[index] = leaf
        f = apply_fn(jax.tree.unflatten(tree, full), x)
        return f @ weights.astype(f.dtype)

    at = [jnp.asarray(leaves[i]) for i in moving]

    def product(v: Float[Array, " n"]) -> Float[Array, " n"]:
        f, pull = jax.vjp(g, at)
        return jax.jvp(g, (at,), pull(v.astype(f.dtype)))[1].astype(v.dtype)

    return product


def _preconditioner(factor: ArrayLike | None, n: int, ridge: float) -> tuple[jax.Array, jax.Array]:
    """U and the diagonal of (l + ridge) / (Lambda + ridge) - 1, so that P^-1 = I + U diag U^T."""
    if factor is None:
        return jnp.zeros((n, 1)), jnp.zeros(1)
    factor = as_float64("factor", factor, (n, None))
    basis, s, _ = jnp.linalg.svd(factor, full_matrices=False)
    kept = s > len(s) * 2.0**-52 * s[0]
    low = jnp.min(jnp.where(kept, s, jnp.inf)) ** 2
    scale = (low + ridge) / (jnp.where(kept, s, 1.0) ** 2 + ridge) - 1.0
    return basis, jnp.where(kept, scale, 0.0)


@partial(jax.jit, static_argnums=6)
def _solve(product, y, ridge, basis, scale, tolerance, max_steps):
    def apply(v):
        return product(v) + ridge * v

    def precondition(v):
        return v + basis @ (scale * (basis.T @ v))

    def column(b):
        solution = cg(apply, b, tol=tolerance, maxiter=max_steps, M=precondition)[0]
        return solution, jnp.linalg.norm(b - apply(solution)) / jnp.maximum(jnp.linalg.norm(b), 1e-300)

    return jax.vmap(column, in_axes=1, out_axes=(1, 0))(y)
