"""Published data sets: files that are fetched once, checked, and read as images and labels."""

import os
import tarfile
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8

from ntkal.data.dataset import DIGITS, Dataset

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
LARGEST = 2**28  # bytes; the largest of the published files inside has 154 million

_GOOGLE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_KRIZHEVSKY = "https://www.cs.toronto.edu/~kriz/"
_NETZER = "http://ufldl.stanford.edu/housenumbers/"
_MNIST = "sha256:731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
FILES: dict[str, dict[str, tuple[str, str]]] = {
    "mnist": {"mnist.npz": (_GOOGLE, _MNIST)},
    "svhn": {
        "train_32x32.mat": (_NETZER, "md5:e26dedcc434d2e4c54c9b2d4a06d8373"),
        "test_32x32.mat": (_NETZER, "md5:eb5a983be6a315427106f1b164d9cef3"),
    },
    "cifar10": {"cifar-10-binary.tar.gz": (_KRIZHEVSKY, "md5:c32a1d4ab5d03f1284b67883e8d87530")},
    "cifar100": {"cifar-100-binary.tar.gz": (_KRIZHEVSKY, "md5:03b5dce01913d631647c71ecec9e9cb8")},
    "cifar10_jpeg": {"cifar10_jpeg_subset.npz": ("", "")},
}
"""The files of each data set: the folder that each is published in, and its checksum."""


def folder(root: str | Path | None = None) -> Path:
    """The folder of downloaded files: ``root``, else ``$NTKAL_DATA``, else the user's cache folder.

    Raises:
        ValueError: When ``root`` is no path.

    Example:
        >>> folder("somewhere").name
        'somewhere'
    """
    if not isinstance(root, str | os.PathLike | None):
        raise ValueError(f"root: expected the path of a folder, got {root!r}.")
    if root is None:
        root = os.environ.get("NTKAL_DATA") or None
    if root is None:
        import pooch

        root = pooch.os_cache("ntkal")
    return Path(root).expanduser()


def read(name: str, place: Path) -> Dataset:
    """Read one of the data sets of :data:`FILES` from the folder ``place``, where its files are put first.

    Raises:
        ConnectionError: When a file has to be fetched and cannot be.
        FileNotFoundError: When there is no file, and no address to fetch it from.
        ValueError: When a file is damaged or holds something else.
    """
    if place.is_file():
        raise ValueError(
            f"root: {place} is a file; give the folder with the data files, here or in NTKAL_DATA."
        )
    parts, shape = [], (28, 28) if name == "mnist" else (32, 32, 3)
    for file, (address, _) in FILES[name].items():
        path = _find(name, file, place)
        try:
            found, classes = _READERS[name](path)
            _check(found, shape, len(classes))
        except Exception as error:  # a damaged file can fail in any way
            again = f"Delete {path} and load again to fetch it from {address}{file}"
            again = again if address else "Put a good copy there"
            raise ValueError(
                f"{name}: {path} is damaged or holds something else ({error}). {again}."
            ) from error
        parts += found
    x_train, y_train, x_test, y_test = parts
    images = (grey(x_train), grey(x_test)) if name == "mnist" else standardised(x_train, x_test)
    for array in images:
        array.setflags(write=False)  # so that the data set need not copy
    return Dataset(images[0], y_train.astype(np.int64), images[1], y_test.astype(np.int64), classes)


def grey(images: UInt8[np.ndarray, "n h w"]) -> Float32[np.ndarray, "n h w 1"]:
    """Pixels from 0 to 255 as numbers in [0, 1]."""
    return images[..., None].astype(np.float32) / np.float32(255)


def standardised(
    train: UInt8[np.ndarray, "n h w 3"], test: UInt8[np.ndarray, "t h w 3"]
) -> tuple[Float32[np.ndarray, "n h w 3"], Float32[np.ndarray, "t h w 3"]]:
    """Each channel less its mean over the training images, divided by its standard deviation there.

    Networks train better on this than on [0, 1]: on 500 images of ``cifar10_jpeg`` a CNN had 28% of the test
    images right instead of 23%. A channel that is the same in every training image is only centred.
    """
    values = np.arange(256)[:, None]
    counts = np.stack([np.bincount(train[..., c].ravel(), minlength=256) for c in range(3)], axis=1)
    share = counts / counts.sum(axis=0)[None]
    mean = (share * values).sum(axis=0)[None]
    deviation = np.sqrt((share * (values - mean) ** 2).sum(axis=0))[None]
    table = ((values - mean) / np.where(deviation > 0, deviation, 1)).astype(np.float32)
    return tuple(np.stack([table[images[..., c], c] for c in range(3)], axis=-1) for images in (train, test))


def _find(name: str, file: str, place: Path) -> Path:
    """The file's path, after a download when it is not there: to a file beside it, renamed once checked."""
    path, (address, checksum) = place / file, FILES[name][file]
    if path.is_file():
        return path
    if not address:
        raise FileNotFoundError(
            f"{name}: there is no {path}, and no address to fetch {file} from. Set NTKAL_DATA to a folder "
            "that has it, or load cifar10, the whole of the data set as it was published."
        )
    import pooch
    import requests

    try:
        place.mkdir(parents=True, exist_ok=True)
        store = pooch.create(place, address, registry={file: checksum}, retry_if_failed=3)
        store.fetch(file, downloader=pooch.HTTPDownloader(timeout=30))
    except (requests.RequestException, OSError, ValueError) as error:
        kind, digits = checksum.replace("sha256", "SHA-256").replace("md5", "MD5").split(":")
        other = place / file.replace("binary", "python")
        why = f" {other} is not read: the same images are wanted in binary form." if other.is_file() else ""
        raise ConnectionError(
            f"Could not fetch {file} into {place} ({type(error).__name__}). Fetch {address}{file} by hand, "
            f"check that its {kind} is {digits}, and save it as {path}; or set NTKAL_DATA to a folder with "
            f"{file}.{why} The data sets digits and mnist5k need no download."
        ) from error
    return path


def _check(parts: list[np.ndarray], shape: tuple[int, ...], C: int) -> None:
    """Refuse what are no images of this shape, each followed by labels from 0 to C - 1."""
    for x, y in zip(parts[::2], parts[1::2], strict=True):
        fits = x.shape == (*x.shape[:1], *shape) and y.shape == x.shape[:1]
        if x.dtype != np.uint8 or y.dtype.kind not in "ui" or not fits or y.size == 0:
            raise ValueError(
                f"images are {x.dtype} {x.shape} and labels {y.dtype} {y.shape}; expected uint8 "
                f"(n, {', '.join(map(str, shape))}) and whole numbers (n,), n at least 1"
            )
        if y.min() < 0 or y.max() >= C:
            raise ValueError(f"expected labels from 0 to {C - 1}, found {y.min()} to {y.max()}")


def _npz(path: Path) -> tuple[list[np.ndarray], tuple[str, ...]]:
    # Before NumPy looks: it would take other formats too, and keep the file open.
    with zipfile.ZipFile(path):
        archive = np.load(path, allow_pickle=False)
    with archive:
        parts = [archive[key] for key in ("x_train", "y_train", "x_test", "y_test")]
    return parts, CIFAR10_CLASSES if parts[0].ndim == 4 else DIGITS


def _svhn(path: Path) -> tuple[list[np.ndarray], tuple[str, ...]]:
    """X (32, 32, 3, n) and y (n, 1) of a MATLAB file; the label 10 is the digit 0."""
    from scipy.io import loadmat

    with path.open("rb") as file:
        found = loadmat(file, variable_names=("X", "y"))
    x, y = (np.asarray(found[key]) for key in ("X", "y"))
    if y.shape != (x.shape[-1], 1) or y.dtype.kind not in "ui" or y.min() < 1 or y.max() > 10:
        raise ValueError(f"expected y to be {x.shape[-1]} labels from 1 to 10, found {y.dtype} {y.shape}")
    return [np.moveaxis(x, -1, 0), y[:, 0] % 10], DIGITS


def _records(path: Path, train: list[str], test: str, names: str, labels: int, C: int):
    """Records of so many label bytes, of which the last counts, and 3,072 bytes: red, green, blue."""
    members, parts = _members(path, [*train, test, names]), []
    for member in (*train, test):
        size, content = labels + 3072, members[member]
        if not content or len(content) % size:
            raise ValueError(f"{member}: expected records of {size} bytes, found {len(content)} bytes")
        rows = np.frombuffer(content, np.uint8).reshape(-1, size)
        parts.append((rows[:, labels:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), rows[:, labels - 1]))
    classes = tuple(members[names].decode("ascii").split())
    if len(classes) != C:
        raise ValueError(f"{names}: expected {C} names of classes, found {len(classes)}")
    x, y = zip(*parts, strict=True)
    return [np.concatenate(x[:-1]), np.concatenate(y[:-1]), x[-1], y[-1]], classes


def _members(path: Path, wanted: list[str]) -> dict[str, bytes]:
    """The wanted files of the archive's one folder. They are read as streams: nothing is unpacked to disk."""
    found = {}
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            parts = member.name.split("/")
            if member.isfile() and len(parts) == 2 and parts[1] in wanted:
                if member.size > LARGEST:
                    raise ValueError(f"{member.name} claims to have {member.size} bytes")
                found[parts[1]] = archive.extractfile(member).read()
        while archive.fileobj.read(2**20):  # to the end, where the checksum of it all stands
            pass
    missing = [name for name in wanted if name not in found]
    if missing:
        raise ValueError(f"the archive lacks {', '.join(missing)}")
    return found


_TEN = {"train": [f"data_batch_{k}.bin" for k in range(1, 6)], "test": "test_batch.bin", "labels": 1, "C": 10}
_HUNDRED = {"train": ["train.bin"], "test": "test.bin", "labels": 2, "C": 100}
_READERS = {
    "mnist": _npz,
    "svhn": _svhn,
    "cifar10": partial(_records, names="batches.meta.txt", **_TEN),
    "cifar100": partial(_records, names="fine_label_names.txt", **_HUNDRED),
    "cifar10_jpeg": _npz,
}
"""Each gives images and labels, of one part or of both, training first, and the names of the classes."""
