"""Street View House Numbers, from its publishers' MATLAB files of cropped digits."""

from pathlib import Path

import numpy as np

from ntkal.data.dataset import DIGITS, Dataset, colour
from ntkal.data.files import File

SVHN_URL = "http://ufldl.stanford.edu/housenumbers/"
SVHN_MD5 = {
    "train_32x32.mat": "e26dedcc434d2e4c54c9b2d4a06d8373",
    "test_32x32.mat": "eb5a983be6a315427106f1b164d9cef3",
}


def svhn(place: Path) -> Dataset:
    """The cropped digits, from ``train_32x32.mat`` and ``test_32x32.mat``; its extra images are not used."""
    files = [File(SVHN_URL + name, f"md5:{md5}") for name, md5 in SVHN_MD5.items()]
    paths = [file.find(place) for file in files]
    (x_train, y_train), (x_test, y_test) = (
        _read(path, file.again(path)) for path, file in zip(paths, files, strict=True)
    )
    return colour(x_train, y_train, x_test, y_test, DIGITS)


def _read(path: Path, again: str) -> tuple[np.ndarray, np.ndarray]:
    from scipy.io import loadmat

    try:
        with path.open("rb") as file:
            found = loadmat(file, variable_names=("X", "y"))
    except Exception as error:  # SciPy's reader of a damaged file can fail in any way
        raise ValueError(f"svhn: {path} is damaged or not a MATLAB file ({error}). {again}") from error
    for key in ("X", "y"):
        if key not in found:
            raise ValueError(f"svhn: {path} lacks the array {key}. {again}")
    x, y = found["X"], found["y"]
    shape, n = x.shape, x.shape[-1] if x.shape else 0
    arrays = isinstance(x, np.ndarray) and isinstance(y, np.ndarray)
    if (
        not arrays
        or x.dtype != np.uint8
        or shape != (32, 32, 3, n)
        or y.shape != (n, 1)
        or y.dtype.kind not in "ui"
    ):
        raise ValueError(
            f"svhn: in {path}, X is {x.dtype} {shape} and y is {y.dtype} {y.shape}; expected uint8 "
            f"(32, 32, 3, n) and whole numbers (n, 1). {again}"
        )
    labels = y[:, 0].astype(np.int64)
    if n == 0 or labels.min() < 1 or labels.max() > 10:
        found = "none" if n == 0 else f"{labels.min()} to {labels.max()}"
        raise ValueError(
            f"svhn: in {path}, expected labels from 1 to 10 (for the digit 0), found {found}. {again}"
        )
    return x.transpose(3, 0, 1, 2), labels % 10
