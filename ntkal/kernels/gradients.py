"""Blocks of the empirical kernel from gradients that are held whole or as activations and cotangents."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Integer

from ntkal.kernels.layers import Layer, differentiate, layers

Logit = int | str

CACHE = 2**24
"""Bytes of activations differentiated at once on a CPU; more leave its caches and take twice as long."""
OVERHEAD = 32
"""What an entry of a product of pairs costs on top, in multiplications and additions; measured on a CPU."""
SMALL = 2**12
"""Entries of a leaf whose Jacobian is joined to those of others."""
WORKSPACE = 2**25
"""Bytes of the products of all pairs of positions that are formed at once."""


def held(
    apply_fn: Callable, params: Any, x: jax.Array
) -> tuple[dict[int, int], dict[int, int], frozenset[int]]:
    r"""Return how the gradient of each leaf is best held, and what that takes.

    Two gradients :math:`\sum_s a_s g_s^\top` of a layer have the product

    .. math:: \sum_{s,t} (a_s^\top a'_t) (g_s^\top g'_t)

    which takes :math:`S^2 (K + O)` multiplications where the product of the K x O matrices takes K O: with
    one position, as in a dense layer, or a few, as late in a convolutional network, the pairs are cheaper.

    Args:
        apply_fn: As in :func:`ntkal.empirical_ntk`.
        params: As in :func:`ntkal.empirical_ntk`.
        x: One input, shape (1, ...).

    Returns:
        Bytes a row of what is kept of each floating-point leaf; bytes a row of its activations and
        cotangents; the leaves to be kept as activations and cotangents.

    Example:
        >>> size, _, pairs = held(lambda w, x: x @ w, jnp.ones((100, 50)), jnp.ones((1, 100)))
        >>> size, pairs
        ({0: 1200}, frozenset({0}))
    """
    found = layers(apply_fn, params, x)
    size, work, pairs = {}, {}, set()
    for i, leaf in enumerate(jax.tree.leaves(params)):
        dtype = jnp.result_type(leaf)
        if not jnp.issubdtype(dtype, jnp.floating):
            continue
        size[i] = work[i] = np.size(leaf) * dtype.itemsize
        if layer := found.get(i):
            work[i] = layer.positions * (layer.inputs + layer.outputs) * dtype.itemsize
            if _cost_in_pairs(layer) < layer.inputs * layer.outputs:
                size[i] = work[i]
                pairs.add(i)
    return size, work, frozenset(pairs)


def _cost_in_pairs(layer: Layer) -> int:
    return layer.positions**2 * (layer.inputs + layer.outputs + OVERHEAD)


@partial(jax.jit, static_argnums=(0, 3, 4, 5))
def gradients(
    apply_fn: Callable,
    params: Any,
    x: Float[Array, "b ..."],
    group: tuple[int, ...],
    pairs: frozenset[int],
    logit: Logit,
) -> tuple[list[tuple[jax.Array, jax.Array]], list[Float[Array, "bk p"]]]:
    """Return the gradients of some inputs with respect to a group of leaves.

    Args:
        apply_fn: As in :func:`ntkal.empirical_ntk`.
        params: As in :func:`ntkal.empirical_ntk`.
        x: Inputs, shape (b, ...).
        group: Numbers of the leaves.
        pairs: Those to be kept as activations and cotangents.
        logit: As in :func:`ntkal.empirical_ntk`, checked; no leaf is kept in pairs for ``"all"``.

    Returns:
        Activations (b, S, K) and cotangents (b, S, O) of each leaf in ``pairs``, and the Jacobians of the
        other leaves, (b k, p), all small ones in one.

    Example:
        >>> network = lambda w, x: x @ w["kernel"] + w["bias"]
        >>> weights, x = {"kernel": jnp.ones((2, 3)), "bias": jnp.ones((1, 3))}, jnp.ones((5, 2))
        >>> held_in_pairs, rest = gradients(network, weights, x, (0, 1), frozenset(), 0)
        >>> [part.shape for part in rest]
        [(5, 9)]
    """
    kept, whole = differentiate(apply_fn, params, x, group, partial(_pick, logit=logit), pairs)
    # One product of small leaves together costs what one of them does.
    small = [i for i in whole if whole[i][0, 0].size < SMALL]
    parts = [_flat(whole[i]) for i in whole if i not in small]
    if small:
        parts.append(jnp.concatenate([_flat(whole[i]) for i in small], axis=-1))
    return [(a, g[:, 0]) for a, g in kept.values()], [part.reshape(-1, part.shape[-1]) for part in parts]


@partial(jax.jit, static_argnums=(0, 3, 4))
def jacobian(
    apply_fn: Callable, params: Any, x: Float[Array, "b ..."], group: tuple[int, ...], logit: Logit
) -> Float[Array, "b k p"]:
    """Return the Jacobian of some inputs with respect to a group of leaves, whole and in their order.

    Example:
        >>> jacobian(lambda w, x: x @ w, jnp.ones((2, 3)), jnp.ones((5, 2)), (0,), "all").shape
        (5, 3, 6)
    """
    _, whole = differentiate(apply_fn, params, x, group, partial(_pick, logit=logit))
    return jnp.concatenate([_flat(whole[i]) for i in group], axis=-1)


def _flat(jacobian: jax.Array) -> Float[Array, "b k p"]:
    return jacobian.reshape(*jacobian.shape[:2], -1)


def _pick(f: Float[Array, " C"], logit: Logit) -> Float[Array, " k"]:
    """From the outputs of one input to the numbers that are differentiated."""
    if logit == "all":
        return f
    if logit == "mean":
        return f.mean(keepdims=True)
    if logit == "sum":
        return f.sum(keepdims=True) / np.sqrt(f.size).astype(f.dtype)
    return f[logit : logit + 1]


@partial(jax.jit, donate_argnums=0)
def add_block(
    kernel: Float[Array, "n1 n2"],
    left: Any,
    right: Any,
    row: Integer[Array, ""] | int,
    column: Integer[Array, ""] | int,
) -> Float[Array, "n1 n2"]:
    """Add the products of two sets of :func:`gradients` to a block of the kernel, in place.

    Example:
        >>> rows = [], [jnp.ones((1, 3))]
        >>> add_block(jnp.zeros((2, 2)), rows, rows, 1, 0).tolist()
        [[0.0, 0.0], [3.0, 0.0]]
    """
    parts = [_in_pairs(*one, *other) for one, other in zip(left[0], right[0], strict=True)]
    parts += [_products("ip,jp->ij", one, other) for one, other in zip(left[1], right[1], strict=True)]
    shape = parts[0].shape
    block = sum(parts, jax.lax.dynamic_slice(kernel, (row, column), shape))
    return jax.lax.dynamic_update_slice(kernel, block, (row, column))


@partial(jax.jit, donate_argnums=0)
def mirrored(kernel: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """Return the symmetric matrix that has the given lower triangle.

    Example:
        >>> mirrored(jnp.array([[1.0, 9.0], [2.0, 3.0]])).tolist()
        [[1.0, 2.0], [2.0, 3.0]]
    """
    return jnp.tril(kernel) + jnp.tril(kernel, -1).T


def _products(equation: str, *operands: jax.Array) -> jax.Array:
    return jnp.einsum(equation, *operands, precision=jax.lax.Precision.HIGHEST)


def _in_pairs(a1: jax.Array, g1: jax.Array, a2: jax.Array, g2: jax.Array) -> Float[Array, "n1 n2"]:
    positions = a1.shape[1]
    if positions == 1:
        return _products("ik,jk->ij", a1[:, 0], a2[:, 0]) * _products("ik,jk->ij", g1[:, 0], g2[:, 0])

    def row(one):
        a, g = one
        return (_products("sk,jtk->sjt", a, a2) * _products("sk,jtk->sjt", g, g2)).sum((0, 2))

    each = 2 * len(a2) * positions**2 * a2.dtype.itemsize
    return jax.lax.map(row, (a1, g1), batch_size=max(1, WORKSPACE // each))
