"""Naive look-ahead: train the network again for each candidate, with SGD on the labelled set and it."""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend import core
from jaxtyping import Array, Float

from ntkal import training
from ntkal.experiments.rivals import situation as base
from ntkal.experiments.rivals.situation import Rival, Situation
from ntkal.training.settings import TrainConfig

EPOCHS = 15
RATE = 0.1
"""Learning rate of retraining, as a fraction of the run's peak. The whole peak, which a schedule only passes
through, undid the training of the networks that this was tried on; at a tenth they kept their accuracy."""
ROWS = 256
"""Pool inputs whose outputs are computed at once."""


@dataclass(frozen=True)
class Retraining:
    """What each retraining starts from, and how it goes; each candidate's most likely label vector (m, C)."""

    situation: Situation
    config: TrainConfig
    label: Float[Array, "m C"]


def prepare(situation: Situation) -> Retraining:
    """Return how to retrain; once for all candidates nothing but their most likely labels is computed.

    The steps are those of :func:`ntkal.training.fit` from the trained parameters, with the run's batch size,
    momentum, weight decay and augmentation, at a constant rate. Without the augmentation that the network was
    trained with, retraining moves the outputs more than the candidate does. The order of the inputs and the
    augmentation come from the key and are the same for every candidate, which stands last in the labelled
    set: scores differ by the candidates alone, not by the noise of their batches.

    Source:
        Mohamadi, Bae and Sutherland (2022), section 4: 15 epochs for each candidate.

    Example:
        >>> from ntkal import models
        >>> key, x, model = jax.random.key(0), np.eye(2), models.mlp((2,), 2, width=4)
        >>> state = prepare(Situation(model, model.init(key), x, x, x, x, x, key=key))
        >>> state.config.steps, [outputs.shape for _, outputs in after(state, 2)]
        (15, [(2, 2, 2)])
    """
    if situation.key is None:
        raise ValueError("key: retraining draws batches; pass a JAX random key, such as jax.random.key(0).")
    run, rate = situation.train, RATE * situation.train.learning_rate
    config = dataclasses.replace(run, epochs=EPOCHS, schedule="constant", learning_rate=rate)
    return Retraining(situation, config.sized(len(situation.x_l) + 1), base.likely(situation.f_p))


def after(state: Retraining, block: int | None = None) -> Iterator[tuple[np.ndarray, Float[Array, "b m C"]]]:
    """Yield the pool's outputs after retraining with each candidate, as a rival does: one step for a block.

    A vmapped convolution with weights for each candidate is a grouped convolution, which runs well on a GPU
    and badly on a CPU; there ``block=None`` takes images one by one, with the same compiled step, and
    elsewhere as many candidates as ``base.MEMORY`` holds.
    """
    case = state.situation
    apply, x, m = _of_several(case.model.apply, (0, None)), jnp.asarray(case.x_p), len(case.x_p)
    size = min(ROWS, m)
    for at in base.spans(m, block or choose_block(state)):
        params = _train(state, at)
        # The last rows are filled up with copies of the last input, so that one program is compiled.
        rows = (np.minimum(np.arange(start, start + size), m - 1) for start in range(0, m, size))
        yield at, jnp.concatenate([apply(params, x[some]) for some in rows], axis=1)[:, :m]


def choose_block(state: Retraining) -> int:
    """Return how many candidates to train at once: one image at a time on a CPU, else what memory holds.

    Each candidate is reckoned with all that one step computes, as if nothing were ever freed.
    """
    case, m = state.situation, len(state.situation.x_p)
    if np.ndim(case.x_p) == 4 and jax.default_backend() == "cpu":
        return 1
    x, y = (rows[: state.config.batch_size] for rows in (case.x_l, case.y_l))
    weights, step = case.params["weights"], jax.make_jaxpr(training.train_step(case.model, state.config))
    step = step(weights, case.params["statistics"], weights, x, y, np.float64(0.1)).jaxpr
    each = _bytes(step) * max(1.0, min(ROWS, m) / len(x)) + 8 * np.size(case.f_p)
    return int(max(1, min(m, base.MEMORY // each)))


def _bytes(jaxpr: core.Jaxpr) -> int:
    """Bytes of all that a program computes, programs within it included."""
    inner = [p.jaxpr for e in jaxpr.eqns for p in e.params.values() if isinstance(p, core.ClosedJaxpr)]
    computed = (out.aval for e in jaxpr.eqns for out in e.outvars)
    return sum(a.size * a.dtype.itemsize for a in computed) + sum(map(_bytes, inner))


def _train(state: Retraining, at: np.ndarray) -> dict:
    """Parameters, stacked, of the networks trained with each of the candidates."""
    case, config = state.situation, state.config
    streams = []
    for c in at.tolist():  # all from one seed: the same order and augmentation as in training.fit
        x = np.concatenate([case.x_l, case.x_p[c : c + 1]])
        y = np.concatenate([case.y_l, state.label[c : c + 1]])
        rng = training.generator(case.key)
        streams.append(training.batches(x, y, config.batch_size, config.augmentation, rng))
    params = jax.tree.map(lambda leaf: jnp.repeat(jnp.asarray(leaf)[None], len(at), axis=0), case.params)
    weights, statistics = params["weights"], params["statistics"]
    trace = jax.tree.map(jnp.zeros_like, weights)
    step = _of_several(training.train_step(case.model, config), (0, 0, 0, 0, 0, None), (0, 1, 2))
    for rate in config.rates():
        x, y = (np.stack(parts) for parts in zip(*map(next, streams), strict=True))
        weights, statistics, trace, _ = step(weights, statistics, trace, x, y, rate)
    return {"weights": weights, "statistics": statistics}


@functools.lru_cache(maxsize=4)
def _of_several(function: Callable, axes: tuple, donated: tuple[int, ...] = ()) -> Callable:
    """A function of one network's parameters for several networks at once."""
    return jax.jit(jax.vmap(function, axes), donate_argnums=donated)


RETRAIN = Rival("retrain", prepare, before=lambda state: state.situation.f_p, after=after)
RETRAIN_CENTRED = dataclasses.replace(RETRAIN, name="retrain_centred", centred=True)
