"""Small files in the formats in which data sets are published, shared by the tests of the data."""

import io
import tarfile

import numpy as np
from scipy.io import savemat

PARTS = ("x_train", "y_train", "x_test", "y_test")
CIFAR = {"cifar10": "cifar-10-binary.tar.gz", "cifar100": "cifar-100-binary.tar.gz"}


def same(a, b):
    """Whether two data sets have the same bytes."""
    return all(getattr(a, part).tobytes() == getattr(b, part).tobytes() for part in PARTS)


def records(images, *labels):
    """Images (n, 32, 32, 3) as CIFAR stores them: label bytes, then red, then green, then blue."""
    planes = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
    return (
        np.concatenate([*(np.reshape(y, (-1, 1)) for y in labels), planes], axis=1).astype(np.uint8).tobytes()
    )


def cifar_members(name, images, names):
    """The files of an archive, its last three images for the test; image k has the label k % 10, or 5 k."""
    k = np.arange(len(images))
    listed = "\n".join([*names, ""]).encode()
    if name == "cifar10":
        parts = {f"data_batch_{b + 1}.bin": range(3 * b, 3 * b + 3) for b in range(5)}
        parts["test_batch.bin"] = range(15, 18)
        files = {file: records(images[part], k[part] % 10) for file, part in parts.items()}
        return {"batches.meta.txt": listed, "readme.html": b"<html>", **files}
    parts = {"train.bin": slice(None, -3), "test.bin": slice(-3, None)}
    files = {file: records(images[part], k[part], 5 * k[part]) for file, part in parts.items()}
    return {"fine_label_names.txt": listed, "coarse_label_names.txt": b"stuff\n" * 20, **files}


def write_cifar(name, place, members):
    """An archive of one folder."""
    folder = {"cifar10": "cifar-10-batches-bin", "cifar100": "cifar-100-binary"}[name]
    with tarfile.open(place / CIFAR[name], "w:gz") as archive:
        top = tarfile.TarInfo(folder)
        top.type, top.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(top)
        for file, content in members.items():
            member = tarfile.TarInfo(f"{folder}/{file}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def write_mat(path, images, labels, **more):
    """A file of SVHN's cropped digits: X (32, 32, 3, n) and y (n, 1), compressed as MATLAB 5 does."""
    arrays = {"X": images.transpose(1, 2, 3, 0), "y": labels.astype(np.uint8)[:, None]} | more
    savemat(path, {key: value for key, value in arrays.items() if value is not None}, do_compression=True)
