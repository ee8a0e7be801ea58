import numpy as np
import pytest
from published import PARTS, same, write_cifar

import ntkal
from ntkal import data


@pytest.fixture
def whole(rng):
    """Rows that tell which they are; 4 classes of 20, 30, 40 and 7 training and 10 test rows each."""
    y_train = rng.permutation(np.repeat(np.arange(4), [20, 30, 40, 7]))
    y_test = np.tile(np.arange(4), 10)
    x_train, x_test = (np.arange(len(y), dtype=np.float32)[:, None] for y in (y_train, y_test))
    return data.Dataset(x_train, y_train, x_test, y_test, ("a", "b", "c", "d"))


def test_rare_classes_keep_their_share(whole):
    thin = data.imbalanced(whole, seed=1)
    assert np.bincount(thin.y_train).tolist() == [2, 3, 40, 7]
    assert np.bincount(thin.y_test).tolist() == [1, 1, 10, 10]
    for part in ("train", "test"):
        rows = getattr(thin, f"x_{part}")[:, 0].astype(int)
        assert np.all(np.diff(rows) > 0)  # what stays keeps its order
        np.testing.assert_array_equal(getattr(whole, f"y_{part}")[rows], getattr(thin, f"y_{part}"))
    assert thin.classes == whole.classes


def test_the_share_the_classes_and_the_test_part_can_be_chosen(whole):
    thin = data.imbalanced(whole, share=0.29, classes=[3, 1, 1], test=False)
    assert np.bincount(thin.y_train).tolist() == [20, 8, 40, 2]
    np.testing.assert_array_equal(thin.y_test, whole.y_test)
    assert np.bincount(data.imbalanced(whole, share=0.01).y_train).tolist() == [1, 1, 40, 7]
    assert same(data.imbalanced(whole, share=1.0), whole)
    assert same(data.imbalanced(whole, classes=[]), whole)
    # 0.7 of 40 is 28, though 0.7 * 40 is a little less in floating point; so is 0.29 * 100.
    assert np.bincount(data.imbalanced(whole, share=0.7, classes=[2]).y_train)[2] == 28


def test_the_seed_decides_which_rows_stay(whole):
    assert same(data.imbalanced(whole, seed=3), data.imbalanced(whole, seed=3))
    assert not same(data.imbalanced(whole, seed=3), data.imbalanced(whole, seed=4))
    stays = [data.imbalanced(whole, share=0.5, classes=[0], seed=seed).x_train for seed in range(400)]
    counts = np.bincount(np.concatenate(stays)[:, 0].astype(int))[whole.y_train == 0]
    assert counts.min() > 150
    assert counts.max() < 250  # each row half the time: 200, standard deviation 10


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"share": 0.0}, "share: expected a number above 0 and at most 1, got 0"),
        ({"share": 1.5}, "share: .* got 1.5"),
        ({"share": True}, "share: .* got True"),
        ({"share": float("nan")}, "share: .* got nan"),
        ({"classes": [4]}, "classes: expected positions between 0 and 3, got 4"),
        ({"classes": [1.0]}, "classes: expected positions as whole numbers, got float64"),
        ({"classes": [True, False, True, True]}, "classes: expected positions, got a boolean mask"),
        ({"classes": 2}, "classes: expected positions of shape"),
        ({"seed": -1}, "seed: expected a whole number at least 0, got -1"),
    ],
)
def test_bad_options_are_named(options, message, whole, as_user):
    with pytest.raises(ValueError, match=message):
        data.imbalanced(whole, **options)


def test_a_regression_problem_is_refused():
    with pytest.raises(ValueError, match="dataset: a regression problem has no classes"):
        data.imbalanced(ntkal.load("toy1d"))


def test_the_named_variants_thin_the_named_sets(tmp_path, rng, no_network):
    for file, shape in (("mnist.npz", (28, 28)), ("cifar10_jpeg_subset.npz", (32, 32, 3))):
        labels = np.tile(np.arange(10, dtype=np.uint8), 20)
        x = rng.integers(0, 256, (200, *shape), dtype=np.uint8)
        np.savez(tmp_path / file, **dict(zip(PARTS, (x, labels, x, labels), strict=True)))
    for name in ("mnist", "cifar10_jpeg"):
        found = ntkal.load(f"{name}_imbalanced", root=tmp_path, seed=5)
        assert same(found, data.imbalanced(ntkal.load(name, root=tmp_path), seed=5))
        assert np.bincount(found.y_train).tolist() == [2] * 5 + [20] * 5
        assert not same(found, ntkal.load(f"{name}_imbalanced", root=tmp_path, seed=6))
    # Damage is found in the file of the set that is thinned.
    write_cifar("cifar10", tmp_path, {})
    with pytest.raises(ValueError, match="cifar10: .*the archive lacks data_batch_1"):
        ntkal.load("cifar10_imbalanced", root=tmp_path)
