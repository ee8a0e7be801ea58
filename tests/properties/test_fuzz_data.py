"""Data files with bytes changed: read, or refused by name; nothing written, no memory eaten."""

import gzip
import io
import os
import tarfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from published import cifar_members, write_cifar, write_mat

import ntkal
from ntkal.data import published as published_sets

FILES = {
    "mnist": "mnist.npz",
    "cifar10_jpeg": "cifar10_jpeg_subset.npz",
    "svhn": "train_32x32.mat",
    "cifar100": "cifar-100-binary.tar.gz",
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
    write_cifar("cifar100", place, cifar_members("cifar100", np.tile(colour, (2, 1, 1, 1)), ["thing"] * 100))
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
@given(data=st.data())
def test_a_file_with_bytes_changed(name, data, published):
    place, contents = published
    path, before = place / FILES[name], sorted(os.listdir(place))
    path.write_bytes(changed(data, contents[name]))
    try:
        refused_or_whole(name, place, before)
    finally:
        path.write_bytes(contents[name])


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
    outside = ["../up", "../../up/train.bin", f"{tmp_path}/absolute", "a/../../../b/train.bin"]
    packed(cache / FILES["cifar100"], inside | dict.fromkeys(outside, b"outside"))
    assert len(ntkal.load("cifar100", root=cache).y_train) == 3
    assert os.listdir(tmp_path) == ["cache"]
    assert os.listdir(cache) == [FILES["cifar100"]]


def test_a_member_that_claims_to_be_huge_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(published_sets, "LARGEST", 1000)
    packed(tmp_path / FILES["cifar100"], {"cifar-100-binary/train.bin": bytes(1001)})
    with pytest.raises(ValueError, match="cifar-100-binary/train.bin claims to have 1001 bytes"):
        ntkal.load("cifar100", root=tmp_path)
