"""Checks of user input whose messages name the argument, what came, what was expected and what to do."""

from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np


class SingularKernelError(np.linalg.LinAlgError):
    """A kernel matrix that cannot be inverted in the working precision (a :class:`ValueError`)."""


def as_float64(name: str, value, shape: tuple[int | None, ...], *, finite: bool = True) -> jax.Array:
    """Return ``value`` as a finite float64 JAX array of the given shape.

    Args:
        name: The argument's name, used in the messages.
        value: Array of real numbers.
        shape: Expected shape; ``None`` stands for any length of at least one.
        finite: Whether to look for NaN and infinite entries; without it, the caller has to.

    Returns:
        The same numbers, float64.

    Raises:
        ValueError: When the shape differs, when an axis is empty, or when an entry is NaN or infinite.
        RuntimeError: When JAX's 64-bit mode was turned off after ``import ntkal``.

    Example:
        >>> as_float64("y", [[1.0], [2.0]], (None, 1)).shape
        (2, 1)
    """
    if not jax.config.jax_enable_x64:
        raise RuntimeError(
            "JAX's 64-bit mode is off, and kernel solves in float32 lose all accuracy. "
            "Call jax.config.update('jax_enable_x64', True) before using ntkal."
        )
    try:
        array = jnp.asarray(value)
    except TypeError as error:
        raise ValueError(f"{name}: expected an array of numbers, got {type(value).__name__}.") from error
    if not (jnp.issubdtype(array.dtype, jnp.floating) or jnp.issubdtype(array.dtype, jnp.integer)):
        raise ValueError(f"{name}: expected real numbers, got an array of dtype {array.dtype}.")
    fits = array.ndim == len(shape) and all(
        want is None or have == want for have, want in zip(array.shape, shape, strict=True)
    )
    if not fits:
        sizes = ["any" if s is None else str(s) for s in shape]
        wanted = f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"
        raise ValueError(f"{name}: expected shape {wanted}, got {array.shape}.")
    if 0 in array.shape:
        raise ValueError(f"{name}: shape {array.shape} has an empty axis; at least one entry is needed.")
    array = array.astype(jnp.float64)
    if finite and not bool(jnp.isfinite(array).all()):
        bad = int(jnp.sum(~jnp.isfinite(array)))
        raise ValueError(f"{name}: {bad} of {array.size} entries are NaN or infinite; remove or repair them.")
    return array


def check_choice(name: str, value: str, allowed: Iterable[str]) -> str:
    """Return ``value`` if it is one of ``allowed``, else raise a ValueError that lists them.

    Example:
        >>> check_choice("strategy", "margin", ["margin", "random"])
        'margin'
    """
    options = sorted(allowed)
    if value not in options:
        raise ValueError(f"{name}: unknown {value!r}; choose one of {', '.join(options)}.")
    return value


def check_int(name: str, value: int, *, low: int, high: int | None = None) -> int:
    """Return ``value`` as an int between ``low`` and ``high`` (both included), else raise a ValueError.

    Example:
        >>> check_int("cycles", 5, low=0)
        5
    """
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole and getattr(value, "ndim", None) == 0:
        whole = np.issubdtype(value.dtype, np.integer)
    if not whole:
        raise ValueError(f"{name}: expected a whole number, got {value!r}.")
    if value < low or (high is not None and value > high):
        bounds = f"at least {low}" if high is None else f"between {low} and {high}"
        raise ValueError(f"{name}: expected a whole number {bounds}, got {int(value)}.")
    return int(value)
