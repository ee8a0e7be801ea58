"""Revealed labels beside a copy of the covariance and fits anew, and picks inside one scan."""

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ntkal.acquisition import get
from ntkal.acquisition.sequential import pick, pick_compiled
from ntkal.lookahead import Lookahead
from ntkal.textbook.bench.problem import Case
from ntkal.textbook.bench.timing import Peer, best_seconds, gap, numpy_bytes, row, rows

COUNT = 1000
"""Labels revealed or picked, or a quarter of the pool if that is fewer."""


def one(case: Case) -> list[dict[str, Any]]:
    """Compare one reveal with copying the covariance.

    Example:
        >>> from ntkal.textbook.bench.problem import made_up
        >>> [made["difference"] < 1e-12 for made in one(made_up(5, 8, 2))]
        [True]
    """
    post, label = case.post, np.eye(case.post.mean.shape[1])[0]
    plain = np.asarray(post.cov)
    (ours, numpy_copy, jax_copy), (have, *_) = best_seconds(
        [lambda: post.reveal(0, label).cov, lambda: np.copy(plain), lambda: jnp.copy(post.cov)], repeats=7
    )
    want = plain - np.outer(plain[:, 0], plain[:, 0]) / (plain[0, 0] + case.ridge)
    bounds = {"difference": gap(have, want), "difference_at_most": 1e-12, "peer_memory": plain.nbytes}
    memory = numpy_bytes(lambda: post.reveal(0, label))
    peer, seconds = "copying the covariance once, by NumPy or JAX", min(numpy_copy, jax_copy)
    return [row("one reveal", ours, peer, seconds, needed=0.5, memory=memory, **bounds)]


def many(case: Case) -> list[dict[str, Any]]:
    """Compare many reveals with a fit after each; the mean of a fit with none and one with all is timed.

    Example:
        >>> from ntkal.textbook.bench.problem import made_up
        >>> [made["what"] for made in many(made_up(5, 8, 2))][0]
        '2 reveals, together'
    """
    m, classes = case.post.mean.shape
    count, rng = min(COUNT, m // 4), np.random.default_rng(1)
    at, labels = rng.permutation(m)[:count], np.eye(classes)[rng.integers(classes, size=count)]
    (first, last, together), (_, fresh, whole) = best_seconds(
        [case.fit, lambda: _with(case, at, labels), lambda: case.post.reveal_all(at, labels)], 2
    )
    ways = [("together", together, whole)]
    for how, post in (("covariance stored", case.fit()), ("covariance as a product", case.implicit())):
        began = time.perf_counter()
        for c, y in zip(at.tolist(), labels, strict=True):
            post = post.reveal(c, y)
        jax.block_until_ready(post)
        ways.append((f"one after another, {how}", time.perf_counter() - began, post))
    made, anew = [], count * (first + last) / 2
    for how, seconds, post in ways:
        difference = max(gap(post.mean, fresh.mean), gap(post.columns(0, m), fresh.cov))
        bounds = {"needed": 100, "difference": difference, "difference_at_most": 1e-8}
        made.append(row(f"{count} reveals, {how}", seconds, "a new fit after each", anew, **bounds))
    return made


def picks(case: Case) -> list[dict[str, Any]]:
    """Compare picks by the norm form inside one ``jax.lax.scan`` with picks that come back to Python.

    Example:
        >>> from ntkal.textbook.bench.problem import made_up
        >>> picks(made_up(5, 8, 2))[0]["difference"]
        0.0
    """
    strategy, post, count = get("mlmoc_norm"), case.post, min(COUNT, len(case.post.mean) // 4)

    def one_by_one():
        return pick(strategy, post, count, np.random.default_rng(0))

    peer = Peer("each pick from Python", one_by_one, needed=1, admitted=0.0)
    ours = f"{count} picks inside one lax.scan"
    return rows(ours, lambda: pick_compiled(strategy, post, count), peer, repeats=1)


def _with(case: Case, at: np.ndarray, labels: np.ndarray) -> Lookahead:
    (k_ll, k_pl, k_pp), (f_l, f_p, y_l) = case.kernels, case.rest
    grown = jnp.block([[k_ll, k_pl[at].T], [k_pl[at], k_pp[at][:, at]]])
    wide = jnp.concatenate([k_pl, k_pp[:, at]], axis=1)
    outputs, targets = jnp.concatenate([f_l, f_p[at]]), jnp.concatenate([y_l, labels])
    return Lookahead.fit(grown, wide, k_pp, outputs, f_p, targets, ridge=case.ridge)
