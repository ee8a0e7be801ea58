"""Fast paths beside their peers, timed in one run: ``python -m ntkal bench``."""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from ntkal.acquisition import mlmoc, mlmoc_norm
from ntkal.errors import check_int
from ntkal.kernels import empirical_ntk
from ntkal.lookahead import Lookahead

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
    problem = (*blocks, *rest, np.asarray(post.mean), likely)
    norm_form = _seconds(lambda: mlmoc_norm(Lookahead.fit(*blocks, *rest, ridge=1e-3)))
    rows = [
        _row(
            "norm-form scores from kernels",
            norm_form,
            "equation (12), candidate by candidate",
            lambda: _by_blocks(*problem),
            scale=m / FEW,
        ),
        _row(
            "norm-form scores from kernels",
            norm_form,
            "refitting on L+, candidate by candidate",
            lambda: _by_refits(*problem),
            scale=m / FEW,
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
    result = np.asarray(task())
    times = []
    for _ in range(3):
        began = time.perf_counter()
        jax.block_until_ready(task())
        times.append(time.perf_counter() - began)
    return min(times), result


def _row(
    what: str, ours: tuple[float, np.ndarray], peer: str, theirs: Callable, scale: float = 1.0
) -> dict[str, Any]:
    seconds, have = ours
    peer_seconds, want = _seconds(theirs)
    gap = np.abs(have[: len(want)] - want).max() / max(np.abs(want).max(), 1e-300)
    return {
        "what": what,
        "seconds": seconds,
        "peer": peer,
        "peer_seconds": scale * peer_seconds,
        "ratio": scale * peer_seconds / seconds,
        "difference": float(gap),
    }


def _by_blocks(k_ll, k_pl, k_pp, f_l, f_p, y_l, mean, likely):
    """The corrected equation (12) for a few candidates: one inverse serves them all."""
    inverse = np.linalg.inv(k_ll + 1e-3 * np.eye(len(k_ll)))
    weights, scores = inverse @ (y_l - f_l), []
    for c in range(FEW):
        v = inverse @ k_pl[c]
        change = (likely[c] - f_p[c] - k_pl[c] @ weights) / (k_pp[c, c] + 1e-3 - k_pl[c] @ v)
        after = f_p + k_pl @ (weights - np.outer(v, change)) + np.outer(k_pp[:, c], change)
        scores.append(np.linalg.norm(after - mean, axis=1).sum())
    return np.array(scores)


def _by_refits(k_ll, k_pl, k_pp, f_l, f_p, y_l, mean, likely):
    scores = []
    for c in range(FEW):
        border = np.block([[k_ll, k_pl[c][:, None]], [k_pl[c][None], k_pp[c, c]]])
        residual = np.vstack([y_l - f_l, likely[c] - f_p[c]])
        solved = np.linalg.solve(border + 1e-3 * np.eye(len(border)), residual)
        after = f_p + np.hstack([k_pl, k_pp[:, [c]]]) @ solved
        scores.append(np.linalg.norm(after - mean, axis=1).sum())
    return np.array(scores)


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
