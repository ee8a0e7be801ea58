"""Training by the squared loss: SGD with Nesterov momentum, a one-cycle learning rate, augmentation.

A Python loop over one compiled step. On the CPU a convolution inside :func:`jax.lax.scan` takes a path that
is many times slower, and a step that is compiled once for a batch's shape serves every labelled set.
"""

import sys
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Float, Integer
from tqdm import tqdm

from ntkal.data import class_numbers
from ntkal.inputs import ArrayLike, as_inputs, as_labels, check_int
from ntkal.models import Model
from ntkal.training.augment import batches, generator
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
    r"""Train on the squared loss, starting from ``params``, on the device where they are.

    .. math:: \frac{1}{|B|} \sum_{i \in B} \sum_c \tfrac12 (f_c(x_i) - y_{ic})^2

    Args:
        model: The network.
        params: Where to start; left unchanged.
        x: Inputs (n, ...), n at least 1.
        y: Targets (n, C), one-hot rows for classification; booleans will do.
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
    x, y = check_problem(model, params, x, y)
    config = config.sized(len(x))
    drawn = batches(x, y, config.batch_size, config.augmentation, generator(key))
    start = params["weights"], params["statistics"]
    return descend(train_step(model, config), *start, drawn, config, progress=progress)


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
        ValueError: When the inputs do not have the model's shape, or outputs are not finite.

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
        ValueError: When there is no input, and when rows are not finite; the message says why.

    Example:
        >>> import jax, ntkal
        >>> model = ntkal.models.mlp((1,), 3, width=8)
        >>> in_batches(model.features, model.init(jax.random.key(0)), np.zeros((5, 1)), 2).shape
        (5, 8)
    """
    batch_size = check_int("batch_size", batch_size, low=1)
    x = np.asarray(as_inputs("x", x))
    # Batches of a few fixed sizes, filled up with copies of the last input: few compilations.
    size = min(batch_size, 1 << (len(x) - 1).bit_length())
    outputs = []
    for start in range(0, len(x), size):
        rows = np.minimum(np.arange(start, start + size), len(x) - 1)
        outputs.append(function(params, x[rows]))
    out = np.concatenate([np.asarray(part) for part in outputs])[: len(x)]
    if not np.isfinite(out).all():
        _check_finite(x=x, params=params)
        raise ValueError("x: these inputs are too large: outputs are NaN or infinite; scale them down.")
    return out


def accuracy(
    model: Model,
    params: dict,
    x: Float[ArrayLike, "n ..."],
    y: Integer[ArrayLike, " n"],
    batch_size: int = 1000,
) -> float:
    """The fraction of inputs whose largest output is that of their label.

    Args:
        model: The network, with at least two outputs.
        params: Its parameters.
        x: Inputs (n, ...).
        y: Labels (n,), whole numbers from 0 to C - 1.
        batch_size: Inputs at a time, at least 1.

    Raises:
        ValueError: When ``y`` is not a label for each input, and for a network with one output.

    Example:
        >>> import jax, ntkal
        >>> data = ntkal.load("moons")
        >>> model = ntkal.models.mlp((2,), 2, width=8)
        >>> 0 <= accuracy(model, model.init(jax.random.key(0)), data.x_test, data.y_test) <= 1
        True
    """
    outputs = predict(model, params, x, batch_size)
    n, C = outputs.shape
    if C == 1:
        raise ValueError("model: it has one output, which is always the largest; give it one for each class.")
    y = class_numbers("y", y, C)
    if len(y) != n:
        raise ValueError(f"y: expected a label for each of the {n} inputs, got shape {y.shape}.")
    return float(np.mean(outputs.argmax(axis=1) == y))


def squared_loss(model: Model) -> Callable:
    """The objective of :func:`fit`: ``(weights, statistics, x, y) -> loss, (new statistics, loss)``."""

    def objective(weights, statistics, x, y):
        outputs, new = model.train_apply({"weights": weights, "statistics": statistics}, x)
        loss = 0.5 * jnp.mean(jnp.sum((outputs - y.astype(outputs.dtype)) ** 2, axis=1))
        return loss, (new["statistics"], loss)

    return objective


def train_step(model: Model, config: TrainConfig, objective: Callable = squared_loss) -> Callable:
    """One compiled step of SGD, the only one in the package.

    ``step(weights, statistics, trace, x, y, rate, *more) -> (weights, statistics, trace, losses)``; the first
    three are overwritten in place. The trace of momentum, at first zero, has the shapes of the weights. The
    learning rate is an argument, so that all schedules share a step; steps are kept with their model.

    Args:
        model: The network.
        config: Of which momentum and weight decay count here.
        objective: ``objective(model)`` returns a function of the weights, the statistics, a batch and what
            ``more`` holds; its value is ``loss, (new statistics, losses to report)``.

    Example:
        >>> import ntkal
        >>> model = ntkal.models.mlp((1,), 3, width=8)
        >>> train_step(model, TrainConfig(steps=9)) is train_step(model, TrainConfig(learning_rate=1.0))
        True
    """
    kept = vars(model).setdefault("compiled_steps", {})
    asked = objective, config.momentum, config.nesterov, config.weight_decay
    if asked not in kept:
        decay = optax.add_decayed_weights(config.weight_decay)
        optimiser = optax.chain(decay, optax.trace(config.momentum, config.nesterov))
        slope = jax.value_and_grad(objective(model), has_aux=True)

        def step(weights, statistics, trace, x, y, rate, *more):
            (_, (statistics, losses)), gradient = slope(weights, statistics, x, y, *more)
            state = optax.EmptyState(), optax.TraceState(trace)
            updates, (_, state) = optimiser.update(gradient, state, weights)
            # In each leaf's own precision, which optax.scale would leave for the rate's.
            weights = jax.tree.map(lambda w, u: w - rate.astype(w.dtype) * u, weights, updates)
            return weights, statistics, state.trace, losses

        kept[asked] = jax.jit(step, donate_argnums=(0, 1, 2))
    return kept[asked]


def descend(
    step: Callable,
    weights: Any,
    statistics: Any,
    drawn: Iterable,
    config: TrainConfig,
    more: Callable[[int], tuple] = lambda i: (),
    progress: bool = False,
) -> tuple[dict, Float[np.ndarray, "steps ..."]]:
    """Take all steps of ``config`` from copies of weights and statistics; return parameters and losses.

    Args:
        step: From :func:`train_step`.
        weights: Where to start, any pytree.
        statistics: As the weights.
        drawn: Batches, from :func:`ntkal.training.batches`.
        config: Steps and rates.
        more: Further arguments of step i.
        progress: Show a text bar on standard error.

    Raises:
        FloatingPointError: When a loss becomes NaN or infinite.
    """
    trace, weights, statistics = _copies(weights, zero=True), _copies(weights), _copies(statistics)
    losses = []
    bar = tqdm(config.rates(), desc="training", disable=not progress, file=sys.stderr, leave=False)
    for i, (rate, (x, y)) in enumerate(zip(bar, drawn, strict=False)):
        weights, statistics, trace, said = step(weights, statistics, trace, x, y, rate, *more(i))
        losses.append(said)
        if i % 100 == 99 or i == config.steps - 1:
            total = float(np.sum(np.asarray(said, np.float64)))
            if not np.isfinite(total):
                break
            bar.set_postfix(loss=f"{total:.4f}")
    losses = np.asarray(jax.device_get(losses), dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(losses.reshape(len(losses), -1)).all(axis=1))
    if bad.size:
        why = f"the learning rate {config.learning_rate} is too large for this network. Try a third of it"
        if bad[0] == 0:
            why = "inputs, targets or start parameters are too large for the network's precision. Scale them"
        raise FloatingPointError(
            f"The loss is no longer finite after {bad[0]} of {config.steps} steps: {why}."
        )
    return {"weights": weights, "statistics": statistics}, losses


def check_problem(
    model: Model, params: dict, x: ArrayLike, y: ArrayLike
) -> tuple[Float[np.ndarray, "n ..."], Float[np.ndarray, "n C"]]:
    """Inputs and targets as arrays, once they suit one another, the model and its parameters."""
    x = np.asarray(as_inputs("x", x))
    if not (isinstance(params, dict) and {"weights", "statistics"} <= params.keys()):
        raise ValueError(f"params: expected what {model.name}.init(key) gives, weights and statistics.")
    n, C = len(x), jax.eval_shape(model.apply, params, x[:1]).shape[1]
    if C == 1 and np.shape(y) == (n,):
        raise ValueError(f"y: expected targets of shape ({n}, 1), got ({n},); give y[:, None].")
    y = np.asarray(as_labels("y", y, (n, C)))
    _check_finite(x=x, params=params)
    return x, y


def _check_finite(**trees) -> None:
    for name, tree in trees.items():
        leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]
        bad, size = sum(int(np.sum(~np.isfinite(leaf))) for leaf in leaves), sum(leaf.size for leaf in leaves)
        if bad:
            why = "; take fresh ones from model.init(key)" if name == "params" else ""
            raise ValueError(f"{name}: {bad} of {size} entries are NaN or infinite{why}.")


def _copies(tree, zero: bool = False):
    """Copies where the originals are, since steps overwrite their arguments; or as many zeros."""

    def copy(leaf):
        where = leaf.sharding if isinstance(leaf, jax.Array) and leaf.committed else None
        return jax.device_put(np.zeros_like(leaf) if zero else np.array(leaf), where)

    return jax.tree.map(copy, tree)
