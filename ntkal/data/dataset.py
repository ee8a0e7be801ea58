"""What a data set is: inputs and answers, checked and kept; labels as targets."""

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, Int64, Integer

from ntkal.inputs import ArrayLike, as_float64, as_numbers, check_int

DIGITS = tuple("0123456789")


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Inputs and answers, split into a training part (start set and pool) and a test part.

    Arrays, lists and pandas tables will do; the data set keeps copies, which are read-only.

    Attributes:
        x_train: float32 (n, ...); images are (n, height, width, channels). Grey images of the sets that
            :func:`ntkal.load` knows are in [0, 1]; of colour images each channel has mean 0 and standard
            deviation 1 over the training part.
        y_train: int64 class labels (n,), or float64 targets (n, 1) for regression.
        x_test: float32, as ``x_train`` and scaled by the same numbers.
        y_test: As ``y_train``.
        classes: The name of each class, in the order of the labels; empty for regression.

    Raises:
        ValueError: When shapes do not fit, a part is empty, an entry is NaN or infinite, or a label is no
            number of a class; the message names the attribute and says how to convert.

    Example:
        >>> x, y = np.zeros((2, 1), np.float32), np.array([0, 1])
        >>> Dataset(x, y, x, y, ("no", "yes"))
        Dataset(x_train (2, 1), y_train (2,), x_test (2, 1), y_test (2,), 2 classes)
    """

    x_train: Float32[np.ndarray, "n ..."]
    y_train: Int64[np.ndarray, " n"] | Float64[np.ndarray, "n 1"]
    x_test: Float32[np.ndarray, "t ..."]
    y_test: Int64[np.ndarray, " t"] | Float64[np.ndarray, "t 1"]
    classes: tuple[str, ...]

    def __post_init__(self):
        names = self.classes
        if isinstance(names, str) or not isinstance(names, Sequence | np.ndarray):
            raise ValueError(
                f"classes: expected names of classes, as ('no', 'yes'), or () for regression; got {names!r}."
            )
        kept = {"classes": tuple(map(str, names))}
        for part in ("train", "test"):
            x = kept[f"x_{part}"] = _inputs(f"x_{part}", getattr(self, f"x_{part}"))
            y = kept[f"y_{part}"] = _answers(f"y_{part}", getattr(self, f"y_{part}"), len(names))
            if len(x) != len(y):
                raise ValueError(f"y_{part}: expected {len(x)} answers, one for each input, got {len(y)}.")
        shapes = kept["x_train"].shape[1:], kept["x_test"].shape[1:]
        if shapes[0] != shapes[1]:
            raise ValueError(f"x_test: expected inputs of shape {shapes[0]}, as in x_train, got {shapes[1]}.")
        for name, value in kept.items():
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        shapes = [f"{name} {getattr(self, name).shape}" for name in _PARTS]
        return f"Dataset({', '.join(shapes)}, {len(self.classes)} classes)"

    @functools.cached_property
    def digest(self) -> str:
        """The SHA-256 of all bytes, shapes, types and names of classes: equal for equal data anywhere."""
        made = hashlib.sha256(repr(self.classes).encode())
        for name in _PARTS:
            array = getattr(self, name)
            made.update(f"{name} {array.dtype.str} {array.shape}".encode())
            made.update(array)
        return made.hexdigest()


_PARTS = tuple(field.name for field in fields(Dataset) if field.name != "classes")


def _kept(array: np.ndarray) -> np.ndarray:
    """A copy that cannot be written to; the array itself when it is already one."""
    if array.flags.writeable or not (array.flags.owndata and array.flags.c_contiguous):
        array = array.copy()
        array.setflags(write=False)
    return array


def _inputs(name: str, value: Any) -> np.ndarray:
    array = np.asarray(as_numbers(name, value))
    if array.ndim < 2 or 0 in array.shape:
        raise ValueError(
            f"{name}: expected inputs of shape (n, ...), n at least 1, got {array.shape}; numbers become "
            "inputs by [:, None]."
        )
    with np.errstate(over="ignore"):
        array = array.astype(np.float32, copy=False)
    if not np.isfinite(array).all():
        bad = np.sum(~np.isfinite(array))
        raise ValueError(
            f"{name}: {bad} of {array.size} entries are NaN or infinite in float32; remove or repair them."
        )
    return _kept(array)


def _answers(name: str, value: Any, C: int) -> np.ndarray:
    if C:
        array = class_numbers(name, value, C)
        if array.size == 0:
            raise ValueError(f"{name}: expected at least one label, got none.")
        return _kept(array)
    array = np.asarray(as_numbers(name, value))
    if array.dtype.kind != "f" and array.ndim == 1:
        raise ValueError(
            f"{name}: got {array.dtype} without names of classes; give classes=(...), or for regression "
            "floating-point numbers."
        )
    array = array[:, None] if array.ndim == 1 else array
    return _kept(np.array(as_float64(name, array, (None, 1))))


def class_numbers(name: str, value: Any, C: int) -> Int64[np.ndarray, " n"]:
    """Labels as whole numbers from 0 to C - 1, whatever people keep them in.

    Args:
        name: The argument's name, used in the messages.
        value: Whole numbers (n,) in an array, a list, a pandas column; for two classes booleans too.
        C: Number of classes.

    Raises:
        ValueError: For names, one-hot rows, fractions, missing values and numbers out of range.

    Example:
        >>> class_numbers("y", [True, False], 2)
        array([1, 0])
    """
    array = np.asarray(as_numbers(name, value))
    if array.ndim != 1:
        how = " np.argmax(labels, axis=1) makes them of one-hot rows." if array.ndim == 2 else ""
        raise ValueError(f"{name}: expected whole-number labels of shape (n,), got {array.shape}.{how}")
    if array.dtype.kind not in "biu" and array.size:
        lacks = f"{np.isnan(array).sum()} are missing" if np.isnan(array).any() else "convert by .astype(int)"
        raise ValueError(f"{name}: expected whole-number labels, got {array.dtype}; {lacks}.")
    if array.dtype == bool and C != 2:
        raise ValueError(f"{name}: booleans are labels of two classes, and here are {C}; give whole numbers.")
    if array.size and (array.min() < 0 or array.max() >= C):
        raise ValueError(
            f"{name}: labels run from {array.min()} to {array.max()}; with C={C} they must be 0 to {C - 1}."
        )
    return array.astype(np.int64)


def one_hot(y: Integer[ArrayLike, " n"], C: int) -> Float64[np.ndarray, "n {C}"]:
    """Labels as rows of the identity matrix, the targets of the squared loss.

    Args:
        y: Whole numbers from 0 to C - 1, shape (n,); as :class:`Dataset` takes them.
        C: Number of classes, at least 1.

    Returns:
        float64 (n, C), one 1 in each row.

    Raises:
        ValueError: When ``y`` is not one-dimensional, not of whole numbers, or has a label out of range.

    Example:
        >>> one_hot(np.array([2, 0]), 3)
        array([[0., 0., 1.],
               [1., 0., 0.]])
    """
    C = check_int("C", C, low=1)
    y = class_numbers("y", y, C)
    # Not rows of np.eye(C), which for a hundred thousand classes would take 80 GB.
    targets = np.zeros((len(y), C))
    targets[np.arange(len(y)), y] = 1.0
    return targets
