"""Empirical kernels, whole queries and retraining of networks beside their peers."""

import math
from itertools import islice
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ntkal import models
from ntkal import training as train
from ntkal.acquisition import badge, mlmoc, probabilities
from ntkal.experiments.rivals import Situation
from ntkal.experiments.rivals.retrain import after, prepare
from ntkal.kernels import empirical_ntk, gradient_sketch, split_ntk
from ntkal.kernels.gradients import held
from ntkal.kernels.network import trace_network
from ntkal.lookahead import FactorLookahead, Lookahead
from ntkal.models import Model
from ntkal.textbook.bench.timing import Peer, rows

NETWORKS = {
    "mlp": ((28, 28, 1), 128),
    "cnn": ((28, 28, 1), 32),
    "wide_resnet": ((8, 8, 1), 64),
    "resnet18": ((8, 8, 1), 64),
}
"""Shape of an input and width, such that the peers take less than two minutes."""
FEW = 64
"""Inputs that NTK-vector products are timed on; their seconds are scaled with the number of pairs."""
CANDIDATES = 3
"""Candidates that retraining is timed on; its seconds are scaled to the pool."""
LABELLED, PICKS, RANK = 100, 20, 256
SMALLEST = 4 * PICKS
"""The least number of inputs: a pool of a quarter, of which as many are asked for."""


def kernel(name: str, n: int) -> list[dict[str, Any]]:
    """Compare the kernel of one logit with two implementations of neural-tangents 0.6.5.

    ``memory`` and ``peer_memory`` are the bytes of the gradients that are held.

    Example:
        >>> kernel("mlp", 5)[0]["difference"] < 1e-5
        True
    """
    from ntkal.kernels.neural_tangents import nt

    model, params, x = _network(name, n)
    few = min(n, FEW)

    def logit(p, x):
        return model.apply(p, x)[:, :1]

    def peer(how, implementation, count, memory=math.nan):
        theirs = nt.empirical_ntk_fn(logit, trace_axes=(), vmap_axes=0, implementation=implementation)
        task = jax.jit(theirs, static_argnums=1)
        scale = (n / count) ** 2
        return Peer(how, lambda: task(x[:count], None, params).reshape(count, -1), 1.5, scale, 1e-5, memory)

    parameters = sum(leaf.size for leaf in jax.tree.leaves(params))
    scaled = f"neural-tangents, NTK-vector products, {few} inputs scaled by their square"
    return rows(
        f"one-logit kernel of {n} inputs, {name}",
        lambda: empirical_ntk(model.apply, params, x),
        peer("neural-tangents, Jacobian contraction", 1, n, 4 * n * parameters),
        peer(scaled, 2, few),
        memory=n * sum(held(trace_network(model.apply, params, x=x))[0].values()),
    )


def query(m: int) -> list[dict[str, Any]]:
    """Compare whole queries by look-ahead with one by BADGE, all from a trained network to their picks.

    Queries choose other points than their peers, so their ``difference`` is NaN.

    Example:
        >>> [(made["ratio"] > 0, made["difference"]) for made in query(80)]
        [(True, nan), (True, nan)]
    """
    model, params, x = _network("cnn", LABELLED + m)
    x_l, x_p = x[:LABELLED], x[LABELLED:]
    y = np.eye(10)[np.arange(LABELLED) % 10]

    def outputs():
        return train.predict(model, params, x_l), train.predict(model, params, x_p)

    def exact():
        blocks = split_ntk(model.apply, params, x_l, x_p, logit="sum")
        ridge = 1e-2 * float(jnp.diag(blocks[0]).mean())
        return jax.lax.top_k(mlmoc(Lookahead.fit(*blocks, *outputs(), y, ridge=ridge)), PICKS)[1]

    def sketched():
        phi = gradient_sketch(model.apply, params, x, rank=RANK, key=jax.random.key(1), logit="sum")
        ridge = 1e-2 * float((phi[:LABELLED] ** 2).sum(1).mean())
        halves = phi[:LABELLED], phi[LABELLED:]
        post = FactorLookahead.fit(*halves, *outputs(), y, ridge=ridge, dtype="float32")
        return jax.lax.top_k(mlmoc(post), PICKS)[1]

    def by_badge():
        features = train.in_batches(model.features, params, x_p, batch_size=1000)
        f_p = train.predict(model, params, x_p).astype(np.float64)
        return badge(probabilities(f_p), features, PICKS, np.random.default_rng(0))

    what = f"a query of {PICKS} of {m} by look-ahead, cnn, {{}}"
    whole = rows(what.format("exact"), exact, Peer("BADGE", by_badge, 1 / 10))
    return [*whole, *rows(what.format(f"{RANK} random features"), sketched, Peer("BADGE", by_badge, 1 / 3))]


def retraining(m: int) -> list[dict[str, Any]]:
    """Compare the look-ahead of a pool in closed form with 15 epochs of SGD for each candidate.

    Example:
        >>> retraining(4)[0]["needed"]
        100.0
    """
    model = models.cnn((8, 8, 1), 10)
    params, x = model.init(jax.random.key(0)), _inputs((8, 8, 1), LABELLED + m)
    x_l, x_p = x[:LABELLED], x[LABELLED:]
    y = np.eye(10)[np.arange(LABELLED) % 10]
    f_l, f_p = (train.predict(model, params, some) for some in (x_l, x_p))

    def ours():
        blocks = split_ntk(model.apply, params, x_l, x_p, logit="sum")
        ridge = 1e-2 * float(jnp.diag(blocks[0]).mean())
        return mlmoc(Lookahead.fit(*blocks, f_l, f_p, y, ridge=ridge))

    state = prepare(Situation(model, params, x_l, y, x_p, f_l, f_p, key=jax.random.key(1)))
    count = min(CANDIDATES, m)

    def theirs():
        return [outputs for _, outputs in islice(after(state, block=1), count)]

    peer = f"15 epochs of SGD for each, {count} candidates scaled to {m}"
    what = f"look-ahead over a pool of {m}, kernels included, cnn"
    return rows(what, ours, Peer(peer, theirs, 100, m / count))


def _network(name: str, n: int) -> tuple[Model, Any, jax.Array]:
    shape, width = NETWORKS[name]
    model = models.get(name, input_shape=shape, classes=10, width=width)
    return model, model.init(jax.random.key(0)), _inputs(shape, n)


def _inputs(shape: tuple[int, ...], n: int) -> jax.Array:
    return jnp.asarray(np.random.default_rng(0).random((n, *shape)), jnp.float32)
