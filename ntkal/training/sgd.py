"""Training by the squared loss: SGD with Nesterov momentum, a one-cycle learning rate, augmentation.

A Python loop over one compiled step. On the CPU a convolution inside :func:`jax.lax.scan` takes a path that
is many times slower, and a step that is compiled once for a batch's shape serves every labelled set.
"""

import functools
import sys
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Float, Integer
from tqdm import tqdm

from ntkal.inputs import ArrayLike, check_int
from ntkal.models import Model
from ntkal.training.batches import batches
from ntkal.training.settings import TrainConfig


def fit(
    model: Model,
    params: dict,
    x: Float[ArrayLike, "n ..."],
    y: Float[ArrayLike, "n C"],
    config: TrainConfig,
    key: jax.Array,
    progress: bool = False,
) -> tuple[dict, Float[np.ndarray, " steps"]]:
    r"""Train on the squared loss, starting from ``params``.

    .. math:: \frac{1}{|B|} \sum_{i \in B} \sum_c \tfrac12 (f_c(x_i) - y_{ic})^2

    Args:
        model: The network.
        params: Where to start; left unchanged.
        x: Inputs (n, ...), n at least 1.
        y: Targets (n, C), one-hot rows for classification.
        config: Steps, batches, rates, augmentation.
        key: A JAX random key; it draws the batches and the augmentation. The same key gives the same bytes
            on the same machine.
        progress: Show a text bar on standard error.

    Returns:
        The trained parameters and the loss of each step's batch, before the step, float64 (steps,).

    Raises:
        ValueError: When shapes do not fit, entries are not finite, or what is no image is to be augmented.
        FloatingPointError: When the loss becomes NaN or infinite; the message names the learning rate.

    Example:
        >>> import jax, ntkal
        >>> data = ntkal.load("toy1d")
        >>> model = ntkal.models.mlp((1,), 1, width=64)
        >>> params = model.init(jax.random.key(0))
        >>> config = TrainConfig(steps=200, learning_rate=0.05)
        >>> params, losses = fit(model, params, data.x_train, data.y_train, config, jax.random.key(1))
        >>> bool(losses[-1] < losses[0] / 2)
        True
    """
    x, y = _check(model, params, x, y)
    config = config.sized(len(x))
    # The seed of NumPy's generator comes from the key, so that one key decides all.
    rng = np.random.default_rng(np.asarray(jax.random.key_data(_typed(key))).ravel().tolist())
    drawn = batches(x, y, config.batch_size, config.augmentation, rng)
    rates = config.rates()
    step = _step(model, float(config.momentum), bool(config.nesterov), float(config.weight_decay))
    # Steps overwrite their arguments in place, and the caller's parameters must survive.
    start = params["weights"], params["statistics"]
    weights, statistics = jax.tree.map(lambda leaf: jax.device_put(np.array(leaf)), start)
    trace = jax.tree.map(lambda leaf: jax.device_put(np.zeros_like(leaf)), weights)
    losses = []
    bar = tqdm(range(config.steps), desc="training", disable=not progress, file=sys.stderr, leave=False)
    for i, (inputs, targets) in zip(bar, drawn, strict=False):
        weights, statistics, trace, loss = step(weights, statistics, trace, inputs, targets, rates[i])
        losses.append(loss)
        if i % 100 == 99 or i == config.steps - 1:
            if not np.isfinite(np.asarray(loss)):
                raise _diverged(losses, config)
            bar.set_postfix(loss=f"{float(loss):.4f}")
    losses = np.asarray(jax.device_get(losses), dtype=np.float64)
    if not np.isfinite(losses).all():
        raise _diverged(losses, config)
    return {"weights": weights, "statistics": statistics}, losses


def predict(
    model: Model, params: dict, x: Float[ArrayLike, "n ..."], batch_size: int = 1000
) -> Float[np.ndarray, "n C"]:
    """Outputs of the network, computed in batches.

    Args:
        model: The network.
        params: Its parameters.
        x: Inputs (n, ...).
        batch_size: Inputs at a time, at least 1.

    Returns:
        (n, C) in the model's precision.

    Raises:
        ValueError: When the inputs do not have the model's shape.

    Example:
        >>> import jax, ntkal
        >>> model = ntkal.models.mlp((1,), 3, width=8)
        >>> predict(model, model.init(jax.random.key(0)), np.zeros((5, 1))).shape
        (5, 3)
    """
    return in_batches(model.apply, params, x, batch_size)


def in_batches(
    function: Callable, params: dict, x: Float[ArrayLike, "n ..."], batch_size: int
) -> Float[np.ndarray, "n d"]:
    """Rows of a model's function, such as its outputs or features, computed in batches.

    Args:
        function: ``function(params, x) -> (n, d)``, one row an input.
        params: Its parameters.
        x: Inputs (n, ...).
        batch_size: Inputs at a time, at least 1.

    Returns:
        (n, d) in the function's precision.

    Raises:
        ValueError: When there is no input.

    Example:
        >>> import jax, ntkal
        >>> model = ntkal.models.mlp((1,), 3, width=8)
        >>> in_batches(model.features, model.init(jax.random.key(0)), np.zeros((5, 1)), 2).shape
        (5, 8)
    """
    batch_size = check_int("batch_size", batch_size, low=1)
    x = np.asarray(x)
    if x.ndim == 0 or len(x) == 0:
        raise ValueError(f"x: expected at least one input, got an array of shape {x.shape}.")
    # Batches of a few fixed sizes, filled up with copies of the last input: few compilations.
    size = min(batch_size, 1 << (len(x) - 1).bit_length())
    outputs = []
    for start in range(0, len(x), size):
        rows = np.minimum(np.arange(start, start + size), len(x) - 1)
        outputs.append(function(params, x[rows]))
    return np.concatenate([np.asarray(out) for out in outputs])[: len(x)]


def accuracy(
    model: Model,
    params: dict,
    x: Float[ArrayLike, "n ..."],
    y: Integer[ArrayLike, " n"],
    batch_size: int = 1000,
) -> float:
    """The fraction of inputs whose largest output is that of their label.

    Args:
        model: The network.
        params: Its parameters.
        x: Inputs (n, ...).
        y: Labels (n,).
        batch_size: Inputs at a time, at least 1.

    Returns:
        A number from 0 to 1.

    Raises:
        ValueError: When ``y`` is not a label for each input.

    Example:
        >>> import jax, ntkal
        >>> data = ntkal.load("moons")
        >>> model = ntkal.models.mlp((2,), 2, width=8)
        >>> 0 <= accuracy(model, model.init(jax.random.key(0)), data.x_test, data.y_test) <= 1
        True
    """
    y = np.asarray(y)
    if y.shape != np.shape(x)[:1]:
        raise ValueError(f"y: expected a label for each of the {np.shape(x)[0]} inputs, got shape {y.shape}.")
    return float(np.mean(predict(model, params, x, batch_size).argmax(axis=1) == y))


@functools.lru_cache(maxsize=32)
def _step(model: Model, momentum: float, nesterov: bool, weight_decay: float):
    """One compiled step; the learning rate is an argument, so that schedules share it."""
    optimiser = optax.chain(optax.add_decayed_weights(weight_decay), optax.trace(momentum, nesterov))

    def loss_of(weights, statistics, x, y):
        outputs, new = model.train_apply({"weights": weights, "statistics": statistics}, x)
        return 0.5 * jnp.mean(jnp.sum((outputs - y.astype(outputs.dtype)) ** 2, axis=1)), new["statistics"]

    def step(weights, statistics, trace, x, y, rate):
        (loss, statistics), grads = jax.value_and_grad(loss_of, has_aux=True)(weights, statistics, x, y)
        state = (optax.EmptyState(), optax.TraceState(trace))
        updates, (_, state) = optimiser.update(grads, state, weights)
        weights = jax.tree.map(lambda w, u: w - rate.astype(w.dtype) * u, weights, updates)
        return weights, statistics, state.trace, loss

    return jax.jit(step, donate_argnums=(0, 1, 2))


def _typed(key: jax.Array) -> jax.Array:
    return key if jnp.issubdtype(key.dtype, jax.dtypes.prng_key) else jax.random.wrap_key_data(key)


def _diverged(losses, config: TrainConfig) -> FloatingPointError:
    first = int(np.flatnonzero(~np.isfinite(np.asarray(losses)))[0])
    return FloatingPointError(
        f"The loss is no longer finite after {first} of {config.steps} steps: the learning rate "
        f"{config.learning_rate} is too large for this network. Try a third of it."
    )


def _check(model: Model, params: dict, x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(x), np.asarray(y)
    if x.ndim < 2 or len(x) == 0:
        raise ValueError(f"x: expected inputs of shape (n, ...), n at least 1, got {x.shape}.")
    if y.ndim != 2 or len(y) != len(x):
        raise ValueError(
            f"y: expected targets of shape ({len(x)}, C), got {y.shape}; "
            "ntkal.data.one_hot turns labels into targets."
        )
    for name, array in (("x", x), ("y", y)):
        if not np.isfinite(array).all():
            raise ValueError(
                f"{name}: {np.sum(~np.isfinite(array))} of {array.size} entries are NaN or infinite."
            )
    outputs = jax.eval_shape(model.apply, params, x[:1]).shape[1]
    if y.shape[1] != outputs:
        raise ValueError(
            f"y: expected {outputs} columns, one for each output of the model, got {y.shape[1]}."
        )
    return x, y
