"""Python 2's pickles of bytes, numbers, lists, dicts and uint8 arrays, read without running what they name.

A pickle is a program, and ``pickle.load`` on a file from elsewhere runs it. Here the only names it may call
are the three with which NumPy's arrays were written, and even these get stand-ins that keep what they are
given: no function or class of NumPy sees anything of the file but an array's bytes.
"""

import io
import pickle
import pickletools
from typing import Any

import numpy as np

_UNUSUAL = "pickle: an array is not written as NumPy writes it."


class _Type:
    """Stands for ``numpy.dtype``; its state (byte order, fields) says nothing more about one-byte numbers."""

    def __init__(self, code: bytes, *_):
        self.code = code

    def __setstate__(self, state):
        pass


class _Class:
    """Stands for ``numpy.ndarray``, which is named and never called."""

    def __new__(cls, *_):
        raise ValueError(_UNUSUAL)

    def __setstate__(self, state):  # without it, a pickle could set attributes of this class
        raise ValueError(_UNUSUAL)


class _Array:
    """Stands for an array: its shape and bytes, checked before they become one."""

    def __init__(self, *_):
        self.array = None

    def __setstate__(self, state):
        try:
            _, shape, kind, fortran, raw = state
            fits = kind.code == b"u1" and isinstance(raw, bytes)
        except (TypeError, ValueError, AttributeError) as error:
            raise ValueError(_UNUSUAL) from error
        if not fits:
            raise ValueError("pickle: expected an array of bytes (uint8), found one of another kind.")
        order = "F" if fortran else "C"
        try:
            self.array = np.frombuffer(raw, dtype=np.uint8).reshape(shape, order=order)
        except (TypeError, ValueError) as error:
            raise ValueError(_UNUSUAL) from error


_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy", "ndarray"): _Class,
    ("numpy", "dtype"): _Type,
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise ValueError(
                f"pickle: the file names {module}.{name}, which no image needs. It was not run; the file is "
                "not the published one."
            )
        return _ALLOWED[module, name]

    def persistent_load(self, pid: Any) -> Any:
        raise ValueError("pickle: the file refers to objects outside itself; it is not the published one.")


def _check_memo(content: bytes) -> None:
    """Refuse a place in the reader's memory beyond any need: it would clear all places up to that one."""
    try:
        for code, argument, _ in pickletools.genops(content):
            if code.name.endswith("PUT") and argument > len(content):
                raise ValueError(f"it asks for {argument} places in memory")
    except ValueError as error:
        raise ValueError(f"pickle: damaged ({error}).") from error


def read(content: bytes) -> dict[bytes, Any]:
    r"""The dict in a pickle that Python 2 wrote: its keys and texts are bytes, its arrays uint8.

    Args:
        content: The pickle, whole.

    Returns:
        The dict.

    Raises:
        ValueError: When the pickle is damaged, holds something else, or names anything but NumPy's arrays
            (the message says what); nothing that it names has then been run.

    Example:
        >>> read(b"(dU\x04dataK\x01s.")
        {b'data': 1}
        >>> read(b"cos\nsystem\n(S'echo'\ntR.")
        Traceback (most recent call last):
            ...
        ValueError: pickle: the file names os.system, which no image needs. It was not run; ...
    """
    try:
        _check_memo(content)
        found = _Reader(io.BytesIO(content), encoding="bytes").load()
    except Exception as error:  # a damaged pickle can fail in any way
        if isinstance(error, ValueError) and str(error).startswith("pickle: "):
            raise
        raise ValueError(f"pickle: damaged ({type(error).__name__}: {error}).") from error
    if not isinstance(found, dict):
        raise ValueError(f"pickle: expected a dict, found {type(found).__name__}.")
    return {key: value.array if isinstance(value, _Array) else value for key, value in found.items()}
