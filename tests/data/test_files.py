import hashlib

import numpy as np
import pytest
import requests
from published import write_mat

import ntkal
from ntkal import data
from ntkal.data import archives, cifar, svhn


def test_offline_the_error_says_what_to_fetch_and_where_to_put_it(tmp_path, no_network):
    with pytest.raises(ConnectionError) as caught:
        ntkal.load("mnist", root=tmp_path / "new")
    message = str(caught.value)
    for part in (str(tmp_path / "new" / "mnist.npz"), data.MNIST_URL, data.MNIST_SHA256, "NTKAL_DATA"):
        assert part in message
    assert not list((tmp_path / "new").iterdir())


def test_a_download_is_checked_retried_and_moved_into_place_whole(archive, tmp_path, monkeypatch, answers):
    np.savez(tmp_path / "made.npz", **archive)
    content = (tmp_path / "made.npz").read_bytes()
    monkeypatch.setattr(archives, "MNIST_SHA256", hashlib.sha256(content).hexdigest())
    folder = tmp_path / "cache"
    calls = answers(requests.exceptions.ReadTimeout("slow"), b"wrong bytes", content)
    assert len(ntkal.load("mnist", root=folder).y_train) == 12
    assert calls == [data.MNIST_URL] * 3
    assert [path.name for path in folder.iterdir()] == ["mnist.npz"]
    assert (folder / "mnist.npz").read_bytes() == content
    ntkal.load("mnist", root=folder)
    assert len(calls) == 3


@pytest.mark.parametrize(
    "reply", [b"wrong bytes", OSError("disc full"), requests.exceptions.HTTPError("404")]
)
def test_a_failed_download_leaves_nothing_behind(reply, tmp_path, answers):
    answers(reply)
    with pytest.raises(ConnectionError, match="Could not fetch mnist.npz"):
        ntkal.load("mnist", root=tmp_path)
    assert not list(tmp_path.iterdir())


PUBLISHED = {
    "svhn": (
        "train_32x32.mat",
        "http://ufldl.stanford.edu/housenumbers/",
        "e26dedcc434d2e4c54c9b2d4a06d8373",
    ),
    "cifar10": ("cifar-10-python.tar.gz", cifar.CIFAR10_URL, "c58f30108f718f92721af3b95e74349a"),
    "cifar100": ("cifar-100-python.tar.gz", cifar.CIFAR100_URL, "eb9058c3a382ffc7106e4002c42a8d85"),
}


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_each_published_set_says_offline_what_to_fetch(name, tmp_path, no_network):
    file, url, md5 = PUBLISHED[name]
    with pytest.raises(ConnectionError) as caught:
        ntkal.load(name, root=tmp_path)
    message = str(caught.value)
    for part in (str(tmp_path / file), url, f"MD5 is {md5}", "NTKAL_DATA"):
        assert part in message
    assert not list(tmp_path.iterdir())


def test_a_download_with_an_md5_is_checked(tmp_path, monkeypatch, answers, rng):
    images = rng.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    write_mat(tmp_path / "made.mat", images, np.array([1, 10, 3]))
    content = (tmp_path / "made.mat").read_bytes()
    folder = tmp_path / "cache"
    calls = answers(b"wrong bytes", content)
    monkeypatch.setitem(svhn.SVHN_MD5, "train_32x32.mat", hashlib.md5(content).hexdigest())
    with pytest.raises(ConnectionError, match="Could not fetch test_32x32.mat"):
        ntkal.load("svhn", root=folder)  # the test file's sum is still the published one
    assert [path.name for path in folder.iterdir()] == ["train_32x32.mat"]
    assert set(calls) == {svhn.SVHN_URL + name for name in svhn.SVHN_MD5}
    monkeypatch.setitem(svhn.SVHN_MD5, "test_32x32.mat", hashlib.md5(content).hexdigest())
    found = ntkal.load("svhn", root=folder)
    assert found.y_test.tolist() == [1, 0, 3]
    assert calls.count(svhn.SVHN_URL + "train_32x32.mat") == 2  # what is there is not fetched again
