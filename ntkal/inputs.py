"""What a user gives, checked once at the public door: a clean value, or a sentence that says what to do.

While JAX traces (``jit``, ``vmap``, ``grad``, ``scan``) values are not there to be checked; shapes are.
"""

import difflib
import math
import typing
from collections.abc import Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

ArrayLike = jax.Array | np.ndarray
Shape = tuple[int | None, ...]


class SingularKernelError(np.linalg.LinAlgError):
    """A kernel matrix that cannot be inverted in the working precision (a :class:`ValueError`)."""


def is_traced(*trees: Any) -> bool:
    """Return whether a leaf of the trees is traced by a JAX transformation, so that it has no value yet.

    Example:
        >>> is_traced(jnp.ones(2), 1.0), bool(jax.jit(lambda x: jnp.asarray(is_traced(x)))(1.0))
        (False, True)
    """
    return any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(trees))


def check_x64() -> None:
    """Raise a RuntimeError when JAX's 64-bit mode was turned off after ``import ntkal``.

    Example:
        >>> check_x64()
    """
    if not jax.config.jax_enable_x64:
        raise RuntimeError(
            "JAX's 64-bit mode is off, and kernel solves in float32 lose all accuracy. "
            "Call jax.config.update('jax_enable_x64', True) before using ntkal."
        )


def as_float64(name: str, value: Any, shape: Shape, *, finite: bool = True) -> jax.Array:
    """Return ``value`` as a finite float64 JAX array of the given shape, on the device where it is.

    Args:
        name: The argument's name, used in the messages.
        value: Real numbers, not booleans: an array, a list, a table.
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
    check_x64()
    array = as_numbers(name, value)
    if array.dtype == bool:
        raise ValueError(f"{name}: expected real numbers, got booleans; convert with .astype(float).")
    pairs = zip(array.shape, shape, strict=False)
    if array.ndim != len(shape) or any(want not in (None, have) for have, want in pairs):
        raise ValueError(f"{name}: expected shape {_said(shape)}, got {array.shape}.")
    if 0 in array.shape:
        raise ValueError(f"{name}: shape {array.shape} has an empty axis; at least one entry is needed.")
    array = jnp.asarray(array).astype(jnp.float64)
    bad = jnp.sum(~jnp.isfinite(array)) if finite else 0
    if not is_traced(bad) and bad:  # within a trace, what is computed of an array with values is traced too
        raise ValueError(f"{name}: {bad} of {array.size} entries are NaN or infinite; remove or repair them.")
    return array


def as_labels(name: str, value: Any, shape: Shape) -> jax.Array:
    """Return label vectors as a finite float64 JAX array: one-hot rows, whatever people keep them in.

    Args:
        name: The argument's name, used in the messages.
        value: Real numbers or booleans, such as ``labels[:, None] == np.arange(C)`` or
            ``pandas.get_dummies`` give.
        shape: Expected shape, (n, C), or (C,) for one label; ``None`` stands for any length.

    Raises:
        ValueError: As :func:`as_float64`; for numbers of classes, the message says how to convert them.

    Example:
        >>> as_labels("y", np.array([2, 0])[:, None] == np.arange(3), (None, 3)).tolist()
        [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    array = as_numbers(name, value)
    column = len(shape) == 2 and array.shape[1:] == (1,) and shape[1] not in (None, 1)
    if array.ndim == len(shape) - 1 or (column and array.dtype != bool):
        convert = f"np.eye({shape[-1] or 'C'})[{'labels' if len(shape) == 2 else 'label'}]"
        said = "one number a row is [:, None]" if shape[-1] == 1 else f"numbers of classes become {convert}"
        raise ValueError(
            f"{name}: expected label vectors of shape {_said(shape)}, got {array.shape}; {said}."
        )
    return as_float64(name, array.astype(float) if array.dtype == bool else array, shape)


def as_inputs(name: str, value: Any) -> jax.Array:
    """Return inputs of a network as a floating-point JAX array, in the precision that they have.

    Args:
        name: The argument's name, used in the messages.
        value: Inputs, shape (n, ...), n at least 1.

    Raises:
        ValueError: For another shape, whole numbers, booleans, a sparse matrix, or what is no array.

    Example:
        >>> as_inputs("x", np.ones((2, 3), np.float32)).dtype.name
        'float32'
    """
    array = as_numbers(name, value)
    if array.ndim < 2 or len(array) == 0:
        raise ValueError(f"{name}: expected inputs of shape (n, ...) with n >= 1, got {array.shape}.")
    if not jnp.issubdtype(array.dtype, jnp.floating):
        raise ValueError(f"{name}: expected floating-point inputs, got {array.dtype}; scale them first.")
    return jnp.asarray(array)


def as_positions(name: str, value: Any, high: int, *, distinct: bool = True) -> ArrayLike:
    """Return positions in a pool as whole numbers from 0 to ``high``, shape (r,), at least one.

    Args:
        name: The argument's name, used in the messages.
        value: Whole numbers; neither a boolean mask nor floating-point numbers.
        high: The largest position.
        distinct: Whether a position may stand only once.

    Raises:
        ValueError: For another shape or kind, a position outside the pool or, if ``distinct``, twice.

    Example:
        >>> as_positions("at", [4, 1], 9).tolist()
        [4, 1]
    """
    array = value if is_traced(value) else np.asarray(as_numbers(name, value))
    if array.dtype == bool:
        raise ValueError(f"{name}: expected positions, got a boolean mask; give np.flatnonzero(mask).")
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name}: expected positions of shape (r,) with r >= 1, got shape {array.shape}.")
    if not jnp.issubdtype(array.dtype, jnp.integer):
        raise ValueError(f"{name}: expected positions as whole numbers, got {array.dtype}.")
    if is_traced(array):
        return array
    outside = array[(array < 0) | (array > high)]
    if outside.size:
        raise ValueError(f"{name}: expected positions between 0 and {high}, got {int(outside[0])}.")
    values, counts = np.unique(array, return_counts=True)
    if distinct and counts.max() > 1:
        raise ValueError(f"{name}: position {values[counts > 1][0]} stands there more than once.")
    return array.astype(np.int64)


def check_choice(name: str, value: Any, allowed: Iterable[str]) -> str:
    """Return ``value`` if it is one of ``allowed``, else raise a ValueError with the nearest and all.

    Example:
        >>> check_choice("strategy", "margin", ["margin", "random"])
        'margin'
    """
    options = sorted(allowed)
    if not isinstance(value, str) or value not in options:
        raise ValueError(
            f"{name}: unknown {_shown(value)}{_meant(value, options)}; choose one of {', '.join(options)}."
        )
    return value


def check_int(name: str, value: Any, *, low: int, high: int | None = None) -> Any:
    """Return ``value`` as an int between ``low`` and ``high`` (both included), else raise a ValueError.

    A traced whole number is handed on as it is.

    Example:
        >>> check_int("cycles", 5, low=0)
        5
    """
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole and getattr(value, "ndim", None) == 0:
        whole = jnp.issubdtype(value.dtype, jnp.integer)
    if not whole:
        raise ValueError(f"{name}: expected a whole number, got {_shown(value)}.")
    if is_traced(value):
        return value
    if value < low or (high is not None and value > high):
        bounds = f"at least {low}" if high is None else f"between {low} and {high}"
        raise ValueError(f"{name}: expected a whole number {bounds}, got {int(value)}.")
    return int(value)


def check_number(name: str, value: Any, *, low: float | int, high: float | int | None = None) -> Any:
    """Return ``value`` as a finite float from ``low`` to ``high`` (both included), else raise a ValueError.

    A traced number is handed on as it is.

    Example:
        >>> check_number("ridge", 1, low=0)
        1.0
    """
    bounds = f"of at least {low:g}" if high is None else f"between {low:g} and {high:g}"
    if is_traced(value) and value.ndim == 0:
        return value
    try:
        number = math.nan if isinstance(value, (bool, np.bool_, str)) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not low <= number < math.inf or (high is not None and number > high):
        raise ValueError(f"{name}: expected a finite number {bounds}, got {_shown(value)}.")
    return number


def as_numbers(name: str, value: Any) -> Any:
    """Return real numbers or booleans as a NumPy or JAX array, in the machine's own order of bytes.

    Args:
        name: The argument's name, used in the messages.
        value: An array, a list, a table of pandas, nullable or of several types; NA is a missing number.

    Raises:
        ValueError: For texts and what else is no array of numbers, and for a sparse matrix.

    Example:
        >>> as_numbers("y", np.array([1, None], object)).tolist()
        [1.0, nan]
    """
    if hasattr(value, "toarray"):
        raise ValueError(f"{name}: expected an array, got a sparse {type(value).__name__}; use .toarray().")
    try:
        array = value if isinstance(value, jax.Array) else np.asarray(value)
        if array.dtype == object:  # first whether there is one kind of numbers behind it
            array = np.asarray(array.tolist())
        if array.dtype == object:
            table = hasattr(value, "to_numpy")
            array = value.to_numpy(float, na_value=np.nan) if table else array.astype(float)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: expected an array of numbers, got {type(value).__name__}.") from None
    if not any(jnp.issubdtype(array.dtype, kind) for kind in (jnp.floating, jnp.integer, jnp.bool_)):
        said = type(value).__name__ if array.ndim == 0 else f"an array of dtype {array.dtype}"
        how = "; np.unique(labels, return_inverse=True) gives classes and their numbers"
        how = how if array.dtype.kind == "U" else ""
        raise ValueError(f"{name}: expected real numbers, got {said}{how}.")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, (str, float, int, np.generic)) else f"a {type(value).__name__}"


def _said(shape: Shape) -> str:
    sizes = ["any" if size is None else str(size) for size in shape]
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"


_KINDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def typed(cls: type, settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Check each value against its field's annotation; a whole number will do where a number is asked."""
    hints = typing.get_type_hints(cls)
    out = {}
    for name, value in settings.items():
        kinds = typing.get_args(hints[name]) or (hints[name],)
        value = value.item() if isinstance(value, np.number) else value
        if isinstance(value, int) and abs(value) >= 2**63:
            raise ValueError(f"{prefix}{name}: a whole number of {value.bit_length()} bits is too large.")
        if float in kinds and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            wanted = " or ".join(_KINDS.get(kind, "nothing") for kind in kinds if kind is not type(None))
            raise ValueError(f"{prefix}{name}: expected {wanted}, got {_shown(value)}.")
        out[name] = value
    return out


def known(settings: Iterable[str], names: list[str], prefix: str = "") -> None:
    """Raise a ValueError for a name that is not among the settings, with the nearest that is."""
    for key in settings:
        if key not in names:
            said = key if key.isprintable() else repr(key)
            nearest = _meant(key, names)
            raise ValueError(f"{prefix}{said}: no such setting{nearest}; known: {', '.join(names)}.")


def _meant(word: object, options: list[str]) -> str:
    near = difflib.get_close_matches(str(word), options, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
