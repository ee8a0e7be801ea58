"""The empirical neural tangent kernel of any network, in blocks under a stated memory budget."""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import product, zip_longest
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ntkal.inputs import ArrayLike, as_inputs, check_int, check_x64, is_traced
from ntkal.kernels.gradients import CACHE, SMALL, add_block, gradients, groups, held, mirrored
from ntkal.kernels.network import ApplyFn, Logit, check_devices, check_finite, check_logit, trace_network

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
        apply_fn: ``apply_fn(params, x) -> (n, C)``, treating each input on its own (freeze batch norm, turn
            dropout off). It is traced anew at each call, so what it reads from outside is read as it is then
            (if it is compiled itself, as it was when JAX compiled it); networks of equal steps are compiled
            once, and none is kept.
        params: Pytree of parameters: the floating-point leaves, and complex ones as two real parts. Constants
            are whole numbers, keys, and statistics of batch norm: what Flax calls ``batch_stats`` or
            ``BatchStat``, and leaves named ``running_mean``, ``running_var`` and the like.
        x1: Inputs, shape (n1, ...).
        x2: Inputs, shape (n2, ...); None stands for ``x1`` and returns an exactly symmetric matrix.
        logit: ``"first"`` or an index: that logit. ``"mean"``: the mean of the logits. ``"sum"``: their sum
            over sqrt(C), the choice of the paper's released code. ``"all"``: every pair of logits.
        batch_size: Inputs differentiated at once; None chooses. It changes speed and memory, not the result.
        memory: Budget for the Jacobians, in bytes; the kernel itself comes on top.

    Returns:
        The kernel in the network's precision, shape (n1, n2), or (n1, n2, C, C) for ``logit="all"``.

    Raises:
        ValueError: Beginning with the argument's name: for a leaf that is no array of numbers, a network
            that raises, whose outputs are not (n, C) or change for an input with the others in its batch (on
            three inputs), an empty or non-floating input, arrays on two devices, an unknown logit, a budget
            too small for one input, or NaN and infinite entries. While JAX traces (jit, vmap, grad), values
            are not looked at.
        RuntimeError: When JAX's 64-bit mode was turned off.

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
    if x2 is not None:
        if x2.shape[1:] != x1.shape[1:]:
            raise ValueError(f"x2: expected inputs of shape {x1.shape[1:]} like x1, got {x2.shape[1:]}.")
        x1, x2 = (x.astype(jnp.result_type(x1, x2)) for x in (x1, x2))
    network = trace_network(apply_fn, params, x1=x1, x2=x2)
    logit = check_logit(logit, network.classes)
    outputs = network.classes if logit == "all" else 1
    check_int("memory", memory, low=1)
    rows = len(x1) + (0 if x2 is None else len(x2))
    batch = 256 if batch_size is None else check_int("batch_size", batch_size, low=1)
    sizes, work, pairs = held(network)
    if outputs > 1:
        sizes, pairs = {i: network.leaves[i].size * network.dtype.itemsize for i in sizes}, frozenset()

    kernel = jnp.zeros((len(x1) * outputs, len(x1 if x2 is None else x2) * outputs), network.dtype)
    for group, width in groups(network, outputs * rows, memory, sizes):
        row = width * outputs
        block = rows if rows * row <= memory else memory // (2 * row)
        if block < 1:
            raise ValueError(f"memory: {memory} bytes cannot hold two Jacobians of {row} bytes; give more.")
        # The activations of a batch come on top of what is held: a quarter of the budget, or a CPU's cache.
        room = min(memory // 4, CACHE) if jax.default_backend() == "cpu" else memory // 4
        at_once = room // (outputs * sum(work[i] for i in group) + 1)
        here = pairs.intersection(group)
        take = gradients(network, logit, group, here, SMALL)
        features = partial(_in_batches, take, max(1, min(batch, block, at_once)))
        # A batched trace cannot give its kernel away.
        add = add_block.__wrapped__ if network.traced else add_block
        kernel = _add(partial(add, pairs=len(here)), kernel, features, x1, x2, block, outputs)
    if x2 is None:
        kernel = mirrored(kernel)
    check_finite(kernel, network, x1=x1, x2=x2)
    if logit == "all":
        n1, n2 = kernel.shape[0] // outputs, kernel.shape[1] // outputs
        return kernel.reshape(n1, outputs, n2, outputs).transpose(0, 2, 1, 3)
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
    check_devices(x_l=x_l, x_p=x_p)
    if x_l.shape[1:] != x_p.shape[1:]:
        raise ValueError(f"x_p: expected inputs of shape {x_l.shape[1:]} like x_l, got {x_p.shape[1:]}.")
    n = len(x_l)
    kernel = empirical_ntk(apply_fn, params, jnp.concatenate([x_l, x_p]), **options)
    return kernel[:n, :n], kernel[n:, :n], kernel[n:, n:]


def from_jacobians(
    j_l: Float[ArrayLike, "n p"] | Iterable[ArrayLike], j_p: Float[ArrayLike, "m p"] | Iterable[ArrayLike]
) -> tuple[Float[Array, "n n"], Float[Array, "m n"], Float[Array, "m m"]]:
    r"""Return the three kernel blocks that a look-ahead needs from Jacobians made elsewhere.

    .. math:: \Theta(x, x') = \sum_k J_k(x) \, J_k(x')^\top

    Args:
        j_l: Derivatives of one logit of the labelled inputs, shape (n, p), float32 or float64; or blocks of
            them, (n, p_k), one at a time, so that only one need be in memory: a list, or a generator such as
            ``(part.flatten(1) for part in jacobians)`` over the parameters of a PyTorch network.
        j_p: Those of the pool inputs, (m, p), or as many blocks (m, p_k).

    Returns:
        ``(k_ll, k_pl, k_pp)`` of shapes (n, n), (m, n) and (m, m), in the precision of the Jacobians.

    Raises:
        ValueError: For a block that has not two axes, blocks that do not match, or NaN and infinite entries.

    Example:
        >>> [k.tolist() for k in from_jacobians(np.array([[1.0, 2.0]]), np.ones((1, 2)))]
        [[[5.0]], [[3.0]], [[2.0]]]
    """
    check_x64()
    kernel: Any = 0.0
    rows: tuple[int, ...] = ()
    for k, blocks in enumerate(zip_longest(_blocks(j_l), _blocks(j_p))):
        for name, block in zip(("j_l", "j_p"), blocks, strict=True):
            if block is None or np.ndim(block) != 2:
                raise ValueError(
                    f"{name}: expected derivatives of one logit with respect to flat parameters, (n, p), got "
                    f"{'fewer blocks than of the other inputs' if block is None else np.shape(block)}."
                )
        left, right = as_inputs("j_l", blocks[0]), as_inputs("j_p", blocks[1])
        if left.shape[1] != right.shape[1] or (len(left), len(right)) != (rows or (len(left), len(right))):
            raise ValueError(
                f"j_p: block {k} of shape {right.shape} fits not that of j_l, {left.shape}, or those before."
            )
        rows, both = (len(left), len(right)), jnp.concatenate([left, right])
        kernel = kernel + jnp.matmul(both, both.T, precision="highest")
    if not rows:
        raise ValueError("j_l: expected at least one block of parameters, got none.")
    n, kernel = rows[0], mirrored(kernel)
    for name, square in (("j_l", kernel[:n, :n]), ("j_p", kernel[n:, n:])):
        if not is_traced(square) and not bool(jnp.isfinite(square).all()):
            raise ValueError(f"{name}: some entries are NaN or infinite; remove or repair them.")
    return kernel[:n, :n], kernel[n:, :n], kernel[n:, n:]


def _blocks(jacobian: Any) -> Iterable[Any]:
    return [jacobian] if hasattr(jacobian, "shape") else jacobian


def _add(
    add: Callable[..., jax.Array],
    kernel: jax.Array,
    features: Callable[[jax.Array], list[jax.Array]],
    x1: jax.Array,
    x2: jax.Array | None,
    block: int,
    outputs: int,
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
                    kernel = add(kernel, one, another, row * outputs, column * outputs)
    return kernel


def _in_batches(take: Callable[[jax.Array], list[jax.Array]], batch: int, x: jax.Array) -> list[jax.Array]:
    """Gradients of a strip of inputs, in batches of one size so that one program is compiled."""
    batch = min(batch, len(x))
    parts = []
    for start in range(0, len(x), batch):
        part = x[start : start + batch]
        missing = batch - len(part)
        if missing:
            part = jnp.concatenate([part, jnp.repeat(part[:1], missing, axis=0)])
        parts.append([rows[: batch - missing] for rows in take(part)])
    return parts[0] if len(parts) == 1 else [jnp.concatenate(some) for some in zip(*parts, strict=True)]
