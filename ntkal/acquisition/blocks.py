"""Candidates in blocks, so that no array of a look-ahead is larger than a stated size."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Integer

from ntkal.posterior import Posterior

MEMORY = 2**26
"""Bytes that the temporaries of one block of candidates may take."""

CACHE = 2**20
"""Bytes that they take if fewer would do: what is written for one class is in the cache for the next."""

UNROLL = 16
"""Classes whose arithmetic is compiled into one pass over a block, so that sums stay in registers."""

BlockScore = Callable[..., Float[Array, " b"]]


def gain(post: Posterior) -> Float[Array, " m"]:
    """Return 1 / (S_cc + ridge) for each candidate, and 0 where the labelled points determine it already.

    Example:
        >>> import jax.numpy as jnp
        >>> from ntkal import Lookahead
        >>> gain(Lookahead(jnp.zeros((2, 1)), jnp.diag(jnp.array([0.0, 4.0])), ridge=0.0)).tolist()
        [0.0, 0.25]
    """
    variance = post.variance + post.ridge
    known = variance <= post.floor
    return jnp.where(known, 0.0, 1.0 / jnp.where(known, 1.0, variance))


def over_candidates(
    score: BlockScore, post: Posterior, *columns: Float[Array, "m C"], arrays: int
) -> Float[Array, " m"]:
    """Return ``score`` for all candidates, block after block.

    Args:
        score: ``score(mean, shift, *parts) -> (b,)``, where row c of ``shift`` is S[c, :] / (S_cc + ridge),
            shape (b, m), ``mean`` is M transposed, shape (C, m), so that the pool lies along the last axis
            of both, and each part is the block's rows of ``columns``.
        post: The look-ahead.
        *columns: Per-candidate arrays, shape (m, C).
        arrays: How many b x m arrays of float64 the score keeps at once; with :data:`MEMORY` and
            :data:`CACHE` it decides the block size b.

    Returns:
        Scores, shape (m,).
    """
    m = len(post.mean)
    block = int(max(1, min(m, min(MEMORY, CACHE) // (8 * m * arrays))))
    return _map(score, block, post, gain(post), columns)


def over_classes(step: Callable[[Integer[Array, ""], Any], Any], start: Any, classes: int) -> Any:
    """Run ``step(k, carry) -> carry`` over the classes, :data:`UNROLL` of them in one compiled pass.

    Example:
        >>> over_classes(lambda k, total: total + k, 0, 5).item()
        10
    """
    return jax.lax.fori_loop(0, classes, step, start, unroll=min(classes, UNROLL))


def each_candidate(score: Callable[..., Float[Array, ""]], post: Posterior, *data: Any, arrays: int) -> Array:
    """Return ``score(post, shift, c, *data)`` for each candidate c, as many at once as memory allows.

    For scores that need more than the mean and one row of data a candidate; the others run faster in
    :func:`over_candidates`.

    Args:
        score: ``shift`` is S[:, c] / (S_cc + ridge) as a column, shape (m, 1).
        post: The look-ahead.
        *data: Arrays, or other JAX pytrees, handed on whole.
        arrays: How many arrays of m numbers in float64 the score keeps at once; with :data:`MEMORY` it
            decides how many candidates go together.

    Returns:
        Scores, shape (m,).
    """
    m = len(post.mean)
    return _each(score, int(max(1, min(m, MEMORY // (8 * m * arrays)))), post, data)


@partial(jax.jit, static_argnums=(0, 1))
def _each(score, together, post, data):
    gains = gain(post)

    def one(c):
        return score(post, post.columns(c, 1) * gains[c], c, *data)

    return jax.lax.map(one, jnp.arange(len(gains)), batch_size=together)


@partial(jax.jit, static_argnums=(0, 1))
def _map(score, block, post, gains, columns):
    m = len(post.mean)
    count = -(-m // block)
    # The last block overlaps the one before it, so that every block has the same size.
    starts = jnp.minimum(jnp.arange(count) * block, m - block)
    mean = post.mean.T

    def one(start):
        shift = post.columns(start, block).T * jax.lax.dynamic_slice_in_dim(gains, start, block)[:, None]
        parts = [jax.lax.dynamic_slice_in_dim(column, start, block) for column in columns]
        return score(mean, shift, *parts)

    scores = jax.lax.map(one, starts)
    positions = starts[:, None] + jnp.arange(block)[None, :]
    return jnp.zeros(m).at[positions].set(scores)
