"""CIFAR-10 and CIFAR-100, from their publisher's archives of pickles."""

import tarfile
from pathlib import Path

import numpy as np

from ntkal.data import pickles
from ntkal.data.dataset import Dataset, colour
from ntkal.data.files import File

CIFAR10_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
CIFAR10_MD5 = "c58f30108f718f92721af3b95e74349a"
CIFAR10_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
CIFAR100_URL = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
CIFAR100_MD5 = "eb9058c3a382ffc7106e4002c42a8d85"
LARGEST = 2**28  # bytes; the largest of the published files inside has 155 million


def cifar10(place: Path) -> Dataset:
    """CIFAR-10, from ``cifar-10-python.tar.gz``."""
    members = (*(f"data_batch_{k}" for k in range(1, 6)), "test_batch", "batches.meta")
    return _load("cifar10", File(CIFAR10_URL, f"md5:{CIFAR10_MD5}"), place, members, b"label", 10)


def cifar100(place: Path) -> Dataset:
    """CIFAR-100 with its fine labels, from ``cifar-100-python.tar.gz``."""
    members = ("train", "test", "meta")
    return _load("cifar100", File(CIFAR100_URL, f"md5:{CIFAR100_MD5}"), place, members, b"fine_label", 100)


def _load(name: str, file: File, place: Path, wanted: tuple[str, ...], key: bytes, C: int) -> Dataset:
    *images, meta = wanted  # training images, the test images, the names of the classes
    path = file.find(place)
    try:
        members = _members(path, wanted)
        parts = [_images(member, members[member], key + b"s", C) for member in images]
        classes = _classes(meta, members[meta], key + b"_names", C)
    except ValueError as error:
        raise ValueError(f"{name}: in {path}, {error} {file.again(path)}") from error
    x, y = zip(*parts, strict=True)
    return colour(np.concatenate(x[:-1]), np.concatenate(y[:-1]), x[-1], y[-1], classes)


def _members(path: Path, wanted: tuple[str, ...]) -> dict[str, bytes]:
    """The wanted files of the archive's one folder. They are read as streams: nothing is unpacked to disk."""
    found = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                parts = member.name.split("/")
                if member.isfile() and len(parts) == 2 and parts[1] in wanted:
                    if member.size > LARGEST:
                        raise ValueError(f"{member.name} claims to have {member.size} bytes")
                    found[parts[1]] = archive.extractfile(member).read()
                    if len(found[parts[1]]) < member.size:
                        raise EOFError(f"{member.name} ends early")
            while archive.fileobj.read(2**20):  # to the end, where the checksum of it all stands
                pass
    except Exception as error:  # a damaged archive can fail in any way
        raise ValueError(f"the archive is damaged ({error}).") from error
    missing = [name for name in wanted if name not in found]
    if missing:
        raise ValueError(f"the archive lacks {', '.join(missing)}.")
    return found


def _images(member: str, content: bytes, label_key: bytes, C: int) -> tuple[np.ndarray, np.ndarray]:
    table = _read(member, content, (b"data", label_key))
    rows, labels = table[b"data"], table[label_key]
    if not isinstance(rows, np.ndarray) or rows.ndim != 2 or rows.shape[1] != 3072 or not len(rows):
        found = rows.shape if isinstance(rows, np.ndarray) else type(rows).__name__
        raise ValueError(f"{member}: expected data of shape (n, 3072), found {found}.")
    key = label_key.decode()
    whole = isinstance(labels, list) and all(type(label) is int for label in labels)
    if not whole or len(labels) != len(rows):
        raise ValueError(f"{member}: expected {key} to be {len(rows)} whole numbers, one for each image.")
    if min(labels) < 0 or max(labels) >= C:
        raise ValueError(f"{member}: expected {key} from 0 to {C - 1}, found {min(labels)} to {max(labels)}.")
    return rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), np.array(labels)


def _classes(member: str, content: bytes, key: bytes, C: int) -> tuple[str, ...]:
    names = _read(member, content, (key,))[key]
    if not isinstance(names, list) or len(names) != C or not all(isinstance(name, bytes) for name in names):
        raise ValueError(f"{member}: expected {key.decode()} to be {C} names.")
    return tuple(name.decode("ascii", "replace") for name in names)


def _read(member: str, content: bytes, keys: tuple[bytes, ...]) -> dict:
    try:
        table = pickles.read(content)
    except ValueError as error:
        raise ValueError(f"{member}: {error}") from error
    for key in keys:
        if key not in table:
            raise ValueError(f"{member}: it lacks {key.decode()}.")
    return table
