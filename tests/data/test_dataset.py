import numpy as np
import pytest

import ntkal
from ntkal import data
from ntkal.data.dataset import standardised


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
