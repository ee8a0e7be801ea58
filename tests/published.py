"""Small files in the formats in which data sets are published, shared by the tests of the data."""

import io
import pickle
import struct
import tarfile
import types
from typing import ClassVar

import numpy as np
from scipy.io import savemat

PARTS = ("x_train", "y_train", "x_test", "y_test")


def same(a, b):
    """Whether two data sets have the same bytes."""
    return all(getattr(a, part).tobytes() == getattr(b, part).tobytes() for part in PARTS)


class _Python2(pickle._Pickler):
    """Writes as Python 2's cPickle and the NumPy of its day did: texts as bytes, NumPy's old module names."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def text(self, value):
        value = value if isinstance(value, bytes) else value.encode("ascii")
        short = len(value) < 256
        self.write(b"U" + bytes([len(value)]) if short else b"T" + struct.pack("<i", len(value)))
        self.write(value)
        self.memoize(value)

    def name(self, value, name=None):
        module = value.__module__.replace("numpy._core", "numpy.core")
        self.write(f"c{module}\n{value.__name__}\n".encode("ascii"))
        self.memoize(value)

    save_global = name
    dispatch[bytes] = dispatch[str] = text
    dispatch[type] = dispatch[types.FunctionType] = dispatch[types.BuiltinFunctionType] = name


def python2_pickle(value):
    """The bytes of a pickle in protocol 2 as Python 2 wrote it."""
    file = io.BytesIO()
    _Python2(file, protocol=2).dump(value)
    return file.getvalue()


def rows(images):
    """Images (n, 32, 32, 3) as CIFAR stores them: red, then green, then blue, (n, 3072)."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2)).reshape(len(images), -1)


def write_tar(path, folder, members):
    """An archive of one folder; contents are bytes, or values to pickle."""
    with tarfile.open(path, "w:gz") as archive:
        top = tarfile.TarInfo(folder)
        top.type, top.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(top)
        for name, content in members.items():
            content = content if isinstance(content, bytes) else python2_pickle(content)
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def write_mat(path, images, labels, **more):
    """A file of SVHN's cropped digits: X (32, 32, 3, n) and y (n, 1), compressed as MATLAB 5 does."""
    arrays = {"X": images.transpose(1, 2, 3, 0), "y": labels.astype(np.uint8)[:, None]} | more
    savemat(path, {key: value for key, value in arrays.items() if value is not None}, do_compression=True)
