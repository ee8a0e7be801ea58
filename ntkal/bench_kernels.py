"""Empirical kernels and whole queries beside their peers: rows of ``python -m ntkal bench``."""

import time
from collections.abc import Callable
from itertools import islice
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ntkal import gram, models, train
from ntkal.acquisition import badge, mlmoc, probabilities
from ntkal.acquisition.registry import best
from ntkal.errors import check_int
from ntkal.factors import FactorLookahead
from ntkal.kernels import empirical_ntk, split_ntk
from ntkal.lookahead import Lookahead
from ntkal.models import Model
from ntkal.rivals import Situation
from ntkal.rivals.retrain import after, prepare
from ntkal.sketch import gradient_sketch

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


def rows(size: int = 2000) -> list[dict[str, Any]]:
    """Time one-logit kernels of ``size`` inputs, queries of a pool of twice as many and one of a quarter.

    Args:
        size: Number of inputs, at least 80.

    Returns:
        Rows as those of :func:`ntkal.bench.run`, with ``needed``, the ratio that must be reached, and for the
        kernels ``memory`` and ``peer_memory``, the bytes of the gradients that are held. Queries choose other
        points than their peers, so their ``difference`` is NaN.

    Raises:
        ValueError: When the size is out of range.

    Example:
        >>> len(NETWORKS) * 2 + 3  # two implementations for each network, two queries, one retraining
        11
    """
    check_int("size", size, low=4 * PICKS)
    made = [row for name in NETWORKS for row in kernel_rows(name, size)]
    return [*made, *query_rows(2 * size), retraining_row(size // 4)]


def kernel_rows(name: str, n: int) -> list[dict[str, Any]]:
    """Compare the kernel of one logit with two implementations of neural-tangents 0.6.5.

    Example:
        >>> float(kernel_rows("mlp", 5)[0]["difference"]) < 1e-5
        True
    """
    from ntkal.neural_tangents import nt

    model, params, x = _network(name, n)
    seconds, kernel = _timed(lambda: empirical_ntk(model.apply, params, x))
    sizes, _, _ = gram.held(model.apply, params, x[:1])
    whole = n * sum(4 * leaf.size for leaf in jax.tree.leaves(params))
    made = []
    for number, peer in ((1, "Jacobian contraction"), (2, "NTK-vector products")):
        count = n if number == 1 else min(n, FEW)
        peer_fn = nt.empirical_ntk_fn(
            lambda p, x: model.apply(p, x)[:, :1], trace_axes=(), vmap_axes=0, implementation=number
        )
        compiled = jax.jit(peer_fn, static_argnums=1)
        theirs, want = _timed(lambda run=compiled, some=x[:count]: run(some, None, params))
        want, scale = np.asarray(want).reshape(count, count), (n / count) ** 2
        peer = f"neural-tangents, {peer}"
        row = _row(
            f"one-logit kernel of {n} inputs, {name}",
            seconds,
            peer if scale == 1 else f"{peer}, {count} inputs scaled by their square",
            theirs * scale,
            float(np.abs(np.asarray(kernel)[:count, :count] - want).max() / np.abs(want).max()),
            needed=1.5,
        )
        memory = {"memory": n * sum(sizes.values())} | ({"peer_memory": whole} if number == 1 else {})
        made.append(row | memory)
    return made


def query_rows(m: int) -> list[dict[str, Any]]:
    """Compare whole queries by look-ahead with one by BADGE, all from a trained network to their picks.

    Example:
        >>> [row["needed"] for row in query_rows(80)]
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
        return best(mlmoc(Lookahead.fit(*blocks, f_l, f_p, y, ridge=ridge)), PICKS)

    def sketched():
        f_l, f_p = outputs()
        phi = gradient_sketch(model.apply, params, x, rank=RANK, key=jax.random.key(1), logit="sum")
        ridge = 1e-2 * float((phi[:LABELLED] ** 2).sum(1).mean())
        post = FactorLookahead.fit(phi[:LABELLED], phi[LABELLED:], f_l, f_p, y, ridge=ridge, dtype="float32")
        return best(mlmoc(post), PICKS)

    def by_badge():
        features = train.in_batches(model.features, params, x_p, batch_size=1000)
        f_p = train.predict(model, params, x_p).astype(np.float64)
        return badge(probabilities(f_p), features, PICKS, np.random.default_rng(0))

    theirs, _ = _timed(by_badge)
    what = f"a query of {PICKS} of {m} by look-ahead, cnn, {{}}"
    return [
        _row(what.format(how), _timed(task)[0], "BADGE", theirs, np.nan, needed)
        for how, task, needed in (
            ("exact", exact, 1 / 10),
            (f"{RANK} random features", sketched, 1 / 3),
        )
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
    theirs, _ = _timed(lambda: [outputs for _, outputs in islice(after(state, block=1), count)])
    peer = f"15 epochs of SGD for each, {count} candidates scaled to {m}"
    what = f"look-ahead over a pool of {m}, kernels included, cnn"
    return _row(what, _timed(ours)[0], peer, theirs * m / count, np.nan, needed=100.0)


def _network(name: str, n: int) -> tuple[Model, Any, jax.Array]:
    shape, width = NETWORKS[name]
    model = models.get(name, input_shape=shape, classes=10, width=width)
    return model, model.init(jax.random.key(0)), _inputs(shape, n)


def _inputs(shape: tuple[int, ...], n: int) -> jax.Array:
    return jnp.asarray(np.random.default_rng(0).random((n, *shape)), jnp.float32)


def _timed(task: Callable[[], Any]) -> tuple[float, Any]:
    """Best of at most three after one run that compiles; a task that takes long is run once more only."""
    jax.block_until_ready(task())
    times: list[float] = []
    while len(times) < 3 and sum(times) < 10:
        began = time.perf_counter()
        result = jax.block_until_ready(task())
        times.append(time.perf_counter() - began)
    return min(times), result


def _row(
    what: str, seconds: float, peer: str, peer_seconds: float, difference: float, needed: float
) -> dict[str, Any]:
    return {
        "what": what,
        "seconds": seconds,
        "peer": peer,
        "peer_seconds": peer_seconds,
        "ratio": peer_seconds / seconds,
        "difference": difference,
        "needed": needed,
    }
