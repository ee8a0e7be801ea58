"""Candidates in blocks, so that no array of a look-ahead is larger than a stated size."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Integer

from ntkal.lookahead.posterior import Posterior

MEMORY = 2**26
"""Bytes that the temporaries of one block of candidates may take."""

CACHE = 2**20
"""Bytes that they take if fewer would do: what is written for one class is in the cache for the next."""

_COMPUTED = 3
"""Arrays of m numbers a candidate that computing its column takes: in both precisions, and with its gain."""

UNROLL = 16
"""Classes whose arithmetic is compiled into one pass over a block, so that sums stay in registers."""


def gain(post: Posterior) -> Float[Array, " m"]:
    """Return 1 / (S_cc + ridge) for each candidate, and 0 where the labelled points determine it already."""
    variance = post.variance + post.ridge
    known = variance <= post.floor
    return jnp.where(known, 0.0, 1.0 / jnp.where(known, 1.0, variance))


def over_candidates(
    score: Callable[..., Float[Array, " b"]],
    post: Posterior,
    *rows: Array,
    arrays: int,
    whole: tuple[Any, ...] = (),
) -> Float[Array, " m"]:
    """Return ``score`` for all candidates, block after block.

    Args:
        score: ``score(mean, shift, *parts, *whole) -> (b,)``, where row c of ``shift`` is
            S[c, :] / (S_cc + ridge), shape (b, m), ``mean`` is M transposed, shape (C, m), so that the pool
            lies along the last axis of both, and each part is the block's rows of ``rows``.
        post: The look-ahead.
        *rows: Arrays with a row for each candidate, shape (m, ...).
        arrays: How many b x m arrays of float64 the score keeps at once; with :data:`MEMORY` and
            :data:`CACHE` it decides the block size b.
        whole: What is handed on as it is: arrays or other JAX pytrees.

    Returns:
        Scores, shape (m,).
    """
    m = len(post.mean)
    block = int(max(1, min(m, min(MEMORY, CACHE) // (8 * m * arrays))))
    # Columns that are computed want many at a time: one pass over the factors serves them all.
    computed = min(m, block * max(1, MEMORY // (8 * m * _COMPUTED * block)))
    return _map(score, block if post.stored else computed, block, post, gain(post), rows, whole)


def over_classes(step: Callable[[Integer[Array, ""], Any], Any], start: Any, classes: int) -> Any:
    """Run ``step(k, carry) -> carry`` over the classes, :data:`UNROLL` of them in one compiled pass.

    Example:
        >>> over_classes(lambda k, total: total + k, 0, 5).item()
        10
    """
    return jax.lax.fori_loop(0, classes, step, start, unroll=min(classes, UNROLL))


@partial(jax.jit, static_argnums=(0, 1, 2))
def _map(score, together, block, post, gains, rows, whole):
    mean = post.mean.T

    def many(start):
        shift = post.columns(start, together).T * _some(gains, start, together)[:, None]
        parts = [_some(row, start, together) for row in rows]

        def few(start):
            own = (_some(part, start, block) for part in parts)
            return score(mean, _some(shift, start, block), *own, *whole)

        return _in_blocks(few, together, block)

    return _in_blocks(many, len(gains), together)


def _some(rows: Array, start: Integer[Array, ""], count: int) -> Array:
    return jax.lax.dynamic_slice_in_dim(rows, start, count)


def _in_blocks(score: Callable[[Array], Array], count: int, block: int) -> Float[Array, " count"]:
    """Scores of ``block`` candidates after the other, from the number of the first; ``count`` in all."""
    # The last block overlaps the one before it, so that every block has the same size.
    starts = jnp.minimum(jnp.arange(-(-count // block)) * block, count - block)
    positions = starts[:, None] + jnp.arange(block)[None, :]
    return jnp.zeros(count).at[positions].set(jax.lax.map(score, starts))
