"""What a training step sees: batches of inputs, each input once an epoch, images changed a little."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Shaped

from ntkal.training.augment import Augmentation


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
    return _draw(x, y, min(batch_size, len(x)), augmentation, rng)


def _draw(x, y, batch, augmentation, rng) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    order = np.empty(0, dtype=np.int64)
    while True:
        if len(order) < batch:
            order = np.concatenate([order, rng.permutation(len(x))])
        rows, order = order[:batch], order[batch:]
        yield augmentation(x[rows], rng), y[rows]
