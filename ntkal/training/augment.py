"""What a training step sees: batches, each input once an epoch; images shifted, mirrored, distorted."""

from collections.abc import Iterator
from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Float, Shaped

from ntkal.inputs import check_int, check_number
from ntkal.models.model import random_key


@dataclass(frozen=True)
class Augmentation:
    r"""How each image of a batch is changed before a step sees it; nothing by default.

    An image is first distorted about its centre, then shifted, then mirrored. A pixel at the position
    :math:`u` relative to the centre takes the value found, by bilinear interpolation, at :math:`A u` with

    .. math:: A = \frac1s \begin{pmatrix} \cos\phi & -\sin\phi \\ \sin\phi & \cos\phi \end{pmatrix}
              + \begin{pmatrix} 0 & h \\ 0 & 0 \end{pmatrix} .

    What comes in from outside the image is zero.

    Attributes:
        shift: Each image moves by up to so many whole pixels up or down and left or right. The same as a
            random crop of the image with a border of so many zeros.
        flip: Whether every second image, on average, is mirrored left to right.
        rotate: Degrees; the angle :math:`\phi` is uniform between minus and plus so many.
        zoom: From 0 to below 1; the scale :math:`s` is uniform between one minus and one plus this.
        shear: At least 0; :math:`h` is uniform between minus and plus this.

    Raises:
        ValueError: For a number out of range.

    Example:
        >>> moved = Augmentation(shift=2)(np.ones((3, 8, 8, 1)), np.random.default_rng(0))
        >>> moved.shape
        (3, 8, 8, 1)
    """

    shift: int = 0
    flip: bool = False
    rotate: float = 0.0
    zoom: float = 0.0
    shear: float = 0.0

    def __post_init__(self):
        if not isinstance(self.flip, (bool, np.bool_)):
            raise ValueError(f"flip: expected True or False, got {self.flip!r}.")
        clean = {"shift": check_int("shift", self.shift, low=0), "flip": bool(self.flip)}
        for name, high in {"rotate": 180, "zoom": 1, "shear": None}.items():
            clean[name] = check_number(name, getattr(self, name), low=0, high=high)
            if clean[name] == high:
                raise ValueError(f"{name}: expected a number below {high}, got {clean[name]}.")
        for name, value in clean.items():
            object.__setattr__(self, name, value)

    def __bool__(self) -> bool:
        return self != Augmentation()

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise a ValueError unless inputs of this shape are images that these changes leave in sight."""
        if self and len(shape) != 4:
            raise ValueError(
                f"shift, flip, rotate, zoom, shear: only images (n, height, width, channels) can be changed "
                f"so; x has shape {shape}."
            )
        if self.shift and self.shift >= min(shape[1:3]):
            raise ValueError(
                f"shift: {self.shift} pixels would move images of shape {shape[1:]} out of sight."
            )

    def __call__(
        self, x: Shaped[np.ndarray, "b ..."], rng: np.random.Generator
    ) -> Shaped[np.ndarray, "b ..."]:
        """Return changed copies of the images; ``rng`` decides everything."""
        if self.rotate or self.zoom or self.shear:
            x = _distort(x, self._matrices(len(x), rng))
        if self.shift:
            x = _move(x, self.shift, rng)
        if self.flip:
            mirrored = rng.random(len(x)) < 0.5
            x = np.where(mirrored[:, None, None, None], x[:, :, ::-1], x)
        return x

    def _matrices(self, count: int, rng: np.random.Generator) -> Float[np.ndarray, "b 2 2"]:
        angle = np.deg2rad(self.rotate) * rng.uniform(-1, 1, count)
        scale = 1 + self.zoom * rng.uniform(-1, 1, count)
        shear = self.shear * rng.uniform(-1, 1, count)
        cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
        return np.stack([np.stack([cos, shear - sin], axis=1), np.stack([sin, cos], axis=1)], axis=1)


def _distort(x, matrices):
    from scipy.ndimage import map_coordinates

    height, width = x.shape[1:3]
    centre = np.array([(height - 1) / 2, (width - 1) / 2])
    grid = np.indices((height, width)) - centre[:, None, None]
    places = np.einsum("bij,jhw->ibhw", matrices, grid) + centre[:, None, None, None]
    # One call for all images: the first coordinate, a whole number, says which.
    image = np.broadcast_to(np.arange(len(x))[:, None, None], places.shape[1:])
    where = np.concatenate([image[None], places])
    channels = [
        map_coordinates(x[..., c], where, order=1, mode="constant", output=x.dtype)
        for c in range(x.shape[-1])
    ]
    return np.stack(channels, axis=-1)


def _move(x, shift, rng):
    height, width = x.shape[1:3]
    padded = np.pad(x, ((0, 0), (shift, shift), (shift, shift), (0, 0)))
    down, right = rng.integers(0, 2 * shift + 1, (2, len(x)))
    tall = (down[:, None] + np.arange(height))[:, :, None]
    broad = (right[:, None] + np.arange(width))[:, None, :]
    return padded[np.arange(len(x))[:, None, None], tall, broad]


def generator(key: jax.Array) -> np.random.Generator:
    """The NumPy generator of batches and augmentation that a JAX key seeds, so that one key decides all.

    Example:
        >>> generator(jax.random.key(1)).integers(100).item()
        52
    """
    return np.random.default_rng(np.asarray(jax.random.key_data(random_key(key))).ravel().tolist())


def batches(
    x: Shaped[np.ndarray, "n ..."],
    y: Shaped[np.ndarray, "n C"],
    batch_size: int,
    augmentation: Augmentation,
    rng: np.random.Generator,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Draw batches without end, in NumPy: a gather on the host costs a hundredth of a step.

    Args:
        x: Inputs (n, ...); images (n, height, width, channels) when there is an augmentation.
        y: Their targets (n, C).
        batch_size: Inputs of a batch; all n when there are fewer.
        augmentation: How images are changed; ``Augmentation()`` leaves them as they are.
        rng: Decides everything.

    Yields:
        Inputs and targets. Epochs follow one another without a gap: a batch may hold the end of one and the
        beginning of the next.

    Raises:
        ValueError: When the augmentation cannot be applied to inputs of this shape.

    Example:
        >>> x, y = np.arange(3.0)[:, None], np.zeros((3, 1))
        >>> drawn = batches(x, y, 2, Augmentation(), np.random.default_rng(0))
        >>> sorted(np.concatenate([next(drawn)[0] for _ in range(3)]).ravel().tolist())
        [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]
    """
    augmentation.check(x.shape)
    batch = min(batch_size, len(x))

    def draw():
        order = np.empty(0, dtype=np.int64)
        while True:
            if len(order) < batch:
                order = np.concatenate([order, rng.permutation(len(x))])
            rows, order = order[:batch], order[batch:]
            yield augmentation(x[rows], rng), y[rows]

    return draw()
