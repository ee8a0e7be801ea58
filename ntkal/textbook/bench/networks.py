"""Empirical kernels, whole queries and retraining of networks beside their peers."""

import math
from collections.abc import Sequence
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
LABELLED, PICKS, RANK = 100, 20, 256
Y = np.eye(10)[np.arange(LABELLED) % 10]
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

    model, params, x = network(name, n, *NETWORKS[name])
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
    model, params, x = network("cnn", LABELLED + m)

    def exact():
        return jax.lax.top_k(mlmoc(_exact(model, params, x, *_outputs(model, params, x))), PICKS)[1]

    def sketched():
        phi = gradient_sketch(model.apply, params, x, rank=RANK, key=jax.random.key(1), logit="sum")
        ridge = 1e-2 * float((phi[:LABELLED] ** 2).sum(1).mean())
        halves = phi[:LABELLED], phi[LABELLED:]
        post = FactorLookahead.fit(*halves, *_outputs(model, params, x), Y, ridge=ridge, dtype="float32")
        return jax.lax.top_k(mlmoc(post), PICKS)[1]

    def by_badge():
        features = train.in_batches(model.features, params, x[LABELLED:], batch_size=1000)
        f_p = train.predict(model, params, x[LABELLED:]).astype(np.float64)
        return badge(probabilities(f_p), features, PICKS, np.random.default_rng(0))

    made = []
    for how, ours, needed in (
        ("exact", exact, 1 / 10),
        (f"{RANK} random features", sketched, 1 / 3),
    ):
        what = f"a query of {PICKS} of {m} by look-ahead, cnn, {how}"
        made += rows(what, ours, Peer("BADGE", by_badge, needed))
    return made


def retraining(m: int) -> list[dict[str, Any]]:
    """Compare the look-ahead of a pool in closed form with 15 epochs of SGD for each candidate.

    Example:
        >>> retraining(4)[0]["needed"]
        100
    """
    model, params, x = network("cnn", LABELLED + m, (8, 8, 1))
    f_l, f_p = _outputs(model, params, x)
    inputs = x[:LABELLED], Y, x[LABELLED:]
    state, count = prepare(Situation(model, params, *inputs, f_l, f_p, key=jax.random.key(1))), min(3, m)

    def theirs():
        return [outputs for _, outputs in islice(after(state, block=1), count)]

    peer = f"15 epochs of SGD for each, {count} candidates scaled to {m}"
    what = f"look-ahead over a pool of {m}, kernels included, cnn"
    return rows(what, lambda: mlmoc(_exact(model, params, x, f_l, f_p)), Peer(peer, theirs, 100, m / count))


def network(name: str, n: int, shape: Sequence[int] = (28, 28, 1), width: int = 32) -> tuple:
    """Return a network, its parameters, and random inputs.

    Example:
        >>> network("mlp", 3)[2].shape
        (3, 28, 28, 1)
    """
    model = models.get(name, input_shape=tuple(shape), classes=10, width=width)
    x = jnp.asarray(np.random.default_rng(0).random((n, *shape)), jnp.float32)
    return model, model.init(jax.random.key(0)), x


def _outputs(model: Model, params: Any, x: jax.Array) -> list[np.ndarray]:
    return [train.predict(model, params, some) for some in (x[:LABELLED], x[LABELLED:])]


def _exact(model: Model, params: Any, x: jax.Array, f_l: np.ndarray, f_p: np.ndarray) -> Lookahead:
    blocks = split_ntk(model.apply, params, x[:LABELLED], x[LABELLED:], logit="sum")
    ridge = 1e-2 * float(jnp.diag(blocks[0]).mean())
    return Lookahead.fit(*blocks, f_l, f_p, Y, ridge=ridge)
