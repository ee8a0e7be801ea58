"""The empirical neural tangent kernel of any network, in blocks under a stated memory budget."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ntkal.inputs import ArrayLike, check_choice, check_int
from ntkal.kernels import gradients as gram
from ntkal.kernels.gradients import Logit

ApplyFn = Callable[[Any, ArrayLike], jax.Array]
STRIP = 256
"""Inputs to a strip: products of two strips are large enough to be fast, and half of them are not needed."""


def empirical_ntk(
    apply_fn: ApplyFn,
    params: Any,
    x1: Float[ArrayLike, "n1 ..."],
    x2: Float[ArrayLike, "n2 ..."] | None = None,
    *,
    logit: Logit = "first",
    batch_size: int | None = None,
    memory: int = 2**31,
) -> Float[Array, "n1 n2"] | Float[Array, "n1 n2 C C"]:
    r"""Return the empirical neural tangent kernel of a network at its parameters.

    .. math:: \Theta(x, x') = \Big\langle \frac{\partial g(x)}{\partial\theta},
              \frac{\partial g(x')}{\partial\theta} \Big\rangle

    where g is one logit, a combination of the logits, or each of them. Jacobians are held for as many
    parameters at a time as the memory budget allows, so that each input is differentiated once with
    respect to each parameter; only when one layer's Jacobian exceeds the budget are row blocks recomputed.

    Args:
        apply_fn: ``apply_fn(params, x) -> (n, C)``, pure, treating each input on its own (freeze batch norm).
        params: Pytree of parameters; its floating-point leaves are differentiated.
        x1: Inputs, shape (n1, ...).
        x2: Inputs, shape (n2, ...); None stands for ``x1`` and returns an exactly symmetric matrix.
        logit: ``"first"`` or an index: that logit. ``"mean"``: the mean of the logits. ``"sum"``: their sum
            over sqrt(C), the choice of the paper's released code. ``"all"``: every pair of logits.
        batch_size: Inputs differentiated at once; None chooses. It changes speed and memory, not the result.
        memory: Budget for the Jacobians, in bytes; the kernel itself comes on top.

    Returns:
        The kernel in the network's precision, shape (n1, n2), or (n1, n2, C, C) for ``logit="all"``.

    Raises:
        ValueError: For an unknown logit, an empty or non-floating input, an ``apply_fn`` whose output is not
            (n, C), a budget too small for a single input, or a kernel with NaN or infinite entries.

    Source:
        Mohamadi, Bae and Sutherland (2022), equation (10) and the single-logit kernel below it.

    Example:
        >>> import jax.numpy as jnp
        >>> x = jnp.array([[1.0, 2.0], [3.0, 4.0]])
        >>> empirical_ntk(lambda w, x: x @ w, jnp.ones((2, 3)), x).tolist()
        [[5.0, 11.0], [11.0, 25.0]]
    """
    x1 = as_inputs("x1", x1)
    x2 = None if x2 is None else as_inputs("x2", x2)
    classes = count_classes(apply_fn, params, x1)
    logit = check_logit(logit, classes)
    outputs = classes if logit == "all" else 1
    check_int("memory", memory, low=1)
    rows = len(x1) + (0 if x2 is None else len(x2))
    batch = 256 if batch_size is None else check_int("batch_size", batch_size, low=1)
    sizes, work, pairs = gram.held(apply_fn, params, x1[:1])
    if outputs > 1:
        sizes, pairs = None, frozenset()

    kernel = None
    for group, width in parameter_groups(params, outputs * rows, memory, sizes):
        row = width * outputs
        block = rows if rows * row <= memory else memory // (2 * row)
        if block < 1:
            raise ValueError(f"memory: {memory} bytes cannot hold two Jacobians of {row} bytes; give more.")
        # The activations of a batch come on top of what is held: a quarter of the budget, or a CPU's cache.
        room = min(memory // 4, gram.CACHE) if jax.default_backend() == "cpu" else memory // 4
        at_once = room // (outputs * sum(work[i] for i in group) + 1)
        features = partial(
            _features,
            apply_fn,
            params,
            group=group,
            pairs=pairs,
            logit=logit,
            batch=max(1, min(batch, block, at_once)),
        )
        kernel = _gram(features, x1, x2, block, outputs, kernel)
    if x2 is None:
        kernel = gram.mirrored(kernel)
    if not bool(jnp.isfinite(kernel).all()):
        raise ValueError("The kernel has NaN or infinite entries: check that params and inputs are finite.")
    if logit == "all":
        n1, n2 = kernel.shape[0] // classes, kernel.shape[1] // classes
        return kernel.reshape(n1, classes, n2, classes).transpose(0, 2, 1, 3)
    return kernel


def split_ntk(
    apply_fn: ApplyFn,
    params: Any,
    x_l: Float[ArrayLike, "n ..."],
    x_p: Float[ArrayLike, "m ..."],
    **options: Any,
) -> tuple[Float[Array, "n n"], Float[Array, "m n"], Float[Array, "m m"]]:
    """Return the three kernel blocks that a look-ahead needs, differentiating each input once.

    Args:
        apply_fn: As in :func:`empirical_ntk`.
        params: As in :func:`empirical_ntk`.
        x_l: Labelled inputs, shape (n, ...).
        x_p: Pool inputs, shape (m, ...).
        **options: Those of :func:`empirical_ntk`, except ``logit="all"``.

    Returns:
        ``(k_ll, k_pl, k_pp)`` of shapes (n, n), (m, n) and (m, m), the arguments of ``Lookahead.fit``.

    Raises:
        ValueError: As :func:`empirical_ntk`, and for ``logit="all"``.

    Example:
        >>> import jax.numpy as jnp
        >>> blocks = split_ntk(lambda w, x: x @ w, jnp.ones((2, 3)), jnp.ones((4, 2)), jnp.ones((5, 2)))
        >>> [block.shape for block in blocks]
        [(4, 4), (5, 4), (5, 5)]
    """
    if options.get("logit") == "all":
        raise ValueError("logit: 'all' has no single kernel block; choose one logit, 'mean' or 'sum'.")
    x_l, x_p = as_inputs("x_l", x_l), as_inputs("x_p", x_p)
    if x_l.shape[1:] != x_p.shape[1:]:
        raise ValueError(f"x_p: expected inputs of shape {x_l.shape[1:]} like x_l, got {x_p.shape[1:]}.")
    n = len(x_l)
    kernel = empirical_ntk(apply_fn, params, jnp.concatenate([x_l, x_p]), **options)
    return kernel[:n, :n], kernel[n:, :n], kernel[n:, n:]


def as_inputs(name: str, x: Any) -> jax.Array:
    x = jnp.asarray(x)
    if x.ndim < 2 or len(x) == 0:
        raise ValueError(f"{name}: expected inputs of shape (n, ...) with n >= 1, got {x.shape}.")
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise ValueError(
            f"{name}: expected floating-point inputs, got {x.dtype}; scale and convert them first."
        )
    return x


def count_classes(apply_fn: ApplyFn, params: Any, x: jax.Array) -> int:
    shape = jax.eval_shape(apply_fn, params, x[:1]).shape
    if len(shape) != 2 or shape[0] != 1:
        raise ValueError(f"apply_fn: expected outputs of shape (n, C), got {shape} for one input.")
    return shape[1]


def check_logit(logit: Logit, classes: int) -> Logit:
    if isinstance(logit, str):
        return 0 if check_choice("logit", logit, ("first", "mean", "sum", "all")) == "first" else logit
    return check_int("logit", logit, low=0, high=classes - 1)


def parameter_groups(
    params: Any, rows: int, memory: int, sizes: dict[int, int] | None = None
) -> Iterator[tuple[tuple[int, ...], int]]:
    """Split the floating-point leaves into runs whose Jacobian over all rows fits, with bytes per row.

    ``sizes`` has the bytes a row of leaves whose gradients are held in less than a Jacobian.
    """
    run: list[int] = []
    width = 0
    for index, leaf in enumerate(jax.tree.leaves(params)):
        if not jnp.issubdtype(jnp.result_type(leaf), jnp.floating):
            continue
        size = (sizes or {}).get(index, np.size(leaf) * jnp.result_type(leaf).itemsize)
        if run and rows * (width + size) > memory:
            yield tuple(run), width
            run, width = [], 0
        run.append(index)
        width += size
    if not run:
        raise ValueError("params: expected at least one floating-point leaf to differentiate.")
    yield tuple(run), max(width, 1)


def _gram(
    features: Callable[[jax.Array], Any],
    x1: jax.Array,
    x2: jax.Array | None,
    block: int,
    outputs: int,
    kernel: jax.Array | None,
) -> jax.Array:
    """Add the products of all pairs of strips of inputs; without ``x2``, of those below the diagonal."""
    other = x1 if x2 is None else x2

    def strips(x, start):
        stop = min(start + block, len(x))
        return [(at, features(x[at : min(at + STRIP, stop)])) for at in range(start, stop, STRIP)]

    for i in range(0, len(x1), block):
        left = strips(x1, i)
        for j in range(0, len(other) if x2 is not None else i + 1, block):
            right = left if x2 is None and j == i else strips(other, j)
            for (row, one), (column, another) in product(left, right):
                if x2 is not None or column <= row:
                    if kernel is None:
                        dtype = jnp.result_type(*jax.tree.leaves(one))
                        kernel = jnp.zeros((len(x1) * outputs, len(other) * outputs), dtype)
                    kernel = gram.add_block(kernel, one, another, row * outputs, column * outputs)
    return kernel


def _features(
    apply_fn: ApplyFn, params: Any, x: jax.Array, *, group: tuple, pairs: frozenset, logit: Logit, batch: int
) -> Any:
    """Gradients of a strip of inputs, in batches of one size so that one program is compiled."""
    batch = min(batch, len(x))
    parts = []
    for start in range(0, len(x), batch):
        part = x[start : start + batch]
        missing = batch - len(part)
        if missing:
            part = jnp.concatenate([part, jnp.repeat(part[:1], missing, axis=0)])
        made = gram.gradients(apply_fn, params, part, group, pairs, logit)
        parts.append(jax.tree.map(lambda a, n=batch - missing: a[: len(a) // batch * n], made))
    return parts[0] if len(parts) == 1 else jax.tree.map(lambda *some: jnp.concatenate(some), *parts)
