"""Cholesky factor of a labelled kernel, or a refusal that says why there is none."""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.linalg.blas import dtrmv, dtrsv

from ntkal._host import asymmetry, largest, on_host
from ntkal.errors import SingularKernelError, as_float64
from ntkal.types import ArrayLike


def precision_of(*arrays: ArrayLike) -> float:
    """Return the coarsest rounding unit among the arrays: a float32 kernel stays one after conversion.

    Example:
        >>> import numpy as np
        >>> bool(precision_of(np.ones(2, np.float32), np.ones(2)) == np.finfo(np.float32).eps)
        True
    """
    kinds = [jnp.asarray(a).dtype for a in arrays]
    return max(float(jnp.finfo(k).eps) if jnp.issubdtype(k, jnp.floating) else 2.0**-52 for k in kinds)


def check_ridge(ridge: float | int) -> float:
    """Return the ridge as a float, or raise a ValueError when it is negative or not finite.

    Example:
        >>> check_ridge(0)
        0.0
    """
    try:
        value = float(ridge)
    except (TypeError, ValueError) as error:
        raise ValueError(f"ridge: expected a number of at least 0, got {ridge!r}.") from error
    if not (0 <= value < np.inf):
        raise ValueError(f"ridge: expected a finite number of at least 0, got {value}.")
    return value


def check_symmetric(name: str, kernel: Float[Array, "n n"], eps: float) -> None:
    """Raise a ValueError when a Gram matrix is not symmetric to about half the digits it came with.

    Example:
        >>> import jax.numpy as jnp
        >>> check_symmetric("k", jnp.eye(2), 2.0**-52)
    """
    if on_host(kernel):
        gap, scale = asymmetry(np.asarray(kernel)), largest(np.asarray(kernel))
    else:
        gap, scale = float(jnp.max(jnp.abs(kernel - kernel.T))), float(jnp.max(jnp.abs(kernel)))
    refuse_asymmetry(name, gap, scale, eps)


def refuse_asymmetry(name: str, gap: float, scale: float, eps: float) -> None:
    """Raise a ValueError when entries of size ``scale`` differ from their mirror in the first half of digits.

    Example:
        >>> refuse_asymmetry("k", 1e-12, 1.0, 2.0**-52)
    """
    if gap > np.sqrt(eps) * scale:
        raise ValueError(
            f"{name}: a kernel matrix is symmetric, but entries differ from their mirror by up to {gap:.3g}; "
            "pass the kernel of one set of inputs with itself."
        )


def cholesky(
    name: str, kernel: Float[ArrayLike, "n n"], ridge: float, *, eps: float | None = None
) -> Float[Array, "n n"]:
    r"""Return the lower Cholesky factor of :math:`K + \lambda I` in float64.

    Args:
        name: The argument's name, for messages.
        kernel: Symmetric positive semi-definite K, shape (n, n).
        ridge: The absolute ridge λ, at least 0.
        eps: Rounding unit of the precision that the kernel was computed in; None reads it off its dtype.

    Returns:
        L with :math:`L L^\top = K + \lambda I`, shape (n, n), float64.

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
    eps = precision_of(kernel) if eps is None else eps
    matrix = as_float64(name, kernel, (None, None))
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"{name}: expected a square matrix, got shape {matrix.shape}.")
    check_symmetric(name, matrix, eps)
    n = len(matrix)
    factor = jnp.linalg.cholesky(matrix + ridge * jnp.eye(n))
    # On the host: compiling these few products for each n would take longer than running them. With SciPy's
    # BLAS alone: NumPy has one of its own, and the idle threads of each spin while the other works.
    upper = np.asarray(factor).T  # in Fortran's order, which BLAS takes without a copy
    largest = _largest_eigenvalue(lambda v: dtrmv(upper, dtrmv(upper, v), trans=1), n)
    inverse = _largest_eigenvalue(lambda v: dtrsv(upper, dtrsv(upper, v, trans=1)), n)
    diagonal = float(jnp.max(jnp.abs(jnp.diag(matrix))))
    if not inverse * noise_floor(eps, n, diagonal, largest) < 1:
        refuse(name, np.asarray(matrix), ridge, eps)
    return factor


def noise_floor(eps: float, n: int, diagonal: float, largest: float) -> float:
    r"""Return the size below which an eigenvalue of an n x n kernel matrix is rounding.

    .. math:: 4 \sqrt n \, (\varepsilon \max_i K_{ii} + \varepsilon_{64} \lambda_{\max})

    The first term is the norm of a matrix of independent rounding errors of the entries as they came in, the
    second the backward error of factorising them in float64.

    Args:
        eps: Rounding unit of the precision that the kernel was computed in.
        n: Number of inputs.
        diagonal: Largest diagonal entry.
        largest: Largest eigenvalue.

    Example:
        >>> noise_floor(2.0**-23, 100, diagonal=1.0, largest=80.0) < 1e-5
        True
    """
    return 4 * float(np.sqrt(n)) * (eps * abs(diagonal) + 2.0**-52 * abs(largest))


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
