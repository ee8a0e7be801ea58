"""LL4AL: a module that learns, beside the network, to rank inputs by the network's loss on them."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ntkal.inputs import ArrayLike, check_int, check_number
from ntkal.models import Model
from ntkal.models.model import random_key
from ntkal.training.augment import batches, generator
from ntkal.training.settings import TrainConfig
from ntkal.training.sgd import check_problem, descend, in_batches, train_step


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
    beside the squared loss it can unsettle the classifier: runs of the strategy ``"ll4al"`` use a tenth.

    Args:
        model: The network; it needs ``train_stages``.
        params: As in :func:`ntkal.training.fit`.
        x: Inputs (n, ...), n at least 2.
        y: Targets (n, C).
        config: For network and module alike. In a batch of odd size the last input has no partner and counts
            in the squared loss only.
        key: A JAX random key; it draws the module's initial weights, the batches and the augmentation.
        weight: Of the ranking loss, :math:`\lambda`, at least 0.
        margin: Of the ranking loss, positive.
        detach: The fraction of the steps, from 0 to 1, after which the ranking loss leaves the network alone.
        width: Units of each of the module's dense layers.

    Returns:
        The trained parameters; the module, a pytree for :func:`predict`; and of each step's batch, before the
        step, the squared loss and the ranking loss, float64 (steps, 2).

    Raises:
        ValueError: As :func:`ntkal.training.fit`, and when batches have no pairs or the network no stages.
        FloatingPointError: As there.

    Source:
        Yoo and Kweon (2019), section 3 and, for the defaults, section 4.1.

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
    x, y = check_problem(model, params, x, y)
    config = config.sized(len(x))
    weight, detach = check_number("weight", weight, low=0), check_number("detach", detach, low=0, high=1)
    margin, width = check_number("margin", margin, low=0), check_int("width", width, low=1)
    if margin == 0:
        raise ValueError(f"margin: expected a positive number, got {margin}.")
    if min(len(x), config.batch_size) < 2:
        raise ValueError(f"batch_size: {config.batch_size} of {len(x)} inputs make no pairs; at least 2 do.")
    # The network's batches are those of ntkal.training.fit; the module's draws come from another generator.
    drawn = batches(x, y, config.batch_size, config.augmentation, generator(key))
    module = _init(model, params, x[:1], generator(jax.random.fold_in(random_key(key), 1)), width)
    params, losses = descend(
        train_step(model, config, ranked_loss),
        {"network": params["weights"], "module": module},
        params["statistics"],
        drawn,
        config,
        lambda i: (weight, margin, float(i < detach * config.steps)),
    )
    network, module = params["weights"]["network"], params["weights"]["module"]
    return {"weights": network, "statistics": params["statistics"]}, module, losses


def predict(
    model: Model, params: dict, module: dict, x: Float[ArrayLike, "n ..."], batch_size: int = 1000
) -> Float[np.ndarray, " n"]:
    """Return what the module predicts: the larger, the larger the network's loss should be.

    Args:
        model: The network.
        params: Its parameters.
        module: The module that :func:`fit` trained with it; the example is there.
        x: Inputs (n, ...).
        batch_size: Inputs at a time, at least 1.

    Returns:
        (n,) in the model's precision; the scores of the strategy ``"ll4al"``.

    Raises:
        ValueError: When the inputs do not have the model's shape.

    Example:
        >>> import ntkal
        >>> linear = ntkal.models.mlp((1,), 3, width=1, depth=1)
        >>> params = linear.init(jax.random.key(0))
        >>> module = {"layers": [{"kernel": np.ones((1, 1)), "bias": np.ones(1)}], "readout": np.ones((1, 1))}
        >>> predict(linear, params, module, np.zeros((4, 1))).tolist()
        [1.0, 1.0, 1.0, 1.0]
    """

    def column(params, x):
        return _compiled_head(module, model.stages(params, x))[:, None]

    return in_batches(column, params, x, batch_size)[:, 0]


def ranking_loss(
    predicted: Float[ArrayLike, " b"], true: Float[ArrayLike, " b"], margin: float | Float[Array, ""] = 1.0
) -> Float[Array, ""]:
    r"""Return the mean hinge by which pairs of predicted losses miss the order of the true ones.

    .. math:: R = \frac1{b'} \sum_{i \le b'} \max\big(0,\ \xi - s_i (\hat\ell_i - \hat\ell_{b'+i})\big),
              \qquad s_i = \begin{cases} 1 & \ell_i > \ell_{b'+i} \\ -1 & \text{otherwise} \end{cases}

    with :math:`b' = \lfloor b/2 \rfloor` pairs: the first half of the batch meets the second. The true
    losses enter by their order alone, so that no gradient flows through them.

    Args:
        predicted: Predicted losses, shape (b,).
        true: True losses, shape (b,).
        margin: The distance :math:`\xi` that ends the push; it only sets the scale of the predictions.

    Returns:
        A number that is not negative; 0 when there is no pair.

    Raises:
        ValueError: When the shapes differ, or are no vectors.

    Source:
        Yoo and Kweon (2019), equation (2).

    Example:
        >>> float(ranking_loss(jnp.array([3.0, 0.0, 0.5, 0.0]), jnp.array([2.0, 1.0, 1.0, 2.0])))
        0.5
    """
    predicted, true = jnp.asarray(predicted), jnp.asarray(true)
    if predicted.ndim != 1 or true.shape != predicted.shape:
        raise ValueError(f"true: expected losses of one shape (b,), got {true.shape} and {predicted.shape}.")
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


def ranked_loss(model: Model) -> Callable:
    """The objective of :func:`fit`, for :func:`ntkal.training.train_step`."""

    def objective(weights, statistics, x, y, weight, margin, flow):
        params = {"weights": weights["network"], "statistics": statistics}
        outputs, stages, new = model.train_stages(params, x)
        each = 0.5 * jnp.sum((outputs - y.astype(outputs.dtype)) ** 2, axis=1)
        # The same numbers, but their gradient times `flow`.
        seen = jax.tree.map(lambda s: jax.lax.stop_gradient(s) * (1 - flow) + s * flow, stages)
        predicted = _head(weights["module"], seen)
        squared, ranking = jnp.mean(each), ranking_loss(predicted, each, margin)
        return squared + weight * ranking, (new["statistics"], jnp.stack([squared, ranking]))

    return objective


def _init(model: Model, params: dict, x: np.ndarray, rng: np.random.Generator, width: int) -> dict:
    """The module's weights: uniform within one over the root of the fan-in, as published ones have it."""
    stages = () if model.stages is None else jax.eval_shape(model.stages, params, x)
    if not stages:
        raise ValueError(
            f"model: {model.name} has no stages for the module to read; take a network with hidden layers."
        )
    dtype = stages[0].dtype

    def uniform(fan_in, *shape):
        return rng.uniform(-1, 1, shape).astype(dtype) / np.sqrt(fan_in).astype(dtype)

    layers = [
        {"kernel": uniform(d, d, width), "bias": uniform(d, width)} for d in (s.shape[1] for s in stages)
    ]
    return {"layers": layers, "readout": uniform(width * len(stages), width * len(stages), 1)}
