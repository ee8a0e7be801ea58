import gzip
import io
import os
import pickle
import tarfile

import numpy as np
import pytest
from published import python2_pickle, rows, same, write_tar

import ntkal
from ntkal.data import cifar
from ntkal.data.dataset import standardised

NAMES = [f"thing {k}".encode() for k in range(100)]
FILES = {"cifar10": "cifar-10-python.tar.gz", "cifar100": "cifar-100-python.tar.gz"}
FOLDERS = {"cifar10": "cifar-10-batches-py", "cifar100": "cifar-100-python"}


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (18, 32, 32, 3), dtype=np.uint8)


def cifar10_members(images):
    """Five batches of three images, three test images; the label of image k is k % 10."""
    parts = {f"data_batch_{k + 1}": range(3 * k, 3 * k + 3) for k in range(5)} | {"test_batch": range(15, 18)}
    members = {
        name: {
            b"batch_label": b"a batch",
            b"labels": [k % 10 for k in part],
            b"data": rows(images[list(part)]),
            b"filenames": [b"image.png"] * 3,
        }
        for name, part in parts.items()
    }
    meta = {
        b"num_cases_per_batch": 3,
        b"label_names": list(map(str.encode, cifar.CIFAR10_CLASSES)),
        b"num_vis": 3072,
    }
    return {"batches.meta": meta, "readme.html": b"<html>", **members}


def cifar100_members(images):
    """Fifteen training and three test images; the fine label of image k is 5 k."""
    members = {
        name: {
            b"filenames": [b"image.png"] * len(part),
            b"batch_label": b"a batch",
            b"fine_labels": [5 * k for k in part],
            b"coarse_labels": list(part),
            b"data": rows(images[list(part)]),
        }
        for name, part in {"train": range(15), "test": range(15, 18)}.items()
    }
    return {
        "meta": {b"fine_label_names": NAMES, b"coarse_label_names": NAMES[:20]},
        "file.txt~": b"",
        **members,
    }


MEMBERS = {"cifar10": cifar10_members, "cifar100": cifar100_members}


@pytest.fixture(params=["cifar10", "cifar100"])
def name(request):
    return request.param


def write(name, place, members):
    write_tar(place / FILES[name], FOLDERS[name], members)


def test_the_publishers_format_is_read(name, images, tmp_path, monkeypatch, no_network):
    write(name, tmp_path, MEMBERS[name](images))
    found = ntkal.load(name, root=tmp_path)
    x_train, x_test = standardised(images[:15], images[15:])
    np.testing.assert_array_equal(found.x_train, x_train)
    np.testing.assert_array_equal(found.x_test, x_test)
    labels = np.arange(18) % 10 if name == "cifar10" else 5 * np.arange(18)
    np.testing.assert_array_equal(found.y_train, labels[:15])
    np.testing.assert_array_equal(found.y_test, labels[15:])
    assert found.y_train.dtype == np.int64
    expected = cifar.CIFAR10_CLASSES if name == "cifar10" else tuple(f"thing {k}" for k in range(100))
    assert found.classes == expected
    monkeypatch.setenv("NTKAL_DATA", str(tmp_path))
    assert same(found, ntkal.load(name, seed=4))
    assert [path.name for path in tmp_path.iterdir()] == [FILES[name]]  # nothing was unpacked


def test_a_pickle_inside_that_runs_a_command_is_refused_and_not_run(name, images, tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "made"),)

    last = "test_batch" if name == "cifar10" else "test"
    evil = pickle.dumps({"data": Evil()}, protocol=2)
    write(name, tmp_path, MEMBERS[name](images) | {last: evil})
    with pytest.raises(
        ValueError, match=f"{name}: in .*, {last}: pickle: the file names {os.name}.mkdir"
    ) as caught:
        ntkal.load(name, root=tmp_path)
    assert "Delete" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == [FILES[name]]


@pytest.mark.parametrize("kept", [0, 10, 0.3, 0.6, -1])
def test_a_truncated_archive_is_refused(name, kept, images, tmp_path):
    write(name, tmp_path, MEMBERS[name](images))
    path = tmp_path / FILES[name]
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    with pytest.raises(ValueError, match=f"{name}: in .*, the archive is damaged .* Delete .*{FILES[name]}"):
        ntkal.load(name, root=tmp_path)


def test_an_archive_cut_between_its_files_is_refused(images, tmp_path):
    write("cifar100", tmp_path, MEMBERS["cifar100"](images))
    path = tmp_path / FILES["cifar100"]
    content = gzip.decompress(path.read_bytes())
    cut = content.index(b"cifar-100-python/test\0")
    path.write_bytes(gzip.compress(content[:cut]))
    with pytest.raises(ValueError, match="the archive lacks test"):
        ntkal.load("cifar100", root=tmp_path)
    path.write_bytes(gzip.compress(content[: cut + 512 + 700]))
    with pytest.raises(ValueError, match="the archive is damaged"):
        ntkal.load("cifar100", root=tmp_path)


def test_a_flipped_bit_is_noticed(name, images, tmp_path):
    write(name, tmp_path, MEMBERS[name](images))
    path = tmp_path / FILES[name]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"{name}: in .* is damaged"):
        ntkal.load(name, root=tmp_path)


def test_a_link_in_place_of_a_file_is_not_followed(images, tmp_path):
    (tmp_path / "secret").write_bytes(python2_pickle({b"fine_label_names": NAMES}))
    members = {key: value for key, value in cifar100_members(images).items() if key != "meta"}
    with tarfile.open(tmp_path / FILES["cifar100"], "w:gz") as archive:
        for key, value in members.items():
            content = value if isinstance(value, bytes) else python2_pickle(value)
            member = tarfile.TarInfo(f"{FOLDERS['cifar100']}/{key}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        member = tarfile.TarInfo(f"{FOLDERS['cifar100']}/meta")
        member.type, member.linkname = tarfile.SYMTYPE, str(tmp_path / "secret")
        archive.addfile(member)
    with pytest.raises(ValueError, match="the archive lacks meta"):
        ntkal.load("cifar100", root=tmp_path)


@pytest.mark.parametrize(
    ("member", "key", "value", "message"),
    [
        ("data_batch_3", b"labels", [0, 10, 2], "data_batch_3: expected labels from 0 to 9, found 0 to 10"),
        ("test_batch", b"labels", [0, -1, 2], "test_batch: expected labels from 0 to 9, found -1 to 2"),
        ("test_batch", b"labels", [0, 1], "expected labels to be 3 whole numbers, one for each image"),
        ("test_batch", b"labels", [0, 1, 2.5], "expected labels to be 3 whole numbers"),
        ("test_batch", b"labels", None, "test_batch: it lacks labels"),
        ("data_batch_1", b"data", np.zeros((3, 784), np.uint8), r"shape \(n, 3072\), found \(3, 784\)"),
        ("data_batch_1", b"data", np.zeros((0, 3072), np.uint8), r"shape \(n, 3072\), found \(0, 3072\)"),
        ("data_batch_1", b"data", [1, 2, 3], r"shape \(n, 3072\), found list"),
        ("data_batch_1", b"data", np.zeros((3, 3072)), "data_batch_1: pickle: expected an array of bytes"),
        ("data_batch_1", b"data", None, "data_batch_1: it lacks data"),
        ("batches.meta", b"label_names", [b"cat"] * 9, "batches.meta: expected label_names to be 10 names"),
        ("batches.meta", b"label_names", list(range(10)), "expected label_names to be 10 names"),
        ("batches.meta", b"label_names", None, "batches.meta: it lacks label_names"),
    ],
)
def test_something_else_inside_is_named(member, key, value, message, images, tmp_path):
    members = cifar10_members(images)
    members[member] = {k: v for k, v in (members[member] | {key: value}).items() if v is not None}
    write("cifar10", tmp_path, members)
    with pytest.raises(ValueError, match=message) as caught:
        ntkal.load("cifar10", root=tmp_path)
    assert f"Delete {tmp_path / FILES['cifar10']} and load again" in str(caught.value)


def test_a_fine_label_out_of_range_is_named(images, tmp_path):
    members = cifar100_members(images)
    members["train"][b"fine_labels"][4] = 100
    write("cifar100", tmp_path, members)
    with pytest.raises(ValueError, match="train: expected fine_labels from 0 to 99, found 0 to 100"):
        ntkal.load("cifar100", root=tmp_path)


def test_a_missing_batch_is_named(images, tmp_path):
    members = {key: value for key, value in cifar10_members(images).items() if key != "data_batch_4"}
    write("cifar10", tmp_path, members)
    with pytest.raises(ValueError, match="the archive lacks data_batch_4"):
        ntkal.load("cifar10", root=tmp_path)
