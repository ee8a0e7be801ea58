"""Large symmetric arrays made by the host and handed to JAX without a copy.

NumPy asks the system for large pages: where a large array goes through memory once, page faults are a good
part of its price.
"""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.linalg.blas import dtrsm

from ntkal.inputs import ArrayLike, is_traced

LARGE = 2**24
"""Bytes of an array from which new pages cost more than starting threads, and :func:`minus_outer` pays."""

# JAX takes an array over, and does not copy it, when its first byte is at a multiple of this.
_ALIGNED = 64
# Bytes of a panel of rows that stays in a core's cache between two operations on it.
_PANEL = 2**19
# Rows of the lower triangle that are multiplied at once.
_STRIP = 500


def on_host(array: Float[Array, "..."]) -> bool:
    """Whether the array is in this machine's memory, on one CPU device, and no tracer.

    Example:
        >>> on_host(jnp.zeros(2)) == (jax.default_backend() == "cpu")
        True
    """
    if not isinstance(array, jax.Array) or isinstance(array, jax.core.Tracer):
        return isinstance(array, np.ndarray)
    devices = array.devices()
    return len(devices) == 1 and next(iter(devices)).platform == "cpu"


def minus_gram(whole: Float[Array, "m m"], half: Float[Array, "m n"]) -> Float[Array, "m m"]:
    r"""Return :math:`K - V V^\top` of a symmetric K by its lower triangle, for half of a product.

    Example:
        >>> minus_gram(2 * jnp.eye(2), jnp.ones((2, 1))).tolist()
        [[1.0, -1.0], [-1.0, 1.0]]
    """
    given, whole, half = half, np.asarray(whole), np.asarray(half)
    out = _empty(whole.shape)
    for i in range(0, len(whole), _STRIP):
        strip = slice(i, min(i + _STRIP, len(whole)))
        np.subtract(
            whole[strip, : strip.stop], half[strip] @ half[: strip.stop].T, out=out[strip, : strip.stop]
        )
        for j in range(0, i, _STRIP):
            out[j : j + _STRIP, strip] = out[strip, j : j + _STRIP].T
    return _handed_over(out, given)


def whiten(factor: Float[Array, "n n"], rows: Float[Array, "m n"]) -> Float[Array, "m n"]:
    r"""Return :math:`K L^{-\top}` of a lower triangular L, in one array that the solve overwrites.

    Example:
        >>> whiten(2 * jnp.eye(1), jnp.ones((3, 1))).tolist()
        [[0.5], [0.5], [0.5]]
    """
    out = _empty(rows.shape)
    out[:] = rows
    # Fortran sees transposes: an upper L and columns in place of rows, so that nothing is copied.
    solved = dtrsm(1.0, np.asarray(factor).T, out.T, trans_a=1, overwrite_b=1)
    return _handed_over(solved.T, rows)


def minus_outer(
    whole: Float[Array, "m m"], column: Float[np.ndarray, " m"], row: Float[np.ndarray, " m"]
) -> Float[Array, "m m"]:
    r"""Return :math:`K - u v^\top` in one pass over K, by all cores, about the price of a copy.

    Example:
        >>> minus_outer(jnp.eye(2), np.ones(2), np.array([1.0, 0.0])).tolist()
        [[0.0, 0.0], [-1.0, 1.0]]
    """
    given, whole, out = whole, np.asarray(whole), _empty(whole.shape)
    step = max(1, _PANEL // (8 * len(whole)))

    def share(starts):
        for i in starts:
            panel = out[i : i + step]
            np.multiply(column[i : i + step, None], row[None, :], out=panel)
            np.subtract(whole[i : i + step], panel, out=panel)

    starts = np.arange(0, len(whole), step)
    shares = np.array_split(starts, min(len(starts), os.cpu_count() or 1))
    with ThreadPoolExecutor(len(shares)) as threads:  # NumPy lets go of the interpreter while it computes
        list(threads.map(share, shares))
    return _handed_over(out, given)


def joined(parts: Iterable[ArrayLike]) -> Float[Array, "n ..."]:
    """Concatenate arrays by way of the host, one at a time, on the device where they are.

    Example:
        >>> joined(jnp.full(1, float(i)) for i in range(3)).tolist()
        [0.0, 1.0, 2.0]
    """
    held = []
    for part in parts:
        held.append(part if is_traced(part) else np.asarray(part))
    if is_traced(held):
        return jnp.concatenate(held)
    fixed = isinstance(part, jax.Array) and part.committed and len(part.devices()) == 1
    return jax.device_put(np.concatenate(held), *(part.devices() if fixed else ()))


def largest(array: Float[np.ndarray, "..."]) -> float:
    """Return the largest absolute entry, without an array of absolute values."""
    return float(max(np.max(array), -np.min(array)))


def asymmetry(kernel: Float[np.ndarray, "n n"], side: int = 256) -> float:
    """Return the largest difference of an entry from its mirror, by tiles: whole columns miss the cache."""
    gap = 0.0
    for i in range(0, len(kernel), side):
        for j in range(i, len(kernel), side):
            tile = kernel[i : i + side, j : j + side] - kernel[j : j + side, i : i + side].T
            gap = max(gap, float(np.max(np.abs(tile))))
    return gap


def _handed_over(made: np.ndarray, given: ArrayLike) -> jax.Array:
    """An array of the host as one of JAX where what was given is; not copied unless that is elsewhere."""
    array = jnp.from_dlpack(made)
    return jax.device_put(array, given.sharding) if isinstance(given, jax.Array) else array


def _empty(shape: tuple[int, ...]) -> np.ndarray:
    size, spare = int(np.prod(shape)), _ALIGNED // 8
    raw = np.empty(size + spare)
    start = -(raw.ctypes.data // 8) % spare
    return raw[start : start + size].reshape(shape)
