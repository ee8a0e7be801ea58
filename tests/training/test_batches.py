from itertools import islice

import numpy as np
import pytest

from ntkal.training.augment import Augmentation
from ntkal.training.batches import batches


@pytest.mark.parametrize(("batch_size", "count"), [(4, 5), (10, 2), (50, 2), (1, 20)])
def test_each_epoch_sees_every_input_once_with_its_target(batch_size, count, rng):
    x = np.arange(10.0)[:, None]
    drawn = list(islice(batches(x, -x, batch_size, Augmentation(), rng), count))
    assert [len(inputs) for inputs, _ in drawn] == [min(batch_size, 10)] * count
    seen = np.concatenate([inputs for inputs, _ in drawn]).ravel()
    assert sorted(seen[:10]) == sorted(seen[10:]) == list(range(10))
    np.testing.assert_array_equal(np.concatenate([targets for _, targets in drawn]).ravel(), -seen)


def test_each_batch_is_augmented_with_its_targets_in_step(rng):
    x = rng.uniform(0.1, 1, size=(6, 5, 5, 1)).astype(np.float32)
    flip = Augmentation(flip=True)
    looks = {image.tobytes(): (row, 0) for row, image in enumerate(x)}
    looks |= {image[:, ::-1].tobytes(): (row, 1) for row, image in enumerate(x)}
    found = [
        (*looks[image.tobytes()], target.argmax())
        for inputs, targets in islice(batches(x, np.eye(6), 3, flip, rng), 40)
        for image, target in zip(inputs, targets, strict=True)
    ]
    rows, mirrored, labels = np.array(found).T
    np.testing.assert_array_equal(rows, labels)
    assert 30 < mirrored.sum() < 90


def test_what_cannot_be_augmented_is_refused_before_the_first_batch(rng):
    with pytest.raises(ValueError, match="only images .* can be changed so; x has shape .3, 4."):
        batches(np.ones((3, 4)), np.ones((3, 1)), 2, Augmentation(shift=1), rng)
