"""A user's network as the kernels take it: what its parameters are, and its program, traced at each call."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ntkal.inputs import ArrayLike, as_inputs, check_choice, check_int, check_x64, is_traced
from ntkal.kernels.program import Program

ApplyFn = Callable[[Any, ArrayLike], jax.Array]
Logit = int | str
STATISTICS = frozenset(
    ("batch_stats", "statistics", "running_mean", "running_var", "moving_mean", "moving_var")
)
"""Names of what batch norm keeps of its batches, which are constants here and no parameters."""


@dataclass(frozen=True, eq=False)
class Network:
    """An apply function at its parameters, as they are now.

    Attributes:
        program: From the leaves, one input, (1, ...), and the arrays outside to outputs, (1, C).
        leaves: The leaves of the parameters; for a complex one its real and its imaginary part.
        outside: Arrays that the function reads from outside.
        moving: Numbers of the leaves that are differentiated.
        dtype: Precision of the kernel: that of the finest of the leaves that are differentiated.
        classes: C, the number of outputs.
        traced: Whether a transformation of JAX traces some of the arrays, so that they have no values yet.

    Example:
        >>> network = trace_network(lambda w, x: x @ w, jnp.ones((2, 3)), x=jnp.ones((4, 2)))
        >>> network.moving, network.classes, network.dtype.name
        ((0,), 3, 'float64')
    """

    program: Program
    leaves: list[jax.Array]
    outside: list[jax.Array]
    moving: tuple[int, ...]
    dtype: np.dtype
    classes: int
    traced: bool


def trace_network(apply_fn: ApplyFn, params: Any, **inputs: Any) -> Network:
    """Trace a network for one input: it is called, so that whatever it reads is read now.

    Args:
        apply_fn: ``apply_fn(params, x) -> (n, C)``.
        params: Pytree of parameters.
        **inputs: Inputs, shape (n, ...), under their arguments' names. Three of the first are looked at,
            whether each is treated on its own, unless JAX traces them.

    Raises:
        ValueError: As :func:`ntkal.empirical_ntk`.
        RuntimeError: When JAX's 64-bit mode was turned off.

    Example:
        >>> centred = lambda w, x: x @ w - (x @ w).mean(0, keepdims=True)
        >>> trace_network(centred, jnp.ones((1, 3)), x=jnp.array([[1.0], [2.0]]))
        Traceback (most recent call last):
        ValueError: apply_fn: the outputs of an input change with the others in its batch, or from call to ...
    """
    check_x64()
    leaves, moving, back = read_parameters(params)
    ((name, x), *_) = inputs.items()
    rows = [as_inputs(name, x[at : at + 1]) for at in (0, len(x) // 2, len(x) - 1)]
    program, outside = _trace(apply_fn, back, leaves, rows[0])
    check_devices(params=leaves, apply_fn=outside, **inputs)
    dtype, traced = jnp.result_type(*(leaves[i] for i in moving)), is_traced(leaves, outside, inputs)
    network = Network(program, leaves, outside, moving, dtype, program.result.shape[1], traced)
    if not network.traced:
        few = jnp.concatenate([*rows, rows[0] / 2])
        _check_alone(network, *_trace(apply_fn, back, leaves, few), few)
    return network


def read_parameters(params: Any) -> tuple[list[jax.Array], tuple[int, ...], Callable]:
    """Return the leaves of a pytree as real arrays, the numbers of those that move, and the way back.

    Floating-point and complex leaves move, that is they are differentiated, but not the statistics of batch
    norm: what is in a collection named in ``STATISTICS``, and Flax's variables of type ``BatchStat``.

    Raises:
        ValueError: For a leaf that is no array of numbers, for what may be statistics or parameters, and when
            no leaf moves.

    Example:
        >>> leaves, moving, back = read_parameters({"steps": 3, "w": np.array([1 + 2j])})
        >>> moving, back(leaves)["w"].tolist()  # the leaves: steps, and two parts of w
        ((1, 2), [(1+2j)])
    """
    found, tree = jax.tree_util.tree_flatten_with_path(params)
    nodes = jax.tree.leaves(params, is_leaf=_is_statistic)
    constant = [_is_statistic(node) for node in nodes for _ in jax.tree.leaves(node)]
    leaves, moving, places, seen = [], [], [], set()
    for (path, leaf), still in zip(found, constant, strict=True):
        array = _as_array(jax.tree_util.keystr(path), leaf)
        parts = [array.real, array.imag] if jnp.issubdtype(array.dtype, jnp.complexfloating) else [array]
        places.append(range(len(leaves), len(leaves) + len(parts)))
        names = [str(getattr(key, "key", getattr(key, "name", key))) for key in path]
        if jnp.issubdtype(parts[0].dtype, jnp.floating) and not still and not STATISTICS.intersection(names):
            moving += places[-1]
            seen.add(tuple(names))
        leaves += parts
    for names in seen:
        if names[-1:] == ("var",) and (*names[:-1], "mean") in seen:
            raise ValueError(
                f"params: {'.'.join(names)} and its mean look like statistics of batch norm, which are no "
                "parameters. Keep them in a collection 'batch_stats' (Flax linen), in the state of nnx.split "
                "(Flax nnx) or in apply_fn; if they are parameters, give them other names."
            )
    if not moving:
        raise ValueError("params: expected at least one floating-point leaf to differentiate.")

    def back(values):
        made = [
            values[at[0]] if len(at) == 1 else jax.lax.complex(values[at[0]], values[at[1]]) for at in places
        ]
        return jax.tree.unflatten(tree, made)

    return leaves, tuple(moving), back


def check_logit(logit: Logit, classes: int) -> Logit:
    """Return the number of a logit, or how logits are joined, else raise a ValueError.

    Example:
        >>> check_logit("first", 3), check_logit("mean", 3)
        (0, 'mean')
    """
    if isinstance(logit, str):
        return 0 if check_choice("logit", logit, ("first", "mean", "sum", "all")) == "first" else logit
    return check_int("logit", logit, low=0, high=classes - 1)


def check_devices(**given: Any) -> None:
    """Raise a ValueError when arrays, given under their arguments' names, were put on different devices.

    Example:
        >>> check_devices(params={"w": jnp.ones(2)}, x=np.ones(2))
    """
    at: dict = {}
    for name, arrays in given.items():
        for array in jax.tree.leaves(arrays):
            if isinstance(array, jax.Array) and not is_traced(array) and array.committed:
                at.setdefault(frozenset(array.devices()), name)
    if len(at) > 1:
        (one, first), (other, second), *_ = ((", ".join(sorted(map(str, d))), name) for d, name in at.items())
        raise ValueError(
            f"{second}: on {other}, but {first} on {one}; put both on one device with jax.device_put."
        )


def check_finite(result: ArrayLike, network: Network, **inputs: Any) -> None:
    """Raise a ValueError that says where the NaN or infinite entries of a result come from, if it has any.

    Example:
        >>> network = trace_network(lambda w, x: x @ w, jnp.ones((2, 3)), x=jnp.ones((4, 2)))
        >>> check_finite(jnp.array([jnp.inf]), network, x=jnp.ones((4, 2)))
        Traceback (most recent call last):
        ValueError: apply_fn: its derivatives are NaN or infinite at these params and inputs; ...
    """
    if is_traced(result) or bool(jnp.isfinite(result).all()):
        return
    moving = [network.leaves[i] for i in network.moving]
    for name, arrays in {"params": moving, **{name: [x] for name, x in inputs.items()}}.items():
        if not all(bool(jnp.isfinite(jnp.asarray(array)).all()) for array in arrays if array is not None):
            raise ValueError(f"{name}: some entries are NaN or infinite; remove or repair them.")
    raise ValueError(
        "apply_fn: its derivatives are NaN or infinite at these params and inputs; look for numbers too "
        "large for their precision, and for a root or a norm at zero."
    )


def _is_statistic(node: Any) -> bool:
    kind = getattr(node, "type", None) if type(node).__name__ == "VariableState" else type(node)
    return any(parent.__name__ == "BatchStat" for parent in getattr(kind, "__mro__", ()))


def _as_array(where: str, leaf: Any) -> jax.Array:
    numbers = (jax.Array, np.ndarray, np.generic, bool, int, float, complex)
    try:
        if isinstance(leaf, numbers) or hasattr(leaf, "__jax_array__"):
            swapped = isinstance(leaf, np.ndarray) and not leaf.dtype.isnative
            return jnp.asarray(leaf.astype(leaf.dtype.newbyteorder("=")) if swapped else leaf)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(
        f"params: leaf {where} is no array of numbers but {type(leaf).__name__} {str(leaf)[:40]!r}; keep "
        "functions, texts and settings out of params and in apply_fn (Equinox: params is the first part of "
        "eqx.partition(model, eqx.is_inexact_array), and apply_fn joins the parts by eqx.combine)."
    )


def _trace(apply_fn: ApplyFn, back: Callable, leaves: list, x: jax.Array) -> tuple[Program, list[jax.Array]]:
    """The program of the network for some inputs; what is wrong with it, in a sentence."""

    def flat(values, x):
        try:
            f = apply_fn(back(values), x)
        except Exception as error:
            raise ValueError(
                f"apply_fn: for params and inputs of shape {x.shape} it raised {type(error).__name__}: "
                + str(error).strip().partition("\n")[0]
            ) from error
        if not hasattr(f, "shape") or not hasattr(f, "dtype"):
            raise ValueError(
                f"apply_fn: expected outputs of shape (n, C), got {type(f).__name__}; return outputs "
                "alone, without a state (Flax: leave mutable= out)."
            )
        if f.ndim != 2 or len(f) != len(x) or not jnp.issubdtype(f.dtype, jnp.floating):
            raise ValueError(
                f"apply_fn: expected floating-point outputs (n, C), got {f.dtype} of shape {f.shape} "
                f"for inputs of shape {x.shape}."
            )
        return jnp.asarray(f)

    return Program.trace(flat, leaves, x)


def _check_alone(network: Network, four: Program, outside: list[jax.Array], few: jax.Array) -> None:
    """Refuse a network whose outputs for an input depend on the others, or on chance."""
    (one, more), (together, others) = _values_alone(network.program, four)
    arrays = network.leaves, [*network.outside, *more], [*outside, *others]
    gap, size, noise = map(float, _compare(one, together, *arrays, few))
    made = {getattr(v.aval, "dtype", few.dtype) for step in one.steps for v in step.equation.outvars}
    kinds = [kind for kind in made | {few.dtype} if jnp.issubdtype(kind, jnp.floating)]
    eps = max(float(jnp.finfo(kind).eps) for kind in kinds)
    if jnp.float32 in kinds and jax.default_backend() != "cpu":
        eps = max(eps, 2.0**-10)  # Products of matrices may come with ten bits there.
    if gap > eps**0.5 * size + 1000 * noise:
        raise ValueError(
            "apply_fn: the outputs of an input change with the others in its batch, or from call to call, by "
            f"{gap:.2g} where they are {size:.2g}; the kernel takes each input on its own. Let batch norm "
            "use its running statistics and turn dropout off (train=False, deterministic=True, model.eval())."
        )


@lru_cache(maxsize=1)  # A rule for a derivative may hold on to a network: one, not many.
def _values_alone(*programs: Program) -> list[tuple[Program, list[jax.Array]]]:
    return [Program.trace(lambda *v, p=p: p(v), *p.shapes, derivatives=False) for p in programs]


@partial(jax.jit, static_argnums=(0, 1))
def _compare(one: Program, together: Program, leaves: list, outside: list, others: list, few: jax.Array):
    """How far outputs of inputs alone are from theirs in a batch; their size; how far rounding moves them."""
    alone = jax.vmap(lambda x: one([*leaves, x[None], *outside])[0])
    f, moved = alone(few)[:-1], alone(few * (1 + jnp.finfo(few.dtype).eps))[:-1]
    gaps = [jnp.max(jnp.abs(f - other)) for other in (together([*leaves, few, *others])[:-1], moved)]
    return gaps[0], jnp.max(jnp.abs(f)), gaps[1]
