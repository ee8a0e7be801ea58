"""Data sets that are one NumPy archive: MNIST, and a part of CIFAR-10."""

import zipfile
from pathlib import Path

import numpy as np

from ntkal.data.cifar import CIFAR10_CLASSES
from ntkal.data.dataset import DIGITS, Dataset, colour, grey
from ntkal.data.files import File

MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
MNIST_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
JPEG = "cifar10_jpeg_subset.npz"


def mnist(place: Path) -> Dataset:
    """All of MNIST, from ``mnist.npz``."""
    file = File(MNIST_URL, f"sha256:{MNIST_SHA256}")
    path = file.find(place)
    x_train, y_train, x_test, y_test = _read("mnist", path, (28, 28), file.again(path))
    return Dataset(grey(x_train), y_train.astype(np.int64), grey(x_test), y_test.astype(np.int64), DIGITS)


def cifar10_jpeg(place: Path) -> Dataset:
    """12,000 + 2,000 images of CIFAR-10 that were stored as JPEG once, so their pixels are not the published.

    From ``cifar10_jpeg_subset.npz``, which has no address: a FileNotFoundError says where it was looked for.
    """
    path = place / JPEG
    if not path.is_file():
        raise FileNotFoundError(
            f"cifar10_jpeg: there is no {path}, and no address to fetch {JPEG} from. Set NTKAL_DATA to a "
            "folder that has it, or load cifar10, the whole of the data set as it was published."
        )
    return colour(
        *_read("cifar10_jpeg", path, (32, 32, 3), f"Replace {path} by a good copy."), CIFAR10_CLASSES
    )


def _read(name: str, path: Path, shape: tuple[int, ...], again: str) -> list[np.ndarray]:
    """The arrays x_train, y_train, x_test, y_test of images of this shape with labels from 0 to 9."""
    parts = {}
    try:
        # Before NumPy looks: it would take other formats too, and keep the file open.
        with zipfile.ZipFile(path):
            archive = np.load(path, allow_pickle=False)
        with archive:
            for key in ("x_train", "y_train", "x_test", "y_test"):
                parts[key] = archive[key]
    except KeyError as error:
        raise ValueError(f"{name}: {path} lacks the array {error}. {again}") from error
    except Exception as error:  # a damaged archive can fail in any way
        raise ValueError(f"{name}: {path} is damaged or not a NumPy archive ({error}). {again}") from error
    for part in ("train", "test"):
        x, y = parts[f"x_{part}"], parts[f"y_{part}"]
        found = f"{name}: in {path}, x_{part} is {x.dtype} {x.shape} and y_{part} is {y.dtype} {y.shape}"
        if {x.dtype, y.dtype} != {np.dtype(np.uint8)} or x.shape != (len(x), *shape) or y.shape != (len(x),):
            sizes = ", ".join(str(size) for size in shape)
            raise ValueError(f"{found}; expected uint8 (n, {sizes}) and uint8 (n,). {again}")
        if y.size == 0 or y.max() > 9:
            raise ValueError(f"{found}; expected labels from 0 to 9, got {np.unique(y)[-3:]}. {again}")
    return list(parts.values())
