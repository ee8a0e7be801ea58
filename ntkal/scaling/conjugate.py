"""The labelled solve by preconditioned conjugate gradients: products with the kernel, no factorisation."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.sparse.linalg import cg
from jaxtyping import Array, Float, Real

from ntkal.inputs import ArrayLike, SingularKernelError, as_float64, check_int, check_number
from ntkal.kernels.network import ApplyFn, Logit, check_logit, trace_network
from ntkal.kernels.program import Program


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False)
class Product:
    """A linear map of vectors as it was when it was traced; equal maps of other arrays are compiled once.

    Attributes:
        program: Its steps.
        arrays: What they read besides the vector.

    Example:
        >>> matrix = np.eye(2)
        >>> product = Product.trace(lambda v: matrix @ v, 2)
        >>> matrix[:] = 0.0
        >>> product(jnp.ones(2)).tolist()
        [1.0, 1.0]
    """

    program: Program = field(metadata={"static": True})
    arrays: list[jax.Array]

    @classmethod
    def trace(cls, function: Callable[[jax.Array], jax.Array], n: int) -> "Product":
        """Call a function with a vector of n numbers in float64, and keep what it does."""
        program, arrays = Program.trace(function, jax.ShapeDtypeStruct((n,), jnp.float64))
        return cls(program, [jnp.array(array) for array in arrays])

    def __call__(self, v: Float[Array, " n"]) -> Float[Array, " n"]:
        """Apply the map to a vector, shape (n,), in float64."""
        return _apply(self, as_float64("v", v, self.program.shapes[0].shape))


@jax.jit
def _apply(product: Product, v: jax.Array) -> jax.Array:
    return product.program([v, *product.arrays])


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
        tolerance: Largest relative residual of a column, above rounding and below 1.
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
    n, ridge = len(y), check_number("ridge", ridge, low=0)
    max_steps = check_int("max_steps", max_steps, low=1)
    tolerance = check_number("tolerance", tolerance, low=2.0**-52, high=1)
    if not isinstance(k, Product):
        k = Product.trace(k if callable(k) else partial(jnp.matmul, as_float64("k", k, (n, n))), n)
    shapes = k.program.shapes[0].shape, getattr(k.program.result, "shape", None)
    if shapes != ((n,), (n,)):
        raise ValueError(f"k: expected a function from shape ({n},) to itself, like y, got {shapes}.")
    basis, scale = _preconditioner(factor, n, ridge)
    solution, residual = _solve(k, y, ridge, basis, scale, tolerance, max_steps)
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
) -> Product:
    r"""Return ``v -> K v`` for the empirical kernel of x, by one backward and one forward derivative.

    .. math:: K v = J (J^\top v), \qquad J = \partial g(X) / \partial\theta

    Neither K nor J exists: memory is that of training on a batch of n inputs. The network is traced
    here, once; the product computes in its precision, and takes and gives float64.

    Args:
        apply_fn: As in :func:`ntkal.empirical_ntk`.
        params: As in :func:`ntkal.empirical_ntk`.
        x: Inputs, shape (n, ...).
        logit: As in :func:`ntkal.empirical_ntk`, except ``"all"``.

    Raises:
        ValueError: As :func:`ntkal.empirical_ntk`, and for ``logit="all"``.

    Example:
        >>> x = jnp.array([[1.0, 2.0], [3.0, 4.0]])  # K = [[5, 11], [11, 25]]
        >>> ntk_product(lambda w, x: x @ w, jnp.ones((2, 3)), x)(jnp.array([1.0, -1.0])).tolist()
        [-6.0, -14.0]
    """
    if logit == "all":
        raise ValueError("logit: 'all' has no single kernel; choose one logit, 'mean' or 'sum'.")
    network, x = trace_network(apply_fn, params, x=x), jnp.asarray(x)
    classes, logit = network.classes, check_logit(logit, network.classes)
    joined = {"mean": np.full(classes, 1 / classes), "sum": np.full(classes, classes**-0.5)}
    weights = joined[logit] if isinstance(logit, str) else np.eye(classes)[logit]
    at = {i: network.leaves[i] for i in network.moving}

    def g(moving: dict[int, jax.Array]) -> jax.Array:
        leaves = [moving.get(i, leaf) for i, leaf in enumerate(network.leaves)]
        f = jax.vmap(lambda one: network.program([*leaves, one[None], *network.outside])[0])(x)
        return f @ weights.astype(f.dtype)

    def product(v: Float[Array, " n"]) -> Float[Array, " n"]:
        f, pull = jax.vjp(g, at)
        return jax.jvp(g, (at,), pull(v.astype(f.dtype)))[1].astype(v.dtype)

    return Product.trace(product, len(x))


def _preconditioner(factor: ArrayLike | None, n: int, ridge: float) -> tuple[jax.Array, jax.Array]:
    """U and the diagonal of (l + ridge) / (Lambda + ridge) - 1, so that P^-1 = I + U diag U^T."""
    if factor is None:
        return jnp.zeros((n, 1)), jnp.zeros(1)
    basis, s, _ = jnp.linalg.svd(as_float64("factor", factor, (n, None)), full_matrices=False)
    kept = s > len(s) * 2.0**-52 * s[0]
    low = jnp.min(jnp.where(kept, s, jnp.inf)) ** 2
    scale = (low + ridge) / (jnp.where(kept, s, 1.0) ** 2 + ridge) - 1.0
    return basis, jnp.where(kept, scale, 0.0)


@partial(jax.jit, static_argnums=6)
def _solve(product, y, ridge, basis, scale, tolerance, max_steps):
    def apply(v):
        return product.program([v, *product.arrays]) + ridge * v

    def precondition(v):
        return v + basis @ (scale * (basis.T @ v))

    def column(b):
        solution = cg(apply, b, tol=tolerance, maxiter=max_steps, M=precondition)[0]
        return solution, jnp.linalg.norm(b - apply(solution)) / jnp.maximum(jnp.linalg.norm(b), 1e-300)

    return jax.vmap(column, in_axes=1, out_axes=(1, 0))(y)
