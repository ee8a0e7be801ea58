r"""One walk over :math:`K - V V^\top` by pairs of tiles, each entry made once, read at once and dropped."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

SIDE = 250
"""Rows of a tile: a pair of tiles, their kernel and its mirror stay in a core's cache."""


class Walk(NamedTuple):
    r"""What a walk over :math:`S = K - V V^\top` has seen.

    Attributes:
        sums: :math:`\sum_u |S_{uc}|` for each c, shape (m,).
        excess: For each row, the largest :math:`|S_{uc}| s_u s_c` up to the diagonal or beyond, shape (m,).
        asymmetry: The largest difference of an entry of K from its mirror.
    """

    sums: Float[Array, " m"]
    excess: Float[Array, " m"]
    asymmetry: Float[Array, ""]


@partial(jax.jit, static_argnames="side")
def walk(
    kernel: Float[Array, "m m"],
    half: Float[Array, "m k"],
    scale: Float[Array, " m"],
    keep: Float[Array, " m"],
    *,
    side: int = SIDE,
) -> Walk:
    """Walk over S once, in memory for a few tiles.

    Only tiles of the lower triangle are multiplied, for half of a product; each serves its rows and, as the
    mirror of the tile above the diagonal, its columns.

    Args:
        kernel: K, shape (m, m), symmetric.
        half: V, shape (m, k).
        scale: s, shape (m,).
        keep: 1, or 0 for rows and columns that count as zero, shape (m,).
        side: Rows of a tile.

    Example:
        >>> seen = walk(2 * jnp.eye(2), jnp.ones((2, 1)), jnp.ones(2), jnp.ones(2))
        >>> seen.sums.tolist(), seen.excess.tolist()
        ([2.0, 2.0], [1.0, 1.0])
    """
    m = len(kernel)
    side = min(side, m)
    count = -(-m // side)
    pairs = jnp.asarray(np.array([(i, j) for i in range(count) for j in range(i + 1)]))

    def some(rows, start):
        return jax.lax.dynamic_slice_in_dim(rows, start, side)

    def tile(number, seen):
        i, j = pairs[number]
        # The last tile overlaps the one before it; rows that were there are left out by weights of zero.
        a, b = jnp.minimum(i * side, m - side), jnp.minimum(j * side, m - side)
        new_a = some(keep, a) * (a + jnp.arange(side) >= i * side)
        new_b = some(keep, b) * (b + jnp.arange(side) >= j * side)
        block = jax.lax.dynamic_slice(kernel, (a, b), (side, side))
        mirror = jax.lax.dynamic_slice(kernel, (b, a), (side, side))
        size = jnp.abs(block - some(half, a) @ some(half, b).T)
        of_rows = new_a * jnp.sum(size * new_b[None, :], axis=1)
        of_columns = jnp.where(i == j, 0.0, new_b * jnp.sum(size * new_a[:, None], axis=0))
        sums = seen.sums.at[a + jnp.arange(side)].add(of_rows)
        sums = sums.at[b + jnp.arange(side)].add(of_columns)
        most = new_a * some(scale, a) * jnp.max(size * (new_b * some(scale, b))[None, :], axis=1)
        excess = seen.excess.at[a + jnp.arange(side)].max(most)
        return Walk(sums, excess, jnp.maximum(seen.asymmetry, jnp.max(jnp.abs(block - mirror.T))))

    nothing = Walk(jnp.zeros(m), jnp.zeros(m), jnp.zeros(()))
    return jax.lax.fori_loop(0, len(pairs), tile, nothing)
