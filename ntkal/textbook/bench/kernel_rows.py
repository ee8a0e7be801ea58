"""Empirical kernels and whole queries beside their peers: rows of ``python -m ntkal bench``."""

import math
from collections.abc import Callable
from itertools import islice
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ntkal import models
from ntkal import training as train
from ntkal.acquisition import badge, mlmoc, probabilities
from ntkal.acquisition.registry import best as best_scores
from ntkal.experiments.rivals import Situation
from ntkal.experiments.rivals.retrain import after, prepare
from ntkal.inputs import check_int
from ntkal.kernels import gradients as gram
from ntkal.kernels.empirical import empirical_ntk, split_ntk
from ntkal.kernels.sketch import gradient_sketch
from ntkal.lookahead.dense import Lookahead
from ntkal.lookahead.factors import FactorLookahead
from ntkal.models import Model
from ntkal.textbook.bench.timing import best, gap, row

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


def rows(size: int = 2000) -> list[dict[str, Any]]:
    """Time one-logit kernels of ``size`` inputs, queries of a pool of twice as many and one of a quarter.

    Args:
        size: Number of inputs, at least 80.

    Returns:
        Rows as those of :func:`ntkal.textbook.bench.run`; ``memory`` and ``peer_memory`` are the bytes of the
        gradients that are held. Queries choose other points than their peers, so their ``difference`` is NaN.

    Raises:
        ValueError: When the size is out of range.

    Example:
        >>> len(NETWORKS) * 2 + 3  # two implementations for each network, two queries, one retraining
        11
    """
    check_int("inputs", size, low=SMALLEST)
    made = [made for name in NETWORKS for made in kernel_rows(name, size)]
    return [*made, *query_rows(2 * size), retraining_row(size // 4)]


def kernel_rows(name: str, n: int) -> list[dict[str, Any]]:
    """Compare the kernel of one logit with two implementations of neural-tangents 0.6.5.

    Example:
        >>> kernel_rows("mlp", 5)[0]["difference"] < 1e-5
        True
    """
    model, params, x = _network(name, n)
    few, by_jacobians, by_products = min(n, FEW), _peer(model, 1), _peer(model, 2)
    (ours, first, second), (kernel, *wanted) = best(
        [
            lambda: empirical_ntk(model.apply, params, x),
            lambda: by_jacobians(x, None, params),
            lambda: by_products(x[:few], None, params),
        ]
    )
    sizes, _, _ = gram.held(model.apply, params, x[:1])
    parameters = sum(leaf.size for leaf in jax.tree.leaves(params))
    scaled = f"NTK-vector products, {few} inputs scaled by their square"
    return [
        row(
            f"one-logit kernel of {n} inputs, {name}",
            ours,
            f"neural-tangents, {peer}",
            seconds * (n / len(want)) ** 2,
            needed=1.5,
            difference=gap(kernel[: len(want), : len(want)], np.asarray(want).reshape(len(want), -1)),
            difference_at_most=1e-5,
            memory=n * sum(sizes.values()),
            peer_memory=4 * n * parameters if want is wanted[0] else math.nan,
        )
        for peer, seconds, want in zip(("Jacobian contraction", scaled), (first, second), wanted, strict=True)
    ]


def _peer(model: Model, implementation: int) -> Callable:
    """The kernel of the first logit by neural-tangents, compiled."""
    from ntkal.kernels.neural_tangents import nt

    kernel_fn = nt.empirical_ntk_fn(
        lambda p, x: model.apply(p, x)[:, :1], trace_axes=(), vmap_axes=0, implementation=implementation
    )
    return jax.jit(kernel_fn, static_argnums=1)


def query_rows(m: int) -> list[dict[str, Any]]:
    """Compare whole queries by look-ahead with one by BADGE, all from a trained network to their picks.

    Example:
        >>> [made["needed"] for made in query_rows(80)]
        [0.1, 0.3333333333333333]
    """
    model, params, x = _network("cnn", LABELLED + m)
    x_l, x_p = x[:LABELLED], x[LABELLED:]
    y = np.eye(10)[np.arange(LABELLED) % 10]

    def outputs():
        return train.predict(model, params, x_l), train.predict(model, params, x_p)

    def exact():
        f_l, f_p = outputs()
        blocks = split_ntk(model.apply, params, x_l, x_p, logit="sum")
        ridge = 1e-2 * float(jnp.diag(blocks[0]).mean())
        return best_scores(mlmoc(Lookahead.fit(*blocks, f_l, f_p, y, ridge=ridge)), PICKS)

    def sketched():
        f_l, f_p = outputs()
        phi = gradient_sketch(model.apply, params, x, rank=RANK, key=jax.random.key(1), logit="sum")
        ridge = 1e-2 * float((phi[:LABELLED] ** 2).sum(1).mean())
        post = FactorLookahead.fit(phi[:LABELLED], phi[LABELLED:], f_l, f_p, y, ridge=ridge, dtype="float32")
        return best_scores(mlmoc(post), PICKS)

    def by_badge():
        features = train.in_batches(model.features, params, x_p, batch_size=1000)
        f_p = train.predict(model, params, x_p).astype(np.float64)
        return badge(probabilities(f_p), features, PICKS, np.random.default_rng(0))

    (whole, random, theirs), _ = best([exact, sketched, by_badge])
    what = f"a query of {PICKS} of {m} by look-ahead, cnn, {{}}"
    return [
        row(what.format("exact"), whole, "BADGE", theirs, needed=1 / 10),
        row(what.format(f"{RANK} random features"), random, "BADGE", theirs, needed=1 / 3),
    ]


def retraining_row(m: int) -> dict[str, Any]:
    """Compare the look-ahead of a pool in closed form with 15 epochs of SGD for each candidate.

    Example:
        >>> retraining_row(4)["needed"]
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
    (seconds, theirs), _ = best([ours, lambda: [out for _, out in islice(after(state, block=1), count)]])
    peer = f"15 epochs of SGD for each, {count} candidates scaled to {m}"
    what = f"look-ahead over a pool of {m}, kernels included, cnn"
    return row(what, seconds, peer, theirs * m / count, needed=100)


def _network(name: str, n: int) -> tuple[Model, Any, jax.Array]:
    shape, width = NETWORKS[name]
    model = models.get(name, input_shape=shape, classes=10, width=width)
    return model, model.init(jax.random.key(0)), _inputs(shape, n)


def _inputs(shape: tuple[int, ...], n: int) -> jax.Array:
    return jnp.asarray(np.random.default_rng(0).random((n, *shape)), jnp.float32)
