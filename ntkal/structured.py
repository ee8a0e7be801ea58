"""Gradients of dense layers and convolutions as products of activations and cotangents."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend import core
from jaxtyping import Array, Float

from ntkal.types import ArrayLike


@dataclass(frozen=True)
class Layer:
    r"""The one equation in which a leaf of the parameters is used, as the weights W of a linear map.

    At position s the map takes the activations :math:`a_s` to :math:`c \, W^\top a_s`, so that with the
    cotangents :math:`g_s`, the derivatives of the output that is differentiated,

    .. math:: \frac{\partial f}{\partial W} = c \sum_{s=1}^S a_s g_s^\top .

    A dense layer has one position; a convolution has one for each pixel of its output, and its activations
    are the patches that the window sees.

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

    A leaf belongs here when it is used once, as it is or times a constant. What is shared, transformed or
    hidden in a loop is left out; gradients with respect to it are formed as a whole.

    Args:
        apply_fn: As in :func:`ntkal.empirical_ntk`.
        params: As in :func:`ntkal.empirical_ntk`.
        x: One input, shape (1, ...), or something of its shape and dtype.

    Returns:
        The layers found.

    Example:
        >>> weights = {"shared": jnp.ones((2, 2)), "readout": jnp.ones((2, 1))}
        >>> network = lambda w, x: jnp.tanh(x @ w["shared"]) @ w["shared"] @ w["readout"]
        >>> list(layers(network, weights, jnp.ones((1, 2))))  # leaves in alphabetical order
        [0]
    """
    program = _program(apply_fn, params, x)
    found = {i: _layer(program.jaxpr, i) for i in range(len(jax.tree.leaves(params)))}
    return {i: layer for i, layer in found.items() if layer is not None}


def differentiate(
    apply_fn: Callable, params: Any, x: jax.Array, group: Sequence[int], pick: Callable
) -> tuple[dict[int, tuple[Float[Array, "b S K"], Float[Array, "b k S O"]]], dict[int, jax.Array]]:
    """Differentiate one number or several of each input with respect to some leaves of the parameters.

    One pass forwards and one backwards give all: the outputs of each layer are given a zero to be added, and
    the derivatives with respect to those zeros are the cotangents.

    Args:
        apply_fn: As in :func:`ntkal.empirical_ntk`.
        params: As in :func:`ntkal.empirical_ntk`.
        x: Inputs, shape (b, ...).
        group: Numbers of the leaves.
        pick: From the outputs of one input, shape (C,), to the k numbers that are differentiated.

    Returns:
        For each leaf of :func:`layers` the activations, times the constant, and the cotangents; for each
        other leaf the Jacobian, shape (b, k) and that of the leaf.

    Example:
        >>> w, x = jnp.ones((2, 3)), jnp.ones((5, 2))
        >>> pairs, rest = differentiate(lambda w, x: x @ w, w, x, [0], lambda f: f)
        >>> pairs[0][0].shape, pairs[0][1].shape, rest
        ((5, 1, 2), (5, 3, 1, 3), {})
    """
    leaves = jax.tree.leaves(params)
    program = _program(apply_fn, params, x[:1])
    found = {i: _layer(program.jaxpr, i) for i in group}
    tapped = {layer.equation: i for i, layer in found.items() if layer is not None}
    equations = {i: program.jaxpr.eqns[at] for at, i in tapped.items()}
    zeros = {i: jnp.zeros(e.outvars[0].aval.shape, e.outvars[0].aval.dtype) for i, e in equations.items()}
    rest = {i: leaves[i] for i in group if found[i] is None}

    def outputs(taps, rest, one):
        activations = {}

        def linear(at, values, out):
            i = tapped.get(at)
            if i is None:
                return out
            activations[i] = values[1 - found[i].operand]
            return [out[0] + taps[i]]

        full = [rest.get(i, leaf) for i, leaf in enumerate(leaves)]
        (f,) = _evaluate(program.jaxpr, program.consts, [*full, one[None]], linear)
        return pick(f[0]), activations

    def per_input(one):
        (taps, jacobian), activations = jax.jacrev(outputs, (0, 1), has_aux=True)(zeros, rest, one)
        pairs = {}
        for i, equation in equations.items():
            a = _activations(equation, found[i], activations[i])
            g = jax.vmap(lambda g, e=equation, at=found[i]: _cotangents(e, at, g))(taps[i])
            pairs[i] = (a if found[i].scale == 1 else a * found[i].scale, g)
        return pairs, jacobian

    return jax.vmap(per_input)(x)


def whole(layer: Layer, shape: tuple[int, ...], a: jax.Array, g: jax.Array) -> jax.Array:
    """Return the Jacobian that activations (b, S, K) and cotangents (b, k, S, O) stand for, (b, k, *shape).

    Example:
        >>> layer = layers(lambda w, x: x @ w, jnp.ones((2, 3)), jnp.ones((1, 2)))[0]
        >>> whole(layer, (2, 3), jnp.ones((5, 1, 2)), jnp.ones((5, 4, 1, 3))).shape
        (5, 4, 2, 3)
    """
    made = jnp.einsum("bsi,bkso->bkio", a, g, precision="highest")
    made = made.reshape(*made.shape[:2], *(shape[axis] for axis in layer.axes))
    return made.transpose(0, 1, *(2 + np.argsort(layer.axes)))


def _program(apply_fn: Callable, params: Any, x: ArrayLike) -> core.ClosedJaxpr:
    """The network for one input as a list of equations, compiled functions written out."""
    leaves, tree = jax.tree.flatten(params)

    def flat(*args):
        return apply_fn(jax.tree.unflatten(tree, args[:-1]), args[-1])

    traced = jax.make_jaxpr(flat)(*leaves, x)
    return jax.make_jaxpr(lambda *args: _evaluate(traced.jaxpr, traced.consts, args))(*leaves, x)


def _evaluate(jaxpr: core.Jaxpr, consts: Sequence, args: Sequence, change: Callable | None = None) -> list:
    """Run a program equation by equation; ``change(place, operands, results)`` may replace results."""
    values = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*consts, *args], strict=True))

    def read(atom):
        return atom.val if isinstance(atom, core.Literal) else values[atom]

    for at, equation in enumerate(jaxpr.eqns):
        operands = [read(atom) for atom in equation.invars]
        if equation.primitive.name in ("jit", "pjit"):
            inner = equation.params["jaxpr"]
            out = _evaluate(inner.jaxpr, inner.consts, operands)
        else:
            bound = equation.primitive.get_bind_params(equation.params)
            # JAX before 0.10 hands the functions that an equation holds apart from its options.
            functions, options = bound if isinstance(bound, tuple) else ((), bound)
            out = equation.primitive.bind(*functions, *operands, **options)
            out = out if equation.primitive.multiple_results else [out]
        values.update(
            zip(equation.outvars, out if change is None else change(at, operands, out), strict=True)
        )
    return [read(atom) for atom in jaxpr.outvars]


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
    x = jnp.asarray(x)
    if equation.primitive.name == "dot_general":
        axes = equation.params["dimension_numbers"][0][1 - layer.operand]
        free = [axis for axis in range(x.ndim) if axis not in axes]
        return x.transpose(*free, *axes).reshape(layer.positions, layer.inputs)
    options = equation.params
    spec = options["dimension_numbers"]
    edges = [
        (low, high, d - 1) for (low, high), d in zip(options["padding"], options["lhs_dilation"], strict=True)
    ]
    x = lax.pad(x.transpose(spec.lhs_spec), jnp.zeros((), x.dtype), [(0, 0, 0)] * 2 + edges)
    size = [equation.outvars[0].aval.shape[axis] for axis in spec.out_spec[2:]]
    window = [equation.invars[1].aval.shape[axis] for axis in spec.rhs_spec[2:]]
    seen = []
    for offset in product(*map(range, window)):
        start = [o * d for o, d in zip(offset, options["rhs_dilation"], strict=True)]
        stop = [a + (n - 1) * s + 1 for a, n, s in zip(start, size, options["window_strides"], strict=True)]
        part = lax.slice(x, (0, 0, *start), (*x.shape[:2], *stop), (1, 1, *options["window_strides"]))
        seen.append(jnp.moveaxis(part, 1, -1))
    return jnp.stack(seen, axis=-2).reshape(layer.positions, layer.inputs)


def _cotangents(equation: core.JaxprEqn, layer: Layer, g: jax.Array) -> Float[Array, "S O"]:
    if equation.primitive.name == "conv_general_dilated":
        batch, channel, *space = equation.params["dimension_numbers"].out_spec
        return g.transpose(batch, *space, channel).reshape(layer.positions, layer.outputs)
    # A matrix product lists the free axes of its first operand first.
    if layer.operand == 1:
        return g.reshape(layer.positions, layer.outputs)
    return g.reshape(layer.outputs, layer.positions).T
