import hashlib
import struct

import numpy as np
import pooch
import pytest
from published import same

import ntkal
from ntkal import data
from ntkal.data.cifar import CIFAR10_CLASSES
from ntkal.data.dataset import standardised

PUBLISHED = {  # SHA-256 of the publishers' four files, unpacked
    "x_train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "y_train": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "x_test": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "y_test": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def test_a_file_in_place_is_used_as_it_is(archive, tmp_path, monkeypatch, no_network):
    np.savez(tmp_path / "mnist.npz", **archive)
    found = ntkal.load("mnist", root=tmp_path)
    np.testing.assert_array_equal(found.x_train[..., 0] * np.float32(255), archive["x_train"])
    np.testing.assert_array_equal(found.y_test, archive["y_test"])
    assert found.y_train.dtype == np.int64
    assert same(found, ntkal.load("mnist", root=str(tmp_path), seed=5))
    monkeypatch.setenv("NTKAL_DATA", str(tmp_path))
    assert same(found, ntkal.load("mnist"))
    monkeypatch.delenv("NTKAL_DATA")
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path if project == "ntkal" else None)
    assert same(found, ntkal.load("mnist"))


def test_an_explicit_root_wins_over_the_environment(archive, tmp_path, monkeypatch, no_network):
    np.savez(tmp_path / "mnist.npz", **archive)
    monkeypatch.setenv("NTKAL_DATA", str(tmp_path / "elsewhere"))
    assert len(ntkal.load("mnist", root=tmp_path).y_train) == 12


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_train": np.zeros((12, 28, 28), dtype=np.float32)}, "x_train is float32 .*; expected uint8"),
        (
            {"x_test": np.zeros((4, 28, 28), dtype=np.uint8)},
            r"x_test is uint8 \(4, 28, 28\) and y_test .*\(5,\)",
        ),
        ({"x_train": np.zeros((12, 32, 32), dtype=np.uint8)}, r"\(12, 32, 32\)"),
        ({"y_train": np.full(12, 10, dtype=np.uint8)}, "expected labels from 0 to 9, got .10."),
        ({"y_test": np.array([{}] * 5)}, "damaged or not a NumPy archive .*allow_pickle"),
        ({"y_test": None}, "lacks the array"),
    ],
)
def test_an_archive_of_something_else_is_refused(change, message, archive, tmp_path, as_user):
    kept = {key: value for key, value in (archive | change).items() if value is not None}
    np.savez(tmp_path / "mnist.npz", **kept)
    with pytest.raises(ValueError, match=message) as caught:
        ntkal.load("mnist", root=tmp_path)
    assert str(tmp_path / "mnist.npz") in str(caught.value)
    assert data.MNIST_URL in str(caught.value)


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "text", "array"])
def test_a_damaged_file_is_refused(damage, archive, tmp_path):
    path = tmp_path / "mnist.npz"
    np.savez(path, **archive)
    content = bytearray(path.read_bytes())
    if damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        content[5000] ^= 0xFF
        path.write_bytes(content)
    elif damage == "array":
        with path.open("wb") as file:
            np.save(file, archive["x_train"])
    else:
        path.write_bytes(b"" if damage == "empty" else b"<html>not found</html>")
    with pytest.raises(
        ValueError, match="damaged or not a NumPy archive .* Delete .*mnist.npz and load again"
    ):
        ntkal.load("mnist", root=tmp_path)


def _mnist_here():
    return (data.folder() / "mnist.npz").is_file()


@pytest.mark.skipif(not _mnist_here(), reason="mnist.npz is neither in $NTKAL_DATA nor in the user's cache")
def test_mnist_is_the_publishers_mnist():
    found = ntkal.load("mnist")
    for key, checksum in PUBLISHED.items():
        values = getattr(found, key)
        if key.startswith("x"):
            values = values[..., 0] * np.float32(255)
        values = values.astype(np.uint8)
        header = struct.pack(f">i{values.ndim}i", 0x800 + values.ndim, *values.shape)
        assert hashlib.sha256(header + values.tobytes()).hexdigest() == checksum


@pytest.fixture
def jpeg(rng, tmp_path):
    """A small stand-in for the subset of CIFAR-10, in its place."""
    parts = {
        "x_train": rng.integers(0, 256, (12, 32, 32, 3), dtype=np.uint8),
        "y_train": np.arange(12, dtype=np.uint8) % 10,
        "x_test": rng.integers(0, 256, (5, 32, 32, 3), dtype=np.uint8),
        "y_test": np.arange(5, dtype=np.uint8),
    }
    np.savez(tmp_path / "cifar10_jpeg_subset.npz", **parts)
    return parts


def test_the_jpeg_subset_is_read_and_standardised(jpeg, tmp_path, monkeypatch, no_network):
    monkeypatch.setenv("NTKAL_DATA", str(tmp_path))
    found = ntkal.load("cifar10_jpeg")
    x_train, x_test = standardised(jpeg["x_train"], jpeg["x_test"])
    np.testing.assert_array_equal(found.x_train, x_train)
    np.testing.assert_array_equal(found.x_test, x_test)
    np.testing.assert_array_equal(found.y_train, jpeg["y_train"])
    assert found.classes == CIFAR10_CLASSES
    assert same(found, ntkal.load("cifar10_jpeg", seed=3))


def test_without_its_file_the_jpeg_subset_says_that_it_has_no_address(tmp_path, answers):
    calls = answers(b"")
    with pytest.raises(FileNotFoundError, match="no address to fetch cifar10_jpeg_subset.npz from") as caught:
        ntkal.load("cifar10_jpeg", root=tmp_path)
    assert str(tmp_path / "cifar10_jpeg_subset.npz") in str(caught.value)
    assert "NTKAL_DATA" in str(caught.value)
    assert not calls


def test_a_bad_jpeg_subset_is_refused_without_a_promise_to_fetch_it(jpeg, tmp_path):
    path = tmp_path / "cifar10_jpeg_subset.npz"
    np.savez(path, **jpeg | {"x_test": np.zeros((5, 28, 28), dtype=np.uint8)})
    with pytest.raises(ValueError, match=r"cifar10_jpeg: .*expected uint8 \(n, 32, 32, 3\)") as caught:
        ntkal.load("cifar10_jpeg", root=tmp_path)
    assert "fetch" not in str(caught.value)
