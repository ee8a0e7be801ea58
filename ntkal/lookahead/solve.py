"""Cholesky factor of a labelled kernel, or a refusal that says why there is none."""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.linalg.blas import dtrmv, dtrsv

from ntkal.inputs import ArrayLike, SingularKernelError, as_float64, is_traced
from ntkal.kernels.rounding import check_symmetric, noise_floor, precision_of


def cholesky(
    name: str, kernel: Float[ArrayLike, "n n"], ridge: Float[Array, ""] | float, *, eps: float | None = None
) -> Float[Array, "n n"]:
    r"""Return the lower Cholesky factor of :math:`K + \lambda I` in float64.

    Args:
        name: The argument's name, for messages.
        kernel: Symmetric positive semi-definite K, shape (n, n).
        ridge: The absolute ridge λ, at least 0.
        eps: Rounding unit of the precision that the kernel was computed in; None reads it off its dtype.

    Returns:
        L with :math:`L L^\top = K + \lambda I`, shape (n, n), float64; NaN for a traced kernel that has
        none.

    Raises:
        SingularKernelError: When the smallest eigenvalue is zero or negative up to the rounding of the
            precision that the kernel came in. The message gives the eigenvalue, the likely cause and a
            ridge that would do.
        ValueError: When K is not square, symmetric and finite.

    Example:
        >>> import numpy as np
        >>> cholesky("k", np.array([[4.0]]), 0.0).tolist()
        [[2.0]]
    """
    matrix = as_float64(name, kernel, (None, None))
    eps = precision_of(kernel) if eps is None else eps
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"{name}: expected a square matrix, got shape {matrix.shape}.")
    n = len(matrix)
    factor = jnp.linalg.cholesky(matrix + ridge * jnp.eye(n))
    if is_traced(factor):
        return factor
    check_symmetric(name, matrix, eps)
    # On the host: compiling these few products for each n would take longer than running them. With SciPy's
    # BLAS alone: NumPy has one of its own, and the idle threads of each spin while the other works.
    upper = np.asarray(factor).T  # in Fortran's order, which BLAS takes without a copy
    largest = _largest_eigenvalue(lambda v: dtrmv(upper, dtrmv(upper, v), trans=1), n)
    inverse = _largest_eigenvalue(lambda v: dtrsv(upper, dtrsv(upper, v, trans=1)), n)
    diagonal = float(jnp.max(jnp.abs(jnp.diag(matrix))))
    if not inverse * noise_floor(eps, n, diagonal, largest) < 1:
        refuse(name, np.asarray(matrix), ridge, eps)
    return factor


def _largest_eigenvalue(multiply: Callable[[np.ndarray], np.ndarray], n: int) -> float:
    """Power iteration with a symmetric matrix: close, from below, in a few products; NaN stays NaN."""
    vector = np.random.default_rng(0).standard_normal(n)
    size = np.linalg.norm(vector)
    for _ in range(12):
        vector = multiply(vector / size)
        size = np.linalg.norm(vector)
        if not size > 0:
            break
    return float(size)


def refuse(name: str, matrix: np.ndarray, ridge: float, eps: float) -> None:
    """Say why the factorisation failed, from the exact spectrum and the closest pair of rows."""
    values = np.linalg.eigvalsh(matrix)
    low, high = values[0], values[-1]
    diagonal = np.diag(matrix)
    noise = noise_floor(eps, len(matrix), np.max(np.abs(diagonal)), max(abs(low), abs(high)))
    found = f"{name} + ridge*I cannot be inverted: its smallest eigenvalue is {low + ridge:.3g}"
    found += f" and its largest {high + ridge:.3g} (ridge={ridge:.3g})."
    if low < -100 * noise:
        raise SingularKernelError(
            f"{found} A kernel has no negative eigenvalue: this matrix is not one. Check that batch norm is "
            "frozen and that both inputs went through the same parameters."
        )
    distance = diagonal[:, None] + diagonal[None, :] - 2 * matrix
    distance[np.tril_indices(len(matrix))] = np.inf
    i, j = np.unravel_index(np.argmin(distance), distance.shape)
    if len(matrix) > 1 and distance[i, j] <= 10 * noise:
        cause = f"inputs {i} and {j} are duplicates, as far as the kernel can tell"
    else:
        cause = f"there are more inputs (n={len(matrix)}) than parameters, or the inputs are nearly dependent"
    raise SingularKernelError(
        f"{found} Likely cause: {cause}. Remove what is redundant, or pass a ridge of about "
        f"{max(100 * noise, 2 * abs(low)) or 1.0:.1g}."
    )
