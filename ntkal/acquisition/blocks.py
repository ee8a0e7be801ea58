"""Candidates in blocks, so that no array of a look-ahead is larger than a stated size."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ntkal.posterior import Posterior

MEMORY = 2**26
"""Bytes that the temporaries of one block of candidates may take."""

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
        score: ``score(mean, shift, *parts) -> (b,)``, where ``shift`` is the block of
            S[:, c] / (S_cc + ridge), shape (m, b), and each part the block's rows of ``columns``.
        post: The look-ahead.
        *columns: Per-candidate arrays, shape (m, C).
        arrays: How many m x b arrays of float64 the score keeps at once; it decides the block size b.

    Returns:
        Scores, shape (m,).
    """
    m = len(post.mean)
    block = int(max(1, min(m, MEMORY // (8 * m * arrays))))
    return _map(score, block, post, gain(post), columns)


@partial(jax.jit, static_argnums=(0, 1))
def _map(score, block, post, gains, columns):
    m = len(post.mean)
    count = -(-m // block)
    # The last block overlaps the one before it, so that every block has the same size.
    starts = jnp.minimum(jnp.arange(count) * block, m - block)

    def one(start):
        shift = post.columns(start, block) * jax.lax.dynamic_slice_in_dim(gains, start, block)[None, :]
        parts = [jax.lax.dynamic_slice_in_dim(column, start, block) for column in columns]
        return score(post.mean, shift, *parts)

    scores = jax.lax.map(one, starts)
    positions = starts[:, None] + jnp.arange(block)[None, :]
    return jnp.zeros(m).at[positions].set(scores)
