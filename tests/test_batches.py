from itertools import islice

import numpy as np
import pytest

from ntkal.batches import batches


@pytest.mark.parametrize(("batch_size", "count"), [(4, 5), (10, 2), (50, 2), (1, 20)])
def test_each_epoch_sees_every_input_once_with_its_target(batch_size, count, rng):
    x = np.arange(10.0)[:, None]
    drawn = list(islice(batches(x, -x, batch_size, 0, rng), count))
    assert [len(inputs) for inputs, _ in drawn] == [min(batch_size, 10)] * count
    seen = np.concatenate([inputs for inputs, _ in drawn]).ravel()
    assert sorted(seen[:10]) == sorted(seen[10:]) == list(range(10))
    np.testing.assert_array_equal(np.concatenate([targets for _, targets in drawn]).ravel(), -seen)


@pytest.mark.parametrize("shift", [1, 2])
def test_shifted_images_are_the_images_moved(shift, rng):
    x = rng.uniform(0.1, 1, size=(6, 5, 4, 1)).astype(np.float32)
    y = np.eye(6)
    padded = np.pad(x, ((0, 0), (shift, shift), (shift, shift), (0, 0)))
    moves = {}
    for down in range(2 * shift + 1):
        for right in range(2 * shift + 1):
            for row, image in enumerate(padded[:, down : down + 5, right : right + 4]):
                moves[image.tobytes()] = (row, down, right)
    found = np.array(
        [
            moves[image.tobytes()] + (target.argmax(),)  # a KeyError here: no such move
            for inputs, targets in islice(batches(x, y, 6, shift, rng), 100)
            for image, target in zip(inputs, targets, strict=True)
        ]
    )
    np.testing.assert_array_equal(found[:, 0], found[:, 3])
    counts = np.unique(found[:, 1:3], axis=0, return_counts=True)[1]
    assert len(counts) == (2 * shift + 1) ** 2
    assert counts.min() > 600 / len(counts) / 3


def test_what_cannot_move_is_refused(rng):
    with pytest.raises(ValueError, match="shift: only images .* can move; x has shape .3, 4."):
        batches(np.ones((3, 4)), np.ones((3, 1)), 2, 1, rng)
    with pytest.raises(
        ValueError, match=r"shift: 4 pixels would move images of shape \(4, 9, 1\) out of sight"
    ):
        batches(np.ones((3, 4, 9, 1)), np.ones((3, 1)), 2, 4, rng)
