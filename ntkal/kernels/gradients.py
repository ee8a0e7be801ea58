"""Gradients of a network, held whole or as activations and cotangents, and blocks of its kernel from them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Integer

from ntkal.kernels.layers import Layer, activations, cotangents, layers, whole
from ntkal.kernels.network import Logit, Network
from ntkal.kernels.program import Program

CACHE = 2**24
"""Bytes of activations differentiated at once on a CPU; more leave its caches and take twice as long."""
OVERHEAD = 32
"""What an entry of a product of pairs costs on top, in multiplications and additions; measured on a CPU."""
SMALL = 2**12
"""Entries of a leaf whose Jacobian is joined to those of others."""
WORKSPACE = 2**25
"""Bytes of the products of all pairs of positions that are formed at once."""


def held(network: Network) -> tuple[dict[int, int], dict[int, int], frozenset[int]]:
    r"""Return how the gradient of each leaf is best held, and what that takes.

    Two gradients :math:`\sum_s a_s g_s^\top` of a layer have the product

    .. math:: \sum_{s,t} (a_s^\top a'_t) (g_s^\top g'_t)

    which takes :math:`S^2 (K + O)` multiplications where the product of the K x O matrices takes K O: with
    one position, as in a dense layer, or a few, as late in a convolutional network, the pairs are cheaper.

    Returns:
        Bytes a row of what is kept of each leaf that moves; bytes a row of its activations and cotangents;
        the leaves to be kept as activations and cotangents.
    """
    found = layers(network.program, network.moving)
    size, work, pairs = {}, {}, set()
    for i in network.moving:
        size[i] = work[i] = network.leaves[i].size * network.dtype.itemsize
        if layer := found.get(i):
            work[i] = layer.positions * (layer.inputs + layer.outputs) * network.dtype.itemsize
            if _cost_in_pairs(layer) < layer.inputs * layer.outputs:
                size[i] = work[i]
                pairs.add(i)
    return size, work, frozenset(pairs)


def _cost_in_pairs(layer: Layer) -> int:
    return layer.positions**2 * (layer.inputs + layer.outputs + OVERHEAD)


def groups(
    network: Network, rows: int, memory: int, sizes: dict[int, int]
) -> Iterator[tuple[tuple[int, ...], int]]:
    """Split the leaves that move into runs whose gradients of all rows fit, each with its bytes a row.

    Args:
        network: A network.
        rows: Number of gradients.
        memory: Bytes; a single leaf may exceed them.
        sizes: Bytes a row of each leaf, as :func:`held` gives.

    Example:
        >>> from ntkal.kernels.network import trace_network
        >>> line, params = (lambda p, x: x * p["a"] + p["b"]), {"a": jnp.ones((1, 1)), "b": jnp.ones((1, 1))}
        >>> network = trace_network(line, params, x=jnp.ones((1, 1)))
        >>> list(groups(network, 2, 31, {0: 8, 1: 8})), list(groups(network, 2, 32, {0: 8, 1: 8}))
        ([((0,), 8), ((1,), 8)], [((0, 1), 16)])
    """
    run: list[int] = []
    width = 0
    for i in network.moving:
        if run and rows * (width + sizes[i]) > memory:
            yield tuple(run), max(width, 1)
            run, width = [], 0
        run.append(i)
        width += sizes[i]
    yield tuple(run), max(width, 1)


@dataclass(frozen=True, eq=False)
class Gradients:
    """The gradients of a network with respect to some leaves, as a function of inputs.

    Attributes:
        program: From the arrays, one input and further arrays to its gradients.
        arrays: The arrays and the further ones.
    """

    program: Program
    arrays: tuple[list[jax.Array], list[jax.Array]]

    def __call__(self, x: Float[Array, "b ..."]) -> list[jax.Array]:
        """Differentiate a batch, by what was compiled for the first network of the same steps."""
        return of_batch(self.program, self.arrays, x)


@partial(jax.jit, static_argnums=0)
def of_batch(program: Program, arrays: tuple[list, list], x: Float[Array, "b ..."]) -> list[jax.Array]:
    """Run the program of :class:`Gradients` for each of some inputs."""
    return jax.vmap(lambda one: program([*arrays[0], one, *arrays[1]]))(x)


def gradients(
    network: Network,
    logit: Logit,
    group: tuple[int, ...],
    pairs: frozenset[int] = frozenset(),
    small: int = 0,
) -> Gradients:
    """Return the gradients of a network with respect to a group of leaves.

    A zero is added to the outputs of each layer; derivatives with respect to the zeros are the cotangents.

    Args:
        network: A network.
        logit: As in :func:`ntkal.empirical_ntk`, checked; no leaf is kept in pairs for ``"all"``.
        group: Numbers of the leaves.
        pairs: Those to be kept as activations and cotangents.
        small: Leaves of fewer entries than that have their Jacobians joined; 0 joins all, in their order.

    Returns:
        A function from inputs to a list, in the kernel's precision: activations (b, S, K) and cotangents
        (b, S, O) of each leaf in ``pairs``, then the Jacobians of the other leaves, (b, k, p).

    Example:
        >>> from ntkal.kernels.network import trace_network
        >>> params = {"kernel": jnp.ones((2, 3)), "bias": jnp.ones((1, 3))}
        >>> network = trace_network(lambda p, x: x @ p["kernel"] + p["bias"], params, x=jnp.ones((5, 2)))
        >>> [part.shape for part in gradients(network, 0, (0, 1))(jnp.ones((5, 2)))]
        [(5, 1, 9)]
    """
    count, dtype = len(network.leaves), network.dtype
    program, more = _differentiated(network.program, count, logit, group, pairs, small, dtype, network.traced)
    return Gradients(program, ([*network.leaves, *network.outside], more))


@lru_cache(maxsize=1)  # A rule for a derivative may hold on to a network: one, not many.
def _differentiated(
    program: Program,
    count: int,
    logit: Logit,
    group: tuple[int, ...],
    pairs: frozenset[int],
    small: int,
    dtype: np.dtype,
    derivatives: bool,
) -> tuple[Program, list[jax.Array]]:
    found = layers(program, group)
    tapped = {layer.place: i for i, layer in found.items()}

    def outputs(taps, rest, arrays, one):
        others = {}

        def linear(at, operands, out):
            if (i := tapped.get(at)) is None:
                return out
            others[i] = operands[1 - found[i].operand]
            return [out[0] + taps[i]]

        leaves = [rest.get(i, leaf) for i, leaf in enumerate(arrays[:count])]
        return _pick(program([*leaves, one[None], *arrays[count:]], linear)[0], logit), others

    def of_one(*given):
        *arrays, one = given
        results = {i: layer.equation.outvars[0].aval for i, layer in found.items()}
        taps = {i: jnp.zeros(result.shape, result.dtype) for i, result in results.items()}
        rest = {i: arrays[i] for i in group if i not in found}
        (taps, rest), others = jax.jacrev(outputs, (0, 1), has_aux=True)(taps, rest, arrays, one)
        kept = []
        for i, layer in found.items():
            a, g = activations(layer, others[i]), jax.vmap(partial(cotangents, layer))(taps[i])
            if i in pairs:
                kept += [a, g[0]]
            else:
                rest[i] = whole(layer, arrays[i].shape, a, g)
        flat = {i: rest[i].reshape(len(rest[i]), -1) for i in group if i in rest}
        # One product of small leaves together costs what one of them does.
        joined = [i for i in flat if not small or arrays[i].size < small]
        kept += [part for i, part in flat.items() if i not in joined]
        if joined:
            kept.append(jnp.concatenate([flat[i] for i in joined], axis=-1))
        return [part.astype(dtype) for part in kept]

    x = jax.ShapeDtypeStruct(program.shapes[count].shape[1:], program.shapes[count].dtype)
    arrays = *program.shapes[:count], *program.shapes[count + 1 :]
    return Program.trace(of_one, *arrays, x, derivatives=derivatives)


def _pick(f: Float[Array, " C"], logit: Logit) -> Float[Array, " k"]:
    """From the outputs of one input to the numbers that are differentiated."""
    if logit == "all":
        return f
    if logit == "mean":
        return f.mean(keepdims=True)
    if logit == "sum":
        return f.sum(keepdims=True) / np.sqrt(f.size).astype(f.dtype)
    return f[logit : logit + 1]


@partial(jax.jit, donate_argnums=0, static_argnames="pairs")
def add_block(
    kernel: Float[Array, "n1 n2"],
    left: list[jax.Array],
    right: list[jax.Array],
    row: Integer[Array, ""] | int,
    column: Integer[Array, ""] | int,
    pairs: int = 0,
) -> Float[Array, "n1 n2"]:
    """Add the products of two sets of :func:`gradients`, some of them in pairs, to a block of the kernel.

    Example:
        >>> rows = [jnp.ones((1, 1, 3))]
        >>> add_block(jnp.zeros((2, 2)), rows, rows, 1, 0).tolist()
        [[0.0, 0.0], [3.0, 0.0]]
    """
    parts = [_in_pairs(*left[i : i + 2], *right[i : i + 2]) for i in range(0, 2 * pairs, 2)]
    for one, other in zip(left[2 * pairs :], right[2 * pairs :], strict=True):
        one, other = (rows.reshape(-1, rows.shape[-1]) for rows in (one, other))
        parts.append(_products("ip,jp->ij", one, other))
    block = sum(parts, jax.lax.dynamic_slice(kernel, (row, column), parts[0].shape))
    return jax.lax.dynamic_update_slice(kernel, block, (row, column))


@jax.jit
def mirrored(kernel: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """Return the symmetric matrix that has the given lower triangle."""
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
