"""Revealed labels beside a copy of the covariance, and beside fitting anew after each of them."""

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ntkal.lookahead.dense import Lookahead
from ntkal.textbook.bench.problem import Case
from ntkal.textbook.bench.timing import best, gap, numpy_bytes, row

COUNT = 1000
"""Labels revealed, or a quarter of the pool if that is fewer."""


def rows(case: Case) -> list[dict[str, Any]]:
    """Return the row of one reveal and the rows of many.

    Example:
        >>> from ntkal.bench.problem import made_up
        >>> [made["needed"] for made in rows(made_up(5, 8, 2))]
        [0.5, 100.0, 100.0, 100.0]
    """
    return [_one(case), *_many(case)]


def _one(case: Case) -> dict[str, Any]:
    post, label = case.post, np.eye(case.post.mean.shape[1])[0]
    plain = np.asarray(post.cov)
    (ours, numpy_copy, jax_copy), _ = best(
        [lambda: post.reveal(0, label).cov, lambda: np.copy(plain), lambda: jnp.copy(post.cov)], repeats=7
    )
    column = plain[:, 0]
    want = plain - np.outer(column, column) / (column[0] + case.ridge)
    return row(
        "one reveal",
        ours,
        "copying the covariance once, by NumPy or JAX",
        min(numpy_copy, jax_copy),
        needed=0.5,
        difference=gap(post.reveal(0, label).cov, want),
        difference_at_most=1e-12,
        memory=numpy_bytes(lambda: post.reveal(0, label)),
        peer_memory=plain.nbytes,
    )


def _many(case: Case) -> list[dict[str, Any]]:
    """Fits are timed with none and with all of the labels; the mean of the two is that of one on the way."""
    m, classes = case.post.mean.shape
    count = min(COUNT, m // 4)
    rng = np.random.default_rng(1)
    at, labels = rng.permutation(m)[:count], np.eye(classes)[rng.integers(classes, size=count)]
    (first, last, together), (_, fresh, whole) = best(
        [lambda: case.fit(), lambda: _with(case, at, labels), lambda: case.post.reveal_all(at, labels)], 2
    )
    anew = count * (first + last) / 2
    made = [("together", together, whole, whole.cov)]
    for how, post in (("covariance stored", case.fit()), ("covariance as a product", case.implicit())):
        began = time.perf_counter()
        for c, y in zip(at.tolist(), labels, strict=True):
            post = post.reveal(c, y)
        jax.block_until_ready(post)
        seconds = time.perf_counter() - began
        made.append((f"one after another, {how}", seconds, post, post.columns(0, m)))
    return [
        row(
            f"{count} reveals, {how}",
            seconds,
            "a new fit after each",
            anew,
            needed=100,
            difference=max(gap(later.mean, fresh.mean), gap(cov, fresh.cov)),
            difference_at_most=1e-8,
        )
        for how, seconds, later, cov in made
    ]


def _with(case: Case, at: np.ndarray, labels: np.ndarray) -> Lookahead:
    (k_ll, k_pl, k_pp), (f_l, f_p, y_l) = case.kernels, case.rest
    grown = jnp.block([[k_ll, k_pl[at].T], [k_pl[at], k_pp[at][:, at]]])
    wide = jnp.concatenate([k_pl, k_pp[:, at]], axis=1)
    outputs, targets = jnp.concatenate([f_l, f_p[at]]), jnp.concatenate([y_l, labels])
    return Lookahead.fit(grown, wide, k_pp, outputs, f_p, targets, ridge=case.ridge)
