"""Data files with bytes changed: read, or refused by name; nothing run, nothing written, no memory eaten."""

import gzip
import io
import os
import pickle
import pickletools
import sys
import tarfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from published import python2_pickle, rows, write_mat, write_tar

import ntkal
from ntkal.data import cifar, pickles

FILES = {
    "mnist": "mnist.npz",
    "cifar10_jpeg": "cifar10_jpeg_subset.npz",
    "svhn": "train_32x32.mat",
    "cifar100": "cifar-100-python.tar.gz",
}


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A folder with a small whole file of each kind, and their contents."""
    place, rng = tmp_path_factory.mktemp("published"), np.random.default_rng(0)
    grey, labels = rng.integers(0, 256, (3, 28, 28), dtype=np.uint8), np.arange(3, dtype=np.uint8)
    colour = rng.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    for name, x in (("mnist", grey), ("cifar10_jpeg", colour)):
        np.savez(place / FILES[name], x_train=x, y_train=labels, x_test=x, y_test=labels)
    for part in ("train", "test"):
        write_mat(place / f"{part}_32x32.mat", colour, labels + 1)
    part = {b"fine_labels": [0, 1, 2], b"data": rows(colour)}
    meta = {b"fine_label_names": [b"thing"] * 100}
    write_tar(place / FILES["cifar100"], "cifar-100-python", {"meta": meta, "train": part, "test": part})
    return place, {name: (place / file).read_bytes() for name, file in FILES.items()}


def changed(data, content):
    """The content with bytes set, cut out or doubled; half of the time near either end, where headers are."""
    content = bytearray(content)
    for _ in range(data.draw(st.integers(1, 3))):
        size = len(content)
        edge = min(600, size)
        at = data.draw(
            st.integers(0, size - 1) | st.integers(0, edge - 1) | st.integers(size - edge, size - 1)
        )
        match data.draw(st.sampled_from(["set", "set", "cut", "double"])):
            case "set":
                content[at] = data.draw(st.integers(0, 255))
            case "cut" if at:
                del content[at : at + data.draw(st.integers(1, 5000))]
            case _:
                content[at:at] = content[at : at + data.draw(st.integers(1, 100))]
    return bytes(content)


def refused_or_whole(name, place, files_before):
    """Load: a data set of the right kind, or a ValueError that names the file. No file comes or goes."""
    try:
        found = ntkal.load(name, root=place)
    except ValueError as error:
        said = str(error)
        assert str(place / FILES[name]) in said
        assert said.startswith(f"{name}: ")
    else:
        assert np.isfinite(found.x_train).all()
        assert found.y_train.min() >= 0
        assert found.y_train.max() < len(found.classes)
        assert len(found.x_train) == len(found.y_train)
    assert sorted(os.listdir(place)) == files_before


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=60)
@given(data=st.data())
def test_a_file_with_bytes_changed(name, data, published):
    place, contents = published
    path, before = place / FILES[name], sorted(os.listdir(place))
    path.write_bytes(changed(data, contents[name]))
    try:
        refused_or_whole(name, place, before)
    finally:
        path.write_bytes(contents[name])


@settings(max_examples=60)
@given(data=st.data())
def test_an_archive_whose_inside_was_changed_before_it_was_packed(data, published):
    """The checksum of gzip fits, so that what is inside reaches our own readers."""
    place, contents = published
    path, before = place / FILES["cifar100"], sorted(os.listdir(place))
    path.write_bytes(gzip.compress(changed(data, gzip.decompress(contents["cifar100"])), 1))
    try:
        refused_or_whole("cifar100", place, before)
    finally:
        path.write_bytes(contents["cifar100"])


OPCODES = [code.code.encode("latin-1") for code in pickletools.opcodes]


@settings(max_examples=200)
@given(data=st.data())
def test_pickles_of_any_opcodes(data):
    if data.draw(st.booleans()):
        parts = data.draw(st.lists(st.sampled_from(OPCODES) | st.binary(max_size=5), max_size=30))
        content = b"".join(parts) + b"."
    else:
        content = changed(data, python2_pickle({b"data": np.zeros((2, 3), np.uint8), b"labels": [1, 2]}))
    said = "pickle: read"
    try:
        assert type(pickles.read(content)) is dict
    except ValueError as error:
        said = str(error)
    assert said.startswith("pickle: ")


@pytest.mark.parametrize("put", [b"r\xff\xff\xff\xff", b"r\x00\x00\x00\x08", b"p4294967295\n"])
def test_a_pickle_that_asks_for_all_memory_is_refused(put):
    """The places would all be cleared: 64 GB for ten bytes."""
    with pytest.raises(ValueError, match="pickle: damaged .it asks for [0-9]+ places in memory"):
        pickles.read(b"}" + put + b".")


class Runs:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def packed(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def test_members_outside_the_archives_folder_are_written_nowhere(published, tmp_path):
    _, contents = published
    inside = {}
    with tarfile.open(fileobj=io.BytesIO(contents["cifar100"])) as archive:
        for member in archive:
            if member.isfile():
                inside[member.name] = archive.extractfile(member).read()
    cache = tmp_path / "cache"
    cache.mkdir()
    command = f"{sys.executable} -c \"open({str(tmp_path / 'run')!r}, 'w')\""
    evil = pickle.dumps(Runs(command), protocol=2)
    outside = {
        "../up": evil,
        "../../up/train": evil,
        f"{tmp_path}/absolute": evil,
        "a/../../../b/train": evil,
    }
    packed(cache / FILES["cifar100"], inside | outside)
    assert len(ntkal.load("cifar100", root=cache).y_train) == 3
    packed(cache / FILES["cifar100"], inside | {"cifar-100-python/train": evil})
    with pytest.raises(ValueError, match="train: pickle: the file names (posix|nt).system, .* was not run"):
        ntkal.load("cifar100", root=cache)
    assert os.listdir(tmp_path) == ["cache"]
    assert os.listdir(cache) == [FILES["cifar100"]]
    pickle.loads(evil)  # it would have
    assert (tmp_path / "run").exists()


def test_a_member_that_claims_to_be_huge_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(cifar, "LARGEST", 1000)
    packed(tmp_path / FILES["cifar100"], {"cifar-100-python/train": bytes(1001)})
    with pytest.raises(ValueError, match="cifar-100-python/train claims to have 1001 bytes"):
        ntkal.load("cifar100", root=tmp_path)
