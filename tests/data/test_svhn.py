import numpy as np
import pytest
from published import same, write_mat

import ntkal
from ntkal.data import svhn
from ntkal.data.dataset import standardised


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (14, 32, 32, 3), dtype=np.uint8)


@pytest.fixture
def write(images, tmp_path):
    """Write both files: ten training images labelled 1 to 10, four test images; then one with changes."""

    def both(part="train", labels=None, **more):
        parts = {"train": (images[:10], np.arange(1, 11)), "test": (images[10:], np.array([10, 3, 10, 1]))}
        for name, (x, y) in parts.items():
            changes = more if name == part else {}
            write_mat(
                tmp_path / f"{name}_32x32.mat", x, y if labels is None or name != part else labels, **changes
            )
        return tmp_path

    return both


def test_the_publishers_format_is_read(images, write, monkeypatch, no_network):
    root = write()
    found = ntkal.load("svhn", root=root)
    x_train, x_test = standardised(images[:10], images[10:])
    np.testing.assert_array_equal(found.x_train, x_train)
    np.testing.assert_array_equal(found.x_test, x_test)
    np.testing.assert_array_equal(found.y_train, [1, 2, 3, 4, 5, 6, 7, 8, 9, 0])  # label 10 is the digit 0
    np.testing.assert_array_equal(found.y_test, [0, 3, 0, 1])
    assert found.y_train.dtype == np.int64
    assert found.classes == tuple("0123456789")
    monkeypatch.setenv("NTKAL_DATA", str(root))
    assert same(found, ntkal.load("svhn", seed=4))


@pytest.mark.parametrize(
    ("part", "changes", "message"),
    [
        ("train", {"labels": np.array([*range(1, 10), 11])}, "labels from 1 to 10 .*, found 1 to 11"),
        ("test", {"labels": np.array([1, 2, 3, 0])}, "labels from 1 to 10 .*, found 0 to 3"),
        ("test", {"labels": np.array([1, 2, 3])}, r"y is uint8 \(3, 1\); expected uint8 \(32, 32, 3, n\)"),
        ("train", {"y": np.full((10, 1), 1.5)}, r"y is float64 \(10, 1\)"),
        ("train", {"X": np.zeros((32, 32, 3, 10))}, r"X is float64 \(32, 32, 3, 10\)"),
        ("train", {"X": np.zeros((10, 32, 32, 3), np.uint8)}, r"X is uint8 \(10, 32, 32, 3\)"),
        ("train", {"X": None}, "lacks the array X"),
        ("test", {"y": None}, "lacks the array y"),
    ],
)
def test_a_file_of_something_else_is_refused(part, changes, message, write):
    root = write(part, **changes)
    with pytest.raises(ValueError, match=message) as caught:
        ntkal.load("svhn", root=root)
    path = root / f"{part}_32x32.mat"
    assert str(caught.value).startswith("svhn: ")
    assert f"Delete {path} and load again to fetch a fresh copy from {svhn.SVHN_URL}{path.name}" in str(
        caught.value
    )


@pytest.mark.parametrize("damage", ["truncated", "short", "flipped", "empty", "text", "newer"])
def test_a_damaged_file_is_refused(damage, write):
    path = write() / "test_32x32.mat"
    content = bytearray(path.read_bytes())
    content = {
        "truncated": content[: len(content) // 2],
        "short": content[:60],
        "flipped": content[:5000] + bytes([content[5000] ^ 0xFF]) + content[5001:],
        "empty": b"",
        "text": b"<html>not found</html>" * 20,
        "newer": b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(400),
    }[damage]
    path.write_bytes(content)
    with pytest.raises(ValueError, match="svhn: .*test_32x32.mat is damaged or not a MATLAB file .* Delete"):
        ntkal.load("svhn", root=path.parent)
