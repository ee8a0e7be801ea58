"""What rounding leaves of a kernel: the precision it came in, and what is noise in it."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ntkal.inputs import ArrayLike
from ntkal.kernels.host import asymmetry, largest, on_host


def precision_of(*arrays: ArrayLike) -> float:
    """Return the coarsest rounding unit among the arrays: a float32 kernel stays one after conversion."""
    kinds = [jnp.asarray(a).dtype for a in arrays]
    return max(float(jnp.finfo(k).eps) if jnp.issubdtype(k, jnp.floating) else 2.0**-52 for k in kinds)


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
    """
    return 4 * float(np.sqrt(n)) * (eps * abs(diagonal) + 2.0**-52 * abs(largest))


def check_symmetric(name: str, kernel: Float[Array, "n n"], eps: float) -> None:
    """Raise a ValueError when a Gram matrix is not symmetric to about half the digits it came with."""
    if on_host(kernel):
        gap, scale = asymmetry(np.asarray(kernel)), largest(np.asarray(kernel))
    else:
        gap, scale = float(jnp.max(jnp.abs(kernel - kernel.T))), float(jnp.max(jnp.abs(kernel)))
    refuse_asymmetry(name, gap, scale, eps)


def refuse_asymmetry(name: str, gap: float, scale: float, eps: float) -> None:
    """Raise a ValueError when entries of size ``scale`` differ from their mirror in half of the digits."""
    if gap > np.sqrt(eps) * scale:
        raise ValueError(
            f"{name}: a kernel matrix is symmetric, but entries differ from their mirror by up to {gap:.3g}; "
            "pass the kernel of one set of inputs with itself."
        )
