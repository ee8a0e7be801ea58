"""Gradients of dense layers and convolutions as products of activations and cotangents."""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend import core
from jaxtyping import Array, Float

from ntkal.inputs import ArrayLike
from ntkal.kernels.jaxprs import evaluate, written_out


@dataclass(frozen=True)
class Layer:
    r"""The one equation in which a leaf of the parameters is used, as the weights W of a linear map.

    At position s, the one of a dense layer or a pixel of a convolution's output, the map takes activations
    :math:`a_s` (for a convolution, the patch seen) to :math:`c \, W^\top a_s`. With the derivatives
    :math:`g_s` of f with respect to its outputs, the cotangents,
    :math:`\partial f / \partial W = c \sum_{s=1}^S a_s g_s^\top`.

    Attributes:
        equation: The equation's place in the program of the network.
        operand: 0 or 1, the operand that W is.
        scale: The constant c.
        axes: The axes of the leaf, those that W sums over first, in the order of the activations.
        positions: S.
        inputs: Length of each :math:`a_s`.
        outputs: Length of each :math:`g_s`.

    Source:
        Goodfellow (2015) and, for convolutions, Rochette, Manoel and Tramel (2019): gradients of each input;
        Novak, Sohl-Dickstein and Schoenholz (2022): kernels from the structure of the layers.

    Example:
        >>> layers(lambda w, x: x @ w, jnp.ones((2, 3)), jnp.ones((1, 2)))[0].outputs
        3
    """

    equation: int
    operand: int
    scale: float
    axes: tuple[int, ...]
    positions: int
    inputs: int
    outputs: int


def layers(apply_fn: Callable, params: Any, x: Float[ArrayLike, "1 ..."]) -> dict[int, Layer]:
    """Return the leaves, by their number, that are the weights of one dense layer or convolution.

    Such a leaf is used once, as it is or times a constant; not shared, transformed or hidden in a loop.

    Args:
        apply_fn: As in :func:`ntkal.empirical_ntk`.
        params: As in :func:`ntkal.empirical_ntk`.
        x: One input, shape (1, ...), or something of its shape and dtype.

    Example:
        >>> weights = {"shared": jnp.ones((2, 2)), "readout": jnp.ones((2, 1))}
        >>> network = lambda w, x: jnp.tanh(x @ w["shared"]) @ w["shared"] @ w["readout"]
        >>> list(layers(network, weights, jnp.ones((1, 2))))  # leaves in alphabetical order
        [0]
    """
    program = written_out(apply_fn, params, x)
    found = {i: _layer(program.jaxpr, i) for i in range(len(jax.tree.leaves(params)))}
    return {i: layer for i, layer in found.items() if layer is not None}


def differentiate(
    apply_fn: Callable,
    params: Any,
    x: jax.Array,
    group: Sequence[int],
    pick: Callable,
    pairs: Collection[int] = (),
) -> tuple[dict[int, tuple[Float[Array, "b S K"], Float[Array, "b k S O"]]], dict[int, jax.Array]]:
    """Differentiate one number or several of each input with respect to some leaves of the parameters.

    A zero is added to the outputs of each layer; derivatives with respect to the zeros are the cotangents.

    Args:
        apply_fn: As in :func:`ntkal.empirical_ntk`.
        params: As in :func:`ntkal.empirical_ntk`.
        x: Inputs, shape (b, ...).
        group: Numbers of the leaves.
        pick: From the outputs of one input, shape (C,), to the k numbers that are differentiated.
        pairs: Which of the :func:`layers` to return as activations and cotangents.

    Returns:
        For each leaf in ``pairs`` the activations, times the constant, and the cotangents; for each other
        leaf the Jacobian, shape (b, k) and that of the leaf.

    Example:
        >>> w, x = jnp.ones((2, 3)), jnp.ones((5, 2))
        >>> pairs, whole = differentiate(lambda w, x: x @ w, w, x, [0], lambda f: f, pairs=[0])
        >>> pairs[0][0].shape, pairs[0][1].shape, whole
        ((5, 1, 2), (5, 3, 1, 3), {})
    """
    leaves = jax.tree.leaves(params)
    program = written_out(apply_fn, params, x[:1])
    found = {i: layer for i in group if (layer := _layer(program.jaxpr, i)) is not None}
    equations = {i: program.jaxpr.eqns[layer.equation] for i, layer in found.items()}
    tapped = {layer.equation: i for i, layer in found.items()}
    zeros = {i: jnp.zeros(e.outvars[0].aval.shape, e.outvars[0].aval.dtype) for i, e in equations.items()}
    rest = {i: leaves[i] for i in group if i not in found}

    def outputs(taps, rest, one):
        activations = {}

        def linear(at, values, out):
            i = tapped.get(at)
            if i is None:
                return out
            activations[i] = values[1 - found[i].operand]
            return [out[0] + taps[i]]

        full = [rest.get(i, leaf) for i, leaf in enumerate(leaves)]
        (f,) = evaluate(program, [*full, one[None]], linear)
        return pick(f[0]), activations

    def per_input(one):
        (taps, whole), activations = jax.jacrev(outputs, (0, 1), has_aux=True)(zeros, rest, one)
        kept = {}
        for i, layer in found.items():
            a = layer.scale * _activations(equations[i], layer, activations[i])
            g = jax.vmap(partial(_cotangents, equations[i], layer))(taps[i])
            if i in pairs:
                kept[i] = a, g
            else:
                whole[i] = _whole(layer, jnp.shape(leaves[i]), a, g)
        return kept, whole

    return jax.vmap(per_input)(x)


def _whole(layer: Layer, shape: tuple[int, ...], a: jax.Array, g: jax.Array) -> jax.Array:
    """The Jacobian, (k, *shape), from activations (S, K) and cotangents (k, S, O)."""
    made = jnp.einsum("si,kso->kio", a, g, precision="highest")
    made = made.reshape(len(g), *(shape[axis] for axis in layer.axes))
    return made.transpose(0, *(1 + np.argsort(layer.axes)))


def _layer(jaxpr: core.Jaxpr, leaf: int) -> Layer | None:
    var, scale = jaxpr.invars[leaf], 1.0
    while True:
        uses = [(at, e, k) for at, e in enumerate(jaxpr.eqns) for k, v in enumerate(e.invars) if v is var]
        if len(uses) != 1 or any(out is var for out in jaxpr.outvars):
            return None
        at, equation, operand = uses[0]
        name = equation.primitive.name
        if name in _LINEAR:
            return _LINEAR[name](equation, at, operand, scale) if _one_dtype(equation) else None
        # All else must leave W as it is or multiply it by a constant.
        other = equation.invars[1 - operand] if name == "mul" else None
        if isinstance(other, core.Literal) and np.ndim(other.val) == 0:
            scale *= float(other.val)
        elif name not in ("convert_element_type", "copy"):
            return None
        if not _one_dtype(equation):
            return None
        var = equation.outvars[0]


def _one_dtype(equation: core.JaxprEqn) -> bool:
    return len({v.aval.dtype for v in [*equation.invars, *equation.outvars]}) == 1


def _dense(equation: core.JaxprEqn, at: int, operand: int, scale: float) -> Layer | None:
    contracted, batched = equation.params["dimension_numbers"]
    if batched[0]:
        return None
    w, x = (equation.invars[k].aval.shape for k in (operand, 1 - operand))
    axes = tuple(contracted[operand])
    free = tuple(axis for axis in range(len(w)) if axis not in axes)
    k, o = (math.prod(w[axis] for axis in some) for some in (axes, free))
    return Layer(at, operand, scale, axes + free, math.prod(x) // max(k, 1), k, o)


def _convolution(equation: core.JaxprEqn, at: int, operand: int, scale: float) -> Layer | None:
    if operand == 0 or equation.params["feature_group_count"] > 1 or equation.params["batch_group_count"] > 1:
        return None
    w, out = equation.invars[1].aval.shape, equation.outvars[0].aval.shape
    o, i, *window = equation.params["dimension_numbers"].rhs_spec
    return Layer(at, 1, scale, (*window, i, o), math.prod(out) // w[o], math.prod(w) // w[o], w[o])


_LINEAR = {"dot_general": _dense, "conv_general_dilated": _convolution}


def _activations(equation: core.JaxprEqn, layer: Layer, x: Any) -> Float[Array, "S K"]:
    """What W is multiplied by at each position: for a convolution, the patch that its window sees."""
    x = jnp.asarray(x)
    options = equation.params
    if equation.primitive.name == "dot_general":
        axes = options["dimension_numbers"][0][1 - layer.operand]
        free = [axis for axis in range(x.ndim) if axis not in axes]
        return x.transpose(*free, *axes).reshape(layer.positions, layer.inputs)
    spec, strides = options["dimension_numbers"], options["window_strides"]
    edges = [(*edge, d - 1) for edge, d in zip(options["padding"], options["lhs_dilation"], strict=True)]
    x = lax.pad(x.transpose(spec.lhs_spec), jnp.zeros((), x.dtype), [(0, 0, 0)] * 2 + edges)
    x = jnp.moveaxis(x, 1, -1)
    size = [equation.outvars[0].aval.shape[axis] for axis in spec.out_spec[2:]]
    window = [equation.invars[1].aval.shape[axis] for axis in spec.rhs_spec[2:]]
    seen = []
    for offset in product(*map(range, window)):
        start = [o * d for o, d in zip(offset, options["rhs_dilation"], strict=True)]
        stop = [a + (n - 1) * s + 1 for a, n, s in zip(start, size, strides, strict=True)]
        seen.append(lax.slice(x, (0, *start, 0), (x.shape[0], *stop, x.shape[-1]), (1, *strides, 1)))
    return jnp.concatenate(seen, axis=-1).reshape(layer.positions, layer.inputs)


def _cotangents(equation: core.JaxprEqn, layer: Layer, g: jax.Array) -> Float[Array, "S O"]:
    if equation.primitive.name == "conv_general_dilated":
        batch, channel, *space = equation.params["dimension_numbers"].out_spec
        return g.transpose(batch, *space, channel).reshape(layer.positions, layer.outputs)
    # A matrix product lists the free axes of its first operand first.
    if layer.operand == 1:
        return g.reshape(layer.positions, layer.outputs)
    return g.reshape(layer.outputs, layer.positions).T
