"""What a training step sees: batches of inputs, each input once an epoch, images moved by a few pixels."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Shaped


def batches(
    x: Shaped[np.ndarray, "n ..."],
    y: Shaped[np.ndarray, "n C"],
    batch_size: int,
    shift: int,
    rng: np.random.Generator,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Draw batches without end, in NumPy: a gather on the host costs a hundredth of a step.

    Args:
        x: Inputs (n, ...); images (n, height, width, channels) when ``shift`` is positive.
        y: Their targets (n, C).
        batch_size: Inputs of a batch; all n when there are fewer.
        shift: Each image moves by up to so many pixels up or down and left or right; what comes in is zero.
        rng: Decides everything.

    Yields:
        Inputs and targets. Epochs follow one another without a gap: a batch may hold the end of one and the
        beginning of the next.

    Raises:
        ValueError: When ``shift`` moves what is no image, or moves images out of sight.

    Example:
        >>> x, y = np.arange(3.0)[:, None], np.zeros((3, 1))
        >>> drawn = batches(x, y, 2, 0, np.random.default_rng(0))
        >>> sorted(np.concatenate([next(drawn)[0] for _ in range(3)]).ravel().tolist())
        [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]
    """
    if shift and x.ndim != 4:
        raise ValueError(f"shift: only images (n, height, width, channels) can move; x has shape {x.shape}.")
    if shift and shift >= min(x.shape[1:3]):
        raise ValueError(f"shift: {shift} pixels would move images of shape {x.shape[1:]} out of sight.")
    return _draw(x, y, min(batch_size, len(x)), shift, rng)


def _draw(x, y, batch: int, shift: int, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    height, width = x.shape[1:3] if shift else (0, 0)
    padded = np.pad(x, ((0, 0), (shift, shift), (shift, shift), (0, 0))) if shift else x
    order = np.empty(0, dtype=np.int64)
    while True:
        if len(order) < batch:
            order = np.concatenate([order, rng.permutation(len(x))])
        rows, order = order[:batch], order[batch:]
        if not shift:
            yield x[rows], y[rows]
            continue
        down, right = rng.integers(0, 2 * shift + 1, (2, batch))
        tall = (down[:, None] + np.arange(height))[:, :, None]
        broad = (right[:, None] + np.arange(width))[:, None, :]
        yield padded[rows[:, None, None], tall, broad], y[rows]
