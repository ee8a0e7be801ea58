"""Dense layers and convolutions in the program of a network, and gradients as activations and cotangents."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend import core
from jaxtyping import Array, Float

from ntkal.kernels.program import Program


@dataclass(frozen=True)
class Layer:
    r"""The one equation in which a leaf of the parameters is used, as the weights W of a linear map.

    At position s, the one of a dense layer or a pixel of a convolution's output, the map takes activations
    :math:`a_s` (for a convolution, the patch seen) to :math:`c \, W^\top a_s`. With the derivatives
    :math:`g_s` of f with respect to its outputs, the cotangents,
    :math:`\partial f / \partial W = c \sum_{s=1}^S a_s g_s^\top`.

    Attributes:
        place: The place of the equation among the steps of the network.
        equation: The equation.
        operand: 0 or 1, the operand that W is.
        scale: The constant c.
        axes: The axes of the leaf, those that W sums over first, in the order of the activations.
        positions: S.
        inputs: Length of each :math:`a_s`.
        outputs: Length of each :math:`g_s`.

    Source:
        Goodfellow (2015) and, for convolutions, Rochette, Manoel and Tramel (2019): gradients of each input;
        Novak, Sohl-Dickstein and Schoenholz (2022): kernels from the structure of the layers.
    """

    place: int
    equation: core.JaxprEqn
    operand: int
    scale: float
    axes: tuple[int, ...]
    positions: int
    inputs: int
    outputs: int


def layers(program: Program, leaves: Iterable[int]) -> dict[int, Layer]:
    """Return the leaves that are the weights of one dense layer or convolution.

    Such a leaf is used once, as it is or times a constant; not shared, transformed or hidden in a loop.

    Args:
        program: Of a network, from leaves and one input, (1, ...), to outputs.
        leaves: Numbers of the leaves to look for.

    Example:
        >>> network = lambda shared, readout, x: jnp.tanh(x @ shared) @ shared @ readout
        >>> program, _ = Program.trace(network, jnp.ones((2, 2)), jnp.ones((2, 1)), jnp.ones((1, 2)))
        >>> list(layers(program, [0, 1]))
        [1]
    """
    uses = defaultdict(list)
    for at, step in enumerate(program.steps):
        for k, slot in enumerate(step.operands):
            if isinstance(slot, int):
                uses[slot].append((at, k))
    found = {leaf: _layer(program, uses, program.slots[leaf]) for leaf in leaves}
    return {leaf: layer for leaf, layer in found.items() if layer is not None}


def _layer(program: Program, uses: dict[int, list], slot: int) -> Layer | None:
    scale = 1.0
    while len(uses[slot]) == 1 and slot not in program.outputs:
        ((at, operand),) = uses[slot]
        equation, operands, results = program.steps[at]
        name = equation.primitive.name
        if not _one_dtype(equation):
            return None
        if name in _LINEAR:
            return _LINEAR[name](at, equation, operand, scale)
        # All else must leave W as it is or multiply it by a constant.
        other = operands[1 - operand] if name == "mul" else None
        if isinstance(other, core.Literal) and np.ndim(other.val) == 0:
            scale *= float(other.val)
        elif name not in ("convert_element_type", "copy"):
            return None
        (slot,) = results
    return None


def _one_dtype(equation: core.JaxprEqn) -> bool:
    return len({v.aval.dtype for v in [*equation.invars, *equation.outvars]}) == 1


def _dense(at: int, equation: core.JaxprEqn, operand: int, scale: float) -> Layer | None:
    contracted, batched = equation.params["dimension_numbers"]
    if batched[0]:
        return None
    w, x = (equation.invars[k].aval.shape for k in (operand, 1 - operand))
    axes = tuple(contracted[operand])
    free = tuple(axis for axis in range(len(w)) if axis not in axes)
    k, o = (math.prod(w[axis] for axis in some) for some in (axes, free))
    return Layer(at, equation, operand, scale, axes + free, math.prod(x) // max(k, 1), k, o)


def _convolution(at: int, equation: core.JaxprEqn, operand: int, scale: float) -> Layer | None:
    if operand == 0 or equation.params["feature_group_count"] > 1 or equation.params["batch_group_count"] > 1:
        return None
    w, out = equation.invars[1].aval.shape, equation.outvars[0].aval.shape
    o, i, *window = equation.params["dimension_numbers"].rhs_spec
    return Layer(at, equation, 1, scale, (*window, i, o), math.prod(out) // w[o], math.prod(w) // w[o], w[o])


_LINEAR = {"dot_general": _dense, "conv_general_dilated": _convolution}


def activations(layer: Layer, x: jax.Array) -> Float[Array, "S K"]:
    """Return c times what W meets at each position: for a convolution, the patch that its window sees.

    Args:
        layer: A layer.
        x: The other operand of its equation.
    """
    x, options = layer.scale * jnp.asarray(x), layer.equation.params
    if layer.equation.primitive.name == "dot_general":
        axes = options["dimension_numbers"][0][1 - layer.operand]
        free = [axis for axis in range(x.ndim) if axis not in axes]
        return x.transpose(*free, *axes).reshape(layer.positions, layer.inputs)
    spec, strides = options["dimension_numbers"], options["window_strides"]
    edges = [(*edge, d - 1) for edge, d in zip(options["padding"], options["lhs_dilation"], strict=True)]
    x = lax.pad(x.transpose(spec.lhs_spec), jnp.zeros((), x.dtype), [(0, 0, 0)] * 2 + edges)
    x = jnp.moveaxis(x, 1, -1)
    size = [layer.equation.outvars[0].aval.shape[axis] for axis in spec.out_spec[2:]]
    window = [layer.equation.invars[1].aval.shape[axis] for axis in spec.rhs_spec[2:]]
    seen = []
    for offset in product(*map(range, window)):
        start = [o * d for o, d in zip(offset, options["rhs_dilation"], strict=True)]
        stop = [a + (n - 1) * s + 1 for a, n, s in zip(start, size, strides, strict=True)]
        seen.append(lax.slice(x, (0, *start, 0), (x.shape[0], *stop, x.shape[-1]), (1, *strides, 1)))
    return jnp.concatenate(seen, axis=-1).reshape(layer.positions, layer.inputs)


def cotangents(layer: Layer, g: jax.Array) -> Float[Array, "S O"]:
    """Return the derivatives with respect to the outputs of a layer's equation by positions."""
    if layer.equation.primitive.name == "conv_general_dilated":
        batch, channel, *space = layer.equation.params["dimension_numbers"].out_spec
        return g.transpose(batch, *space, channel).reshape(layer.positions, layer.outputs)
    # A matrix product lists the free axes of its first operand first.
    if layer.operand == 1:
        return g.reshape(layer.positions, layer.outputs)
    return g.reshape(layer.outputs, layer.positions).T


def whole(
    layer: Layer, shape: tuple[int, ...], a: Float[Array, "S K"], g: Float[Array, "k S O"]
) -> Float[Array, "k ..."]:
    """Return the Jacobian with respect to W from activations and cotangents.

    Args:
        layer: A layer.
        shape: That of its leaf.
        a: Activations.
        g: Cotangents of k numbers.
    """
    made = jnp.einsum("si,kso->kio", a, g, precision="highest")
    made = made.reshape(len(g), *(shape[axis] for axis in layer.axes))
    return made.transpose(0, *(1 + np.argsort(layer.axes)))
