"""What a user gives, checked once at the public door: a clean value, or a sentence that says what to do."""

import difflib
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

ArrayLike = jax.Array | np.ndarray


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


_KINDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def typed(cls: type, settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Check each value against its field's annotation; a whole number will do where a number is asked."""
    hints = typing.get_type_hints(cls)
    out = {}
    for name, value in settings.items():
        hint = hints[name]
        union = isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union
        kinds = typing.get_args(hint) if union else (hint,)
        value = value.item() if isinstance(value, np.number) else value
        if isinstance(value, int) and abs(value) >= 2**63:
            raise ValueError(f"{prefix}{name}: a whole number of {value.bit_length()} bits is too large.")
        if float in kinds and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        fits = any(isinstance(value, kind) for kind in kinds) and (
            bool in kinds or not isinstance(value, bool)
        )
        if not fits:
            wanted = " or ".join(_KINDS.get(kind, "nothing") for kind in kinds if kind is not type(None))
            raise ValueError(f"{prefix}{name}: expected {wanted}, got {value!r}.")
        out[name] = value
    return out


def known(settings: Iterable[str], names: list[str], prefix: str = "") -> None:
    """Raise a ValueError for a name that is not among the settings, with the nearest that is."""
    for key in settings:
        if key not in names:
            said = key if key.isprintable() else repr(key)
            raise ValueError(
                f"{prefix}{said}: no such setting{_meant(key, names)}; known: {', '.join(names)}."
            )


def choice(name: str, value: str, allowed: Iterable[str]) -> None:
    """Raise a ValueError for a value that is not among those allowed, with the nearest that is."""
    options = list(allowed)
    if value not in options:
        raise ValueError(
            f"{name}: unknown {value!r}{_meant(value, options)}; choose one of {', '.join(options)}."
        )


def _meant(word: object, options: list[str]) -> str:
    near = difflib.get_close_matches(str(word), options, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def at_least(name: str, value: int | None, low: int) -> None:
    """Raise a ValueError for a number below the lowest; None passes."""
    if value is not None and value < low:
        raise ValueError(f"{name}: expected a whole number at least {low}, got {value}.")
