"""Fast paths beside their peers, timed in one run: ``python -m ntkal bench``."""

import time
from collections.abc import Callable
from itertools import islice
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from ntkal.acquisition import mlmoc, mlmoc_norm
from ntkal.errors import check_int
from ntkal.kernels import empirical_ntk
from ntkal.lookahead import Lookahead
from ntkal.rivals.closed_form import Linearised, block_after, linearised, refit_after

FEW = 8
"""Candidates that the slow peers are timed on; their seconds are scaled to the whole pool."""


def run(n: int = 1000, m: int = 4000, classes: int = 10, seed: int = 0) -> pd.DataFrame:
    """Time each fast path and its peer on made-up kernels, and check that both give the same numbers.

    Args:
        n: Labelled inputs, at least 1.
        m: Pool inputs, at least 8.
        classes: Number of classes C, at least 2.
        seed: Draws the kernels and labels.

    Returns:
        One row a comparison: ``what``, ``seconds``, ``peer``, ``peer_seconds``, ``ratio`` (peer over ours)
        and ``difference``, the largest relative difference of the results.

    Raises:
        ValueError: When a size is out of range.

    Example:
        >>> bool(run(n=10, m=20, classes=3)["difference"].max() < 1e-5)
        True
    """
    for name, value, low in (("n", n, 1), ("m", m, FEW), ("classes", classes, 2)):
        check_int(name, value, low=low)
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n + m, n + m // 4)) / np.sqrt(n + m // 4)
    labelled, pool = features[:n], features[n:]
    blocks = labelled @ labelled.T, pool @ labelled.T, pool @ pool.T
    y = np.eye(classes)[rng.integers(classes, size=n)]
    rest = np.zeros((n, classes)), 0.1 * rng.normal(size=(m, classes)), y
    post = Lookahead.fit(*blocks, *rest, ridge=1e-3)
    likely = np.eye(classes)[np.asarray(post.mean).argmax(axis=1)]
    prepared, state = _timed(lambda: linearised(*blocks, *rest, ridge=1e-3, invert=True))
    norm_form = _seconds(lambda: mlmoc_norm(Lookahead.fit(*blocks, *rest, ridge=1e-3)))
    rows = [
        _row(
            "norm-form scores from kernels",
            norm_form,
            "equation (12), candidate by candidate",
            lambda: _few(block_after, state),
            scale=m / FEW,
            once=prepared,
        ),
        _row(
            "norm-form scores from kernels",
            norm_form,
            "refitting on L+, candidate by candidate",
            lambda: _few(refit_after, state),
            scale=m / FEW,
            once=prepared,
        ),
        _row(
            "flip-form scores from mean and covariance",
            _seconds(lambda: jnp.floor(mlmoc(post))),
            "NumPy, candidate by candidate",
            lambda: _flips(post, likely),
            scale=m / FEW,
        ),
        _row(
            "one reveal",
            _seconds(lambda: post.reveal(0, likely[0]).mean),
            "a new fit with the revealed label",
            lambda: _fit_with(blocks, rest, likely[0]),
        ),
        _kernel_row(rng),
    ]
    return pd.DataFrame(rows)


def _seconds(task: Callable[[], Any]) -> tuple[float, np.ndarray]:
    """Best of three after one run that compiles, with the result."""
    seconds, result = _timed(task)
    return seconds, np.asarray(result)


def _timed(task: Callable[[], Any]) -> tuple[float, Any]:
    result = task()
    times = []
    for _ in range(3):
        began = time.perf_counter()
        jax.block_until_ready(task())
        times.append(time.perf_counter() - began)
    return min(times), result


def _row(
    what: str,
    ours: tuple[float, np.ndarray],
    peer: str,
    theirs: Callable,
    scale: float = 1.0,
    once: float = 0.0,
) -> dict[str, Any]:
    """Scale the peer's seconds to the whole pool; what it does once for all candidates comes on top."""
    seconds, have = ours
    peer_seconds, want = _seconds(theirs)
    peer_seconds = once + scale * peer_seconds
    gap = np.abs(have[: len(want)] - want).max() / max(np.abs(want).max(), 1e-300)
    return {
        "what": what,
        "seconds": seconds,
        "peer": peer,
        "peer_seconds": peer_seconds,
        "ratio": peer_seconds / seconds,
        "difference": float(gap),
    }


def _few(after: Callable, state: Linearised) -> np.ndarray:
    """Norm-form scores of a few candidates, one after another."""
    outputs = (outputs[0] for _, outputs in islice(after(state), FEW))
    return np.array([np.linalg.norm(out - state.mean, axis=1).sum() for out in outputs])


def _flips(post: Lookahead, likely: np.ndarray) -> np.ndarray:
    mean, cov = np.asarray(post.mean), np.asarray(post.cov)
    counts = []
    for c in range(FEW):
        after = mean + np.outer(cov[:, c], (likely[c] - mean[c]) / (cov[c, c] + 1e-3))
        counts.append(np.sum(after.argmax(axis=1) != mean.argmax(axis=1)))
    return np.array(counts, dtype=float)


def _fit_with(blocks, rest, label):
    (k_ll, k_pl, k_pp), (f_l, f_p, y_l) = blocks, rest
    k_ll = np.block([[k_ll, k_pl[0][:, None]], [k_pl[0][None], k_pp[0, 0]]])
    k_pl = np.hstack([k_pl, k_pp[:, [0]]])
    return Lookahead.fit(
        k_ll, k_pl, k_pp, np.vstack([f_l, f_p[0]]), f_p, np.vstack([y_l, label]), ridge=1e-3
    ).mean


def _kernel_row(rng: np.random.Generator) -> dict[str, Any]:
    """One logit's kernel of 200 images under a small convolutional network."""
    from ntkal.models import cnn

    model = cnn((16, 16, 1), 10, width=16)
    params = model.init(jax.random.key(0))
    x = rng.random((200, 16, 16, 1)).astype(np.float32)

    @jax.jit
    def one(i):
        grad = jax.grad(lambda p: model.apply(p, x[i][None])[0, 0])(params)
        return jnp.concatenate([leaf.ravel() for leaf in jax.tree.leaves(grad)])

    x = jnp.asarray(x)

    def one_by_one():
        jacobian = jnp.stack([one(i) for i in range(len(x))])
        return jnp.matmul(jacobian, jacobian.T, precision="highest")

    return _row(
        "one-logit kernel of 200 images, cnn",
        _seconds(lambda: empirical_ntk(model.apply, params, x)),
        "one gradient after another",
        one_by_one,
    )
