"""LL4AL: a module that learns, beside the network, to rank inputs by the network's loss on them."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

from ntkal import training as train
from ntkal.inputs import ArrayLike, check_int
from ntkal.models import Model
from ntkal.training.batches import batches
from ntkal.training.sgd import TrainConfig


def fit(
    model: Model,
    params: dict,
    x: Float[ArrayLike, "n ..."],
    y: Float[ArrayLike, "n C"],
    config: TrainConfig,
    key: jax.Array,
    *,
    weight: float = 1.0,
    margin: float = 1.0,
    detach: float = 0.6,
    width: int = 128,
) -> tuple[dict, dict, Float[np.ndarray, "steps 2"]]:
    r"""Train a network and its loss-prediction module together.

    .. math:: \frac1{|B|} \sum_{i \in B} \ell_i + \lambda R(\hat\ell_B, \ell_B), \qquad
              \ell_i = \sum_c \tfrac12 (f_c(x_i) - y_{ic})^2

    with the ranking loss R of :func:`ranking_loss`. The module reads each of ``model.stages`` (averages over
    pixels of the hidden activations) through a dense layer of its own and a rectifier; one more dense layer
    maps all of them to the prediction :math:`\hat\ell_i`. That layer has no bias: R sees differences only, so
    a bias would never be learnt. Predictions rank inputs; they have no unit.

    R reaches the network through the stages, and so changes the classifier, during the first ``detach`` of
    the steps; after that only the module learns from it. With ``weight=0`` or ``detach=0`` the network is
    that of :func:`ntkal.training.fit` with the same key. The source's weight, 1, goes with a cross-entropy;
    beside the squared loss it can unsettle the classifier, the more the larger the learning rate. Runs of
    the strategy ``"ll4al"`` use a tenth (``RANKING`` in ``ntkal/learners.py``).

    Args:
        model: The network; it needs ``train_stages``.
        params: Where to start; left unchanged.
        x: Inputs (n, ...), n at least 2.
        y: Targets (n, C).
        config: Steps, batches, rates, augmentation, for network and module alike. In a batch of odd size the
            last input has no partner and counts in the squared loss only; a batch of one has no pairs.
        key: A JAX random key; it draws the module's initial weights, the batches and the augmentation.
        weight: Of the ranking loss, :math:`\lambda`, at least 0.
        margin: Of the ranking loss, positive.
        detach: The fraction of the steps, from 0 to 1, after which the ranking loss leaves the network alone.
        width: Units of each of the module's dense layers.

    Returns:
        The trained parameters; the module, a pytree for :func:`predict`; and of each step's batch, before the
        step, the squared loss and the ranking loss, float64 (steps, 2).

    Raises:
        ValueError: When shapes do not fit, entries are not finite, a number is out of range, batches have no
            pairs, or the network has no stages.
        FloatingPointError: When a loss becomes NaN or infinite; the message names the learning rate.

    Source:
        Yoo and Kweon (2019), section 3 and, for the defaults, section 4.1: the module's gradient is stopped
        after 120 of 200 epochs.

    Example:
        >>> import jax, ntkal
        >>> found = ntkal.load("moons")
        >>> x, y = found.x_train[:20], ntkal.data.one_hot(found.y_train[:20], 2)
        >>> model = ntkal.models.mlp((2,), 2, width=16)
        >>> config = TrainConfig(steps=30, learning_rate=0.05)
        >>> params, module, losses = fit(
        ...     model, model.init(jax.random.key(0)), x, y, config, jax.random.key(1), width=8)
        >>> losses.shape, predict(model, params, module, found.x_train[20:25]).shape
        ((30, 2), (5,))
    """
    x, y = train._check(model, params, x, y)
    config = config.sized(len(x))
    _check(len(x), config, weight, margin, detach)
    sizes, dtype = _stages(model, params, x[:1])
    key = train._typed(key)
    # The network's batches are those of train.fit; the module's draws come from a generator of their own.
    drawn = batches(x, y, config.batch_size, config.augmentation, _generator(key))
    module = _init(_generator(jax.random.fold_in(key, 1)), sizes, check_int("width", width, low=1), dtype)
    start = {"network": params["weights"], "module": module}, params["statistics"]
    weights, statistics = jax.tree.map(lambda leaf: jax.device_put(np.array(leaf)), start)
    trace = jax.tree.map(lambda leaf: jax.device_put(np.zeros_like(leaf)), weights)
    step = _step(model, float(config.momentum), bool(config.nesterov), float(config.weight_decay))
    rates = config.rates()
    losses = []
    for i, batch in zip(range(config.steps), drawn, strict=False):
        flow = float(i < detach * config.steps)
        weights, statistics, trace, both = step(
            weights, statistics, trace, *batch, rates[i], float(weight), float(margin), flow
        )
        losses.append(both)
        if i % 100 == 99 and not np.isfinite(np.asarray(both)).all():
            break
    losses = np.asarray(jax.device_get(losses), dtype=np.float64)
    if not np.isfinite(losses).all():
        raise train._diverged(losses.sum(axis=1), config)
    return {"weights": weights["network"], "statistics": statistics}, weights["module"], losses


def predict(
    model: Model, params: dict, module: dict, x: Float[ArrayLike, "n ..."], batch_size: int = 1000
) -> Float[np.ndarray, " n"]:
    """Return what the module predicts: the larger, the larger the network's loss should be.

    Args:
        model: The network.
        params: Its parameters.
        module: The module that :func:`fit` trained with it.
        x: Inputs (n, ...).
        batch_size: Inputs at a time, at least 1.

    Returns:
        (n,) in the model's precision; the scores of the strategy ``"ll4al"``.

    Raises:
        ValueError: When the inputs do not have the model's shape.

    Example:
        >>> import jax, ntkal
        >>> model = ntkal.models.mlp((1,), 3, width=8)
        >>> params = model.init(jax.random.key(0))
        >>> x, y = np.arange(6.0)[:, None] / 6, np.eye(3)[np.arange(6) % 3]
        >>> params, module, _ = fit(model, params, x, y, TrainConfig(steps=1), jax.random.key(1))
        >>> predict(model, params, module, x).shape
        (6,)
    """

    def column(params, x):
        return _compiled_head(module, model.stages(params, x))[:, None]

    return train.in_batches(column, params, x, batch_size)[:, 0]


def ranking_loss(
    predicted: Float[ArrayLike, " b"], true: Float[ArrayLike, " b"], margin: float | Float[Array, ""] = 1.0
) -> Float[Array, ""]:
    r"""Return the mean hinge by which pairs of predicted losses miss the order of the true ones.

    .. math:: R = \frac1{b'} \sum_{i \le b'} \max\big(0,\ \xi - s_i (\hat\ell_i - \hat\ell_{b'+i})\big),
              \qquad s_i = \begin{cases} 1 & \ell_i > \ell_{b'+i} \\ -1 & \text{otherwise} \end{cases}

    with :math:`b' = \lfloor b/2 \rfloor` pairs: the first half of the batch meets the second. If b is
    odd, the last entry has no partner. The true losses enter by their order alone, so that no gradient flows
    through them.

    Args:
        predicted: Predicted losses, shape (b,).
        true: True losses, shape (b,).
        margin: The distance :math:`\xi` that ends the push; it only sets the scale of the predictions.

    Returns:
        A number that is not negative; 0 when there is no pair.

    Source:
        Yoo and Kweon (2019), equation (2).

    Example:
        >>> float(ranking_loss(jnp.array([3.0, 0.0, 0.5, 0.0]), jnp.array([2.0, 1.0, 1.0, 2.0])))
        0.5
    """
    pairs = len(predicted) // 2
    sign = jnp.where(true[:pairs] > true[pairs : 2 * pairs], 1, -1).astype(predicted.dtype)
    missing = margin - sign * (predicted[:pairs] - predicted[pairs : 2 * pairs])
    return jnp.sum(jnp.maximum(missing, 0)) / max(pairs, 1)


def _head(module: dict, stages: tuple) -> Float[Array, " n"]:
    hidden = [
        jax.nn.relu(stage @ layer["kernel"] + layer["bias"][None])
        for layer, stage in zip(module["layers"], stages, strict=True)
    ]
    return (jnp.concatenate(hidden, axis=1) @ module["readout"])[:, 0]


_compiled_head = jax.jit(_head)


@functools.lru_cache(maxsize=32)
def _step(model: Model, momentum: float, nesterov: bool, weight_decay: float):
    """One compiled step; rate, weight, margin and the detachment are arguments, so that all share it."""
    # Their float64 is weak (Python numbers): the network keeps its own precision.
    optimiser = optax.chain(optax.add_decayed_weights(weight_decay), optax.trace(momentum, nesterov))

    def loss_of(weights, statistics, x, y, weight, margin, flow):
        params = {"weights": weights["network"], "statistics": statistics}
        outputs, stages, new = model.train_stages(params, x)
        each = 0.5 * jnp.sum((outputs - y.astype(outputs.dtype)) ** 2, axis=1)
        # The same numbers, but their gradient times `flow`.
        seen = jax.tree.map(lambda s: jax.lax.stop_gradient(s) * (1 - flow) + s * flow, stages)
        predicted = _head(weights["module"], seen)
        squared, ranking = jnp.mean(each), ranking_loss(predicted, each, margin)
        return squared + weight * ranking, (new["statistics"], jnp.stack([squared, ranking]))

    def step(weights, statistics, trace, x, y, rate, *options):
        (_, (statistics, both)), grads = jax.value_and_grad(loss_of, has_aux=True)(
            weights, statistics, x, y, *options
        )
        state = (optax.EmptyState(), optax.TraceState(trace))
        updates, (_, state) = optimiser.update(grads, state, weights)
        weights = jax.tree.map(lambda w, u: w - rate.astype(w.dtype) * u, weights, updates)
        return weights, statistics, state.trace, both

    return jax.jit(step, donate_argnums=(0, 1, 2))


def _generator(key: jax.Array) -> np.random.Generator:
    return np.random.default_rng(np.asarray(jax.random.key_data(key)).ravel().tolist())


def _init(rng: np.random.Generator, sizes: list[int], width: int, dtype) -> dict:
    """Uniform within one over the root of the fan-in, as published implementations have it."""

    def uniform(fan_in, *shape):
        return rng.uniform(-1, 1, shape).astype(dtype) / np.sqrt(fan_in).astype(dtype)

    layers = [{"kernel": uniform(d, d, width), "bias": uniform(d, width)} for d in sizes]
    return {"layers": layers, "readout": uniform(width * len(sizes), width * len(sizes), 1)}


def _stages(model: Model, params: dict, x: np.ndarray) -> tuple[list[int], np.dtype]:
    shapes = () if model.stages is None else jax.eval_shape(model.stages, params, x)
    if not shapes:
        raise ValueError(
            f"model: {model.name} has no stages for the module to read; take a network with hidden layers."
        )
    return [stage.shape[1] for stage in shapes], shapes[0].dtype


def _check(n: int, config: TrainConfig, weight: float, margin: float, detach: float) -> None:
    if min(n, config.batch_size) < 2:
        raise ValueError(
            f"batch_size: {config.batch_size} of {n} inputs make no pairs to rank; both must be at least 2."
        )
    if not (weight >= 0 and math.isfinite(weight)):
        raise ValueError(f"weight: expected a number that is not negative, got {weight}.")
    if not (margin > 0 and math.isfinite(margin)):
        raise ValueError(f"margin: expected a positive number, got {margin}.")
    if not 0 <= detach <= 1:
        raise ValueError(f"detach: expected a fraction from 0 to 1, got {detach}.")
