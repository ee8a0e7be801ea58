import gzip
import hashlib
import io
import struct
import tarfile

import numpy as np
import pooch
import pytest
import requests
from published import CIFAR, PARTS, cifar_members, same, write_cifar, write_mat

import ntkal
from ntkal.data.published import CIFAR10_CLASSES, FILES, folder, standardised

NAMES = {"cifar10": CIFAR10_CLASSES, "cifar100": tuple(f"thing_{k}" for k in range(100))}
MNIST = {  # SHA-256 of the publishers' four files, unpacked
    "x_train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "y_train": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "x_test": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "y_test": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (18, 32, 32, 3), dtype=np.uint8)


@pytest.fixture
def written(images, archive, tmp_path):
    """Each data set in its publisher's format, small; what its labels and class names are."""
    labels = np.arange(18) % 10
    np.savez(tmp_path / "mnist.npz", **archive)
    jpeg = zip(PARTS, (images[:15], labels[:15], images[15:], labels[15:]), strict=True)
    np.savez(tmp_path / "cifar10_jpeg_subset.npz", **{key: part.astype(np.uint8) for key, part in jpeg})
    for part, rows in (("train", slice(15)), ("test", slice(15, None))):
        write_mat(tmp_path / f"{part}_32x32.mat", images[rows], np.where(labels[rows], labels[rows], 10))
    for name in CIFAR:
        write_cifar(name, tmp_path, cifar_members(name, images, NAMES[name]))
    ten = {"svhn": tuple("0123456789"), "cifar10": CIFAR10_CLASSES, "cifar10_jpeg": CIFAR10_CLASSES}
    return {name: (labels, classes) for name, classes in ten.items()} | {
        "cifar100": (5 * np.arange(18), NAMES["cifar100"])
    }


@pytest.mark.parametrize("name", ["svhn", "cifar10", "cifar100", "cifar10_jpeg"])
def test_the_publishers_format_is_read_and_standardised(
    name, images, written, tmp_path, monkeypatch, no_network
):
    before = sorted(tmp_path.iterdir())
    found, (labels, classes) = ntkal.load(name, root=tmp_path), written[name]
    for have, want in zip((found.x_train, found.x_test), standardised(images[:15], images[15:]), strict=True):
        np.testing.assert_array_equal(have, want)
    np.testing.assert_array_equal(found.y_train, labels[:15])
    np.testing.assert_array_equal(found.y_test, labels[15:])
    assert found.classes == classes
    monkeypatch.setenv("NTKAL_DATA", str(tmp_path))
    assert same(found, ntkal.load(name, seed=4))
    assert sorted(tmp_path.iterdir()) == before  # nothing was unpacked


def test_a_file_in_place_is_used_as_it_is(archive, tmp_path, monkeypatch, no_network):
    np.savez(tmp_path / "mnist.npz", **archive)
    monkeypatch.setenv("NTKAL_DATA", str(tmp_path / "elsewhere"))
    found = ntkal.load("mnist", root=tmp_path)  # the argument wins
    np.testing.assert_array_equal(found.x_train[..., 0] * np.float32(255), archive["x_train"])
    np.testing.assert_array_equal(found.y_test, archive["y_test"])
    monkeypatch.delenv("NTKAL_DATA")
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path if project == "ntkal" else None)
    assert same(found, ntkal.load("mnist"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"x_train": np.zeros((12, 28, 28), np.float32)},
            r"images are float32 .*; expected uint8 \(n, 28, 28\)",
        ),
        ({"x_test": np.zeros((4, 28, 28), np.uint8)}, r"uint8 \(4, 28, 28\) and labels uint8 \(5,\)"),
        ({"x_train": np.zeros((12, 32, 32), np.uint8)}, r"uint8 \(12, 32, 32\)"),
        ({"x_test": np.zeros((0, 28, 28), np.uint8), "y_test": np.zeros(0, np.uint8)}, "n at least 1"),
        ({"y_train": np.full(12, 10, np.uint8)}, "expected labels from 0 to 9, found 10 to 10"),
        ({"y_test": np.array([{}] * 5)}, "allow_pickle"),
        ({"y_test": None}, "y_test is not a file in the archive"),
    ],
)
def test_an_archive_of_something_else_is_refused(change, message, archive, tmp_path, as_user):
    path = tmp_path / "mnist.npz"
    np.savez(path, **{key: value for key, value in (archive | change).items() if value is not None})
    with pytest.raises(ValueError, match=f"^mnist: {path} is damaged or holds .*{message}") as caught:
        ntkal.load("mnist", root=tmp_path)
    assert f"Delete {path} and load again to fetch it from {FILES['mnist']['mnist.npz'][0]}mnist.npz" in str(
        caught.value
    )


@pytest.mark.parametrize(
    ("part", "changes", "message"),
    [
        ("train", {"labels": np.array([*range(1, 10), 11])}, r"labels from 1 to 10, found uint8 \(10, 1\)"),
        ("test", {"labels": np.array([1, 2, 3, 0])}, "labels from 1 to 10"),
        ("test", {"labels": np.array([1, 2, 3])}, r"y to be 4 labels from 1 to 10, found uint8 \(3, 1\)"),
        ("train", {"y": np.full((10, 1), 1.5)}, r"found float64 \(10, 1\)"),
        ("train", {"X": np.zeros((32, 32, 3, 10))}, r"images are float64 \(10, 32, 32, 3\)"),
        ("train", {"X": np.zeros((10, 32, 32, 3), np.uint8)}, "y to be 3 labels"),
        ("train", {"X": None}, "'X'"),
        ("test", {"y": None}, "'y'"),
    ],
)
def test_house_numbers_of_another_kind_are_refused(part, changes, message, images, tmp_path, as_user):
    parts = {"train": (images[:10], np.arange(1, 11)), "test": (images[10:14], np.array([10, 3, 10, 1]))}
    for name, (x, y) in parts.items():
        changed = dict(changes) if name == part else {}
        write_mat(tmp_path / f"{name}_32x32.mat", x, changed.pop("labels", y), **changed)
    with pytest.raises(
        ValueError, match=f"svhn: .*{part}_32x32.mat is damaged or .*{message}.* Delete .*{part}_32"
    ):
        ntkal.load("svhn", root=tmp_path)


@pytest.mark.parametrize(
    ("member", "content", "message"),
    [
        ("data_batch_3.bin", bytes([0] * 3073 + [10] * 3073), "expected labels from 0 to 9, found 0 to 10"),
        ("data_batch_1.bin", bytes(3072), "data_batch_1.bin: expected records of 3073 bytes, found 3072"),
        ("test_batch.bin", b"", "test_batch.bin: expected records of 3073 bytes, found 0"),
        ("batches.meta.txt", b"cat\n" * 9, "batches.meta.txt: expected 10 names of classes, found 9"),
        ("batches.meta.txt", b"cat\n" * 11, "expected 10 names of classes, found 11"),
        ("batches.meta.txt", b"\xff\n" * 10, "can't decode byte 0xff"),
        ("data_batch_4.bin", None, "the archive lacks data_batch_4.bin"),
    ],
)
def test_something_else_inside_is_named(member, content, message, images, tmp_path, as_user):
    members = cifar_members("cifar10", images, NAMES["cifar10"]) | {member: content}
    write_cifar("cifar10", tmp_path, {key: value for key, value in members.items() if value is not None})
    with pytest.raises(
        ValueError, match=f"cifar10: .*{message}.* Delete .*{CIFAR['cifar10']} and load again"
    ):
        ntkal.load("cifar10", root=tmp_path)


@pytest.mark.parametrize("damage", ["truncated", "short", "flipped", "empty", "text", "other"])
@pytest.mark.parametrize("file", ["mnist.npz", "test_32x32.mat", *CIFAR.values()])
def test_a_damaged_file_is_refused(damage, file, written, tmp_path):
    path = tmp_path / file
    content = path.read_bytes()
    half = len(content) // 2
    other = io.BytesIO()
    np.save(other, np.zeros(3))
    changed = {
        "truncated": content[:half],
        "short": content[:10],
        "flipped": content[:half] + bytes([content[half] ^ 4]) + content[half + 1 :],
        "empty": b"",
        "text": b"<html>not found</html>" * 20,
        "other": other.getvalue(),
    }
    path.write_bytes(changed[damage])
    name = next(name for name, files in FILES.items() if file in files)
    with pytest.raises(
        ValueError, match=f"^{name}: .*{file} is damaged or .* Delete .*{file} and load again"
    ):
        ntkal.load(name, root=tmp_path)


def test_an_archive_cut_between_its_files_is_refused(written, tmp_path):
    path = tmp_path / CIFAR["cifar100"]
    content = gzip.decompress(path.read_bytes())
    cut = content.index(b"cifar-100-binary/test.bin\0")
    path.write_bytes(gzip.compress(content[:cut]))
    with pytest.raises(ValueError, match="the archive lacks test.bin"):
        ntkal.load("cifar100", root=tmp_path)
    path.write_bytes(gzip.compress(content[: cut + 512 + 3074]))  # after a whole record
    with pytest.raises(ValueError, match="is damaged"):
        ntkal.load("cifar100", root=tmp_path)


def test_a_link_in_place_of_a_file_is_not_followed(images, tmp_path):
    members = cifar_members("cifar100", images, NAMES["cifar100"])
    (tmp_path / "secret").write_bytes(members.pop("fine_label_names.txt"))
    write_cifar("cifar100", tmp_path, members)
    path = tmp_path / CIFAR["cifar100"]
    (tmp_path / "plain.tar").write_bytes(gzip.decompress(path.read_bytes()))
    with tarfile.open(tmp_path / "plain.tar", "a") as archive:
        member = tarfile.TarInfo("cifar-100-binary/fine_label_names.txt")
        member.type, member.linkname = tarfile.SYMTYPE, str(tmp_path / "secret")
        archive.addfile(member)
    path.write_bytes(gzip.compress((tmp_path / "plain.tar").read_bytes()))
    with pytest.raises(ValueError, match="the archive lacks fine_label_names.txt"):
        ntkal.load("cifar100", root=tmp_path)


def test_without_its_file_the_jpeg_subset_says_that_it_has_no_address(images, tmp_path, answers):
    calls, path = answers(b""), tmp_path / "cifar10_jpeg_subset.npz"
    with pytest.raises(FileNotFoundError, match=f"no {path}, and no address to fetch .* NTKAL_DATA"):
        ntkal.load("cifar10_jpeg", root=tmp_path)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="Put a good copy there"):
        ntkal.load("cifar10_jpeg", root=tmp_path)
    assert not calls


@pytest.mark.parametrize("name", ["mnist", "svhn", "cifar10", "cifar100"])
def test_offline_the_error_says_what_to_fetch_and_where_to_put_it(name, tmp_path, no_network):
    place = tmp_path / "new"
    with pytest.raises(ConnectionError) as caught:
        ntkal.load(name, root=place)
    file, (address, checksum) = next(iter(FILES[name].items()))
    kind = "SHA-256" if name == "mnist" else "MD5"
    for part in (str(place / file), address + file, f"{kind} is {checksum.split(':')[1]}", "NTKAL_DATA"):
        assert part in str(caught.value)
    assert "is not read" not in str(caught.value)
    assert not list(place.iterdir())


def test_who_has_the_archive_of_pickles_is_told_that_it_is_not_read(tmp_path, no_network):
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(b"pickles")
    with pytest.raises(ConnectionError, match="cifar-10-python.tar.gz is not read: .* binary form") as caught:
        ntkal.load("cifar10", root=tmp_path)
    assert FILES["cifar10"][CIFAR["cifar10"]][0] + CIFAR["cifar10"] in str(caught.value)


def test_a_download_is_checked_retried_and_moved_into_place_whole(archive, tmp_path, monkeypatch, answers):
    np.savez(tmp_path / "made.npz", **archive)
    content = (tmp_path / "made.npz").read_bytes()
    address = FILES["mnist"]["mnist.npz"][0]
    place = tmp_path / "cache"
    for kind in ("sha256", "md5"):
        digits = hashlib.new(kind, content).hexdigest()
        monkeypatch.setitem(FILES, "mnist", {"mnist.npz": (address, f"{kind}:{digits}")})
        calls = answers(requests.exceptions.ReadTimeout("slow"), b"wrong bytes", content)
        assert len(ntkal.load("mnist", root=place).y_train) == 12
        assert calls == [f"{address}mnist.npz"] * 3
        assert [path.name for path in place.iterdir()] == ["mnist.npz"]
        ntkal.load("mnist", root=place)
        assert len(calls) == 3
        (place / "mnist.npz").unlink()


@pytest.mark.parametrize(
    "reply", [b"wrong bytes", OSError("disc full"), requests.exceptions.HTTPError("404")]
)
def test_a_failed_download_leaves_nothing_behind(reply, tmp_path, answers):
    answers(reply)
    with pytest.raises(ConnectionError, match="Could not fetch mnist.npz"):
        ntkal.load("mnist", root=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_root_that_is_no_folder_is_named(tmp_path, monkeypatch, as_user):
    file = tmp_path / "file"
    file.write_bytes(b"")
    with pytest.raises(ValueError, match=f"^root: {file} is a file; give the folder"):
        ntkal.load("mnist", root=file)
    with pytest.raises(ValueError, match="^root: expected the path of a folder, got 5"):
        ntkal.load("mnist_imbalanced", root=5)
    monkeypatch.setenv("NTKAL_DATA", str(file))
    with pytest.raises(ValueError, match=f"^root: {file} is a file; .* NTKAL_DATA"):
        ntkal.load("cifar10")


def test_colour_channels_are_standardised_by_the_training_part(rng):
    train = rng.integers(0, 200, (20, 4, 3, 3), dtype=np.uint8) + np.array([0, 20, 55], dtype=np.uint8)
    test = rng.integers(0, 256, (7, 4, 3, 3), dtype=np.uint8)
    numbers = train.astype(np.float64)
    mean, deviation = (moment(numbers, axis=(0, 1, 2), keepdims=True) for moment in (np.mean, np.std))
    for found, images in zip(standardised(train, test), (train, test), strict=True):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, (images - mean) / deviation, rtol=1e-5, atol=1e-6)


def test_a_channel_that_never_changes_is_centred():
    train = np.zeros((3, 2, 2, 3), dtype=np.uint8)
    train[0, ..., 1] = 9
    train[..., 2] = 200
    found, other = standardised(train, train[:1] + np.uint8(1))
    assert np.all(found[..., [0, 2]] == 0)
    assert np.all(other[..., [0, 2]] == 1)
    assert abs(found[..., 1].std() - 1) < 1e-6


@pytest.mark.skipif(not (folder() / "mnist.npz").is_file(), reason="mnist.npz is not in the folder of data")
def test_mnist_is_the_publishers_mnist():
    found = ntkal.load("mnist")
    for key, checksum in MNIST.items():
        values = getattr(found, key)
        values = (values[..., 0] * np.float32(255) if key.startswith("x") else values).astype(np.uint8)
        header = struct.pack(f">i{values.ndim}i", 0x800 + values.ndim, *values.shape)
        assert hashlib.sha256(header + values.tobytes()).hexdigest() == checksum
