from itertools import islice

import numpy as np
import pytest

from ntkal.training.augment import Augmentation, batches


@pytest.mark.parametrize("shift", [1, 2])
def test_shifted_images_are_the_images_moved(shift, rng):
    x = rng.uniform(0.1, 1, size=(6, 5, 4, 1)).astype(np.float32)
    padded = np.pad(x, ((0, 0), (shift, shift), (shift, shift), (0, 0)))
    moves = {}
    for down in range(2 * shift + 1):
        for right in range(2 * shift + 1):
            for row, image in enumerate(padded[:, down : down + 5, right : right + 4]):
                moves[image.tobytes()] = (row, down, right)
    found = np.array(
        [
            moves[image.tobytes()] + (row,)  # a KeyError here: no such move
            for _ in range(100)
            for row, image in enumerate(Augmentation(shift=shift)(x, rng))
        ]
    )
    np.testing.assert_array_equal(found[:, 0], found[:, 3])
    counts = np.unique(found[:, 1:3], axis=0, return_counts=True)[1]
    assert len(counts) == (2 * shift + 1) ** 2
    assert counts.min() > 600 / len(counts) / 3


def bilinear(image, place):
    """The value between four pixels, by the textbook formula; zero outside."""
    (i, j), total = np.floor(place).astype(int), 0.0
    if not (0 <= place[0] <= image.shape[0] - 1 and 0 <= place[1] <= image.shape[1] - 1):
        return 0.0
    for di in (0, 1):
        for dj in (0, 1):
            weight = abs(1 - di - (place[0] - i)) * abs(1 - dj - (place[1] - j))
            if weight > 0:
                total += weight * image[i + di, j + dj]
    return total


def test_distorted_images_are_read_off_at_the_mapped_places(rng):
    x = rng.normal(size=(3, 6, 7, 2))
    setting = Augmentation(rotate=30.0, zoom=0.3, shear=0.2)
    made = setting(x, np.random.default_rng(5))
    matrices = setting._matrices(3, np.random.default_rng(5))
    centre = np.array([2.5, 3.0])
    expected = np.zeros_like(x)
    for b, i, j, c in np.ndindex(x.shape):
        expected[b, i, j, c] = bilinear(x[b, ..., c], matrices[b] @ ((i, j) - centre) + centre)
    np.testing.assert_allclose(made, expected, atol=1e-10)


def test_the_matrices_are_what_the_formula_says_and_fill_their_ranges():
    plain = Augmentation(rotate=90.0)._matrices(2000, np.random.default_rng(0))
    np.testing.assert_allclose(plain @ plain.transpose(0, 2, 1), np.eye(2) + np.zeros_like(plain), atol=1e-12)
    angles = np.rad2deg(np.arctan2(plain[:, 1, 0], plain[:, 0, 0]))
    assert -90 <= angles.min() < -85
    assert 85 < angles.max() <= 90
    zooms = 1 / Augmentation(zoom=0.5)._matrices(2000, np.random.default_rng(0))[:, 0, 0]
    assert 0.5 <= zooms.min() < 0.55
    assert 1.45 < zooms.max() <= 1.5
    shears = Augmentation(shear=0.2)._matrices(2000, np.random.default_rng(0))
    assert -0.2 <= shears[:, 0, 1].min() < -0.19
    assert 0.19 < shears[:, 0, 1].max() <= 0.2
    np.testing.assert_array_equal(shears[:, 1], np.array([[0.0, 1.0]]) + np.zeros((2000, 2)))


def test_images_keep_their_precision_and_the_originals_stay(rng):
    x = rng.normal(size=(4, 6, 6, 3)).astype(np.float32)
    before = x.copy()
    made = Augmentation(shift=1, flip=True, rotate=10.0, zoom=0.1, shear=0.1)(x, rng)
    assert made.dtype == np.float32
    assert made.shape == x.shape
    np.testing.assert_array_equal(x, before)
    assert not np.array_equal(made, x)


def test_the_same_generator_gives_the_same_images(rng):
    x = rng.normal(size=(4, 6, 6, 1))
    setting = Augmentation(shift=1, flip=True, rotate=10.0, zoom=0.1, shear=0.1)
    one, two = (setting(x, np.random.default_rng(3)) for _ in range(2))
    assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"shift": -1}, "shift"),
        ({"flip": 1}, "flip: expected True or False, got 1"),
        ({"rotate": 180.0}, "rotate: expected a number below 180, got 180.0"),
        ({"zoom": 1.0}, "zoom: expected a number below 1, got 1.0"),
        ({"shear": -0.1}, "shear: expected a finite number of at least 0, got -0.1"),
        ({"shift": 1.0}, "shift: expected a whole number, got 1.0"),
        ({"shift": True}, "shift: expected a whole number, got True"),
        ({"rotate": True}, "rotate: .*between 0 and 180, got True"),
        ({"zoom": float("nan")}, "zoom: .* got nan"),
    ],
)
def test_numbers_out_of_range_are_refused(setting, message, as_user):
    with pytest.raises(ValueError, match=message):
        Augmentation(**setting)


def test_what_is_no_image_or_would_move_out_of_sight_is_refused():
    with pytest.raises(ValueError, match="only images"):
        Augmentation(flip=True).check((3, 4))
    with pytest.raises(
        ValueError, match=r"shift: 4 pixels would move images of shape \(4, 9, 1\) out of sight"
    ):
        Augmentation(shift=4).check((3, 4, 9, 1))
    Augmentation().check((3, 4))


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
