"""Features of the empirical kernel by random projection of the gradients, one batch of inputs at a time."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from ntkal.inputs import ArrayLike, as_inputs, check_choice, check_int
from ntkal.kernels.gradients import CACHE, gradients, held
from ntkal.kernels.host import joined
from ntkal.kernels.network import ApplyFn, Logit, check_finite, check_logit, trace_network

_CHUNK = 4096
"""Parameters projected at once; the numbers drawn depend on it, so changing it changes every sketch."""


def gradient_sketch(
    apply_fn: ApplyFn,
    params: Any,
    x: Float[ArrayLike, "n ..."],
    *,
    rank: int,
    key: Key[Array, ""],
    kind: str = "rademacher",
    logit: Logit = "first",
    batch_size: int | None = None,
    memory: int = 2**28,
) -> Float[Array, "n r"]:
    r"""Return r random features whose products estimate the empirical kernel without bias.

    .. math:: \phi(x) = R^\top \frac{\partial g(x)}{\partial\theta} \in \mathbb{R}^r, \qquad
              \mathbb{E}\, R R^\top = I, \qquad \mathbb{E}\, \phi(x)^\top \phi(x') = \Theta(x, x')

    The gradients of a batch are projected and dropped before the next batch is differentiated, and R is drawn
    again from the key, 4096 rows at a time: neither an n x p nor a p x r array ever exists. The same key
    gives the same R, so labelled inputs and pool may be sketched in separate calls.

    The error of an entry has a standard deviation of at most :math:`\sqrt{2 / r}` times
    :math:`\sqrt{\Theta(x,x) \, \Theta(x',x')}`; for the count sketch that holds on average over parameters
    of like size, and single large ones can collide.

    Args:
        apply_fn: As in :func:`ntkal.empirical_ntk`.
        params: As in :func:`ntkal.empirical_ntk`.
        x: Inputs, shape (n, ...).
        rank: Number of features r, at least 1.
        key: JAX random key; it alone decides R.
        kind: ``"rademacher"`` (signs over sqrt(r)) and ``"gaussian"`` cost 2 p r operations an input;
            ``"count"`` adds each gradient entry, with a random sign, to one of the r features: p operations.
        logit: As in :func:`ntkal.empirical_ntk`, except ``"all"``.
        batch_size: Inputs differentiated at once; None chooses. It does not change the result.
        memory: Budget for the gradients of a batch, in bytes.

    Returns:
        The features, shape (n, r), in the network's precision: the arguments ``phi_l`` and ``phi_p`` of
        :meth:`ntkal.lookahead.FactorLookahead.fit`.

    Raises:
        ValueError: As :func:`ntkal.empirical_ntk`, for ``logit="all"`` and for an unknown kind.

    Source:
        Achlioptas (2003), Database-friendly random projections, for the signs; Charikar, Chen and
        Farach-Colton (2002) for the count sketch; Park, Georgiev, Ilyas, Leclerc and Mądry (2023), TRAK, for
        projecting the gradients of a network.

    Example:
        >>> x, key = jnp.eye(3) + 1.0, jax.random.key(0)
        >>> phi = gradient_sketch(lambda w, x: x @ w, jnp.ones((3, 2)), x, rank=2000, key=key)
        >>> phi.shape, bool(jnp.allclose(phi @ phi.T, x @ x.T, rtol=0.2))
        ((3, 2000), True)
    """
    rank = check_int("rank", rank, low=1)
    check_choice("kind", kind, _ADD)
    project = partial(_project, key=key, rank=rank, kind=kind)
    return _by_batches(project, apply_fn, params, x, logit, batch_size, memory)


def ntk_diagonal(
    apply_fn: ApplyFn,
    params: Any,
    x: Float[ArrayLike, "n ..."],
    *,
    logit: Logit = "first",
    batch_size: int | None = None,
    memory: int = 2**28,
) -> Float[Array, " n"]:
    r"""Return the diagonal of the empirical kernel alone, :math:`\|\partial g(x) / \partial\theta\|^2`.

    Args:
        apply_fn: This and all else as in :func:`gradient_sketch`, with its errors.
        params: Pytree of parameters.
        x: Inputs, shape (n, ...).
        logit: Not ``"all"``.
        batch_size: Inputs differentiated at once; None chooses.
        memory: Bytes.

    Returns:
        The diagonal, shape (n,), in the network's precision.

    Example:
        >>> ntk_diagonal(lambda w, x: x @ w, jnp.ones((2, 3)), jnp.array([[1.0, 2.0], [3.0, 4.0]])).tolist()
        [5.0, 25.0]
    """

    def squares(rows):
        return jnp.einsum("bp,bp->b", rows, rows, precision="highest")

    return _by_batches(squares, apply_fn, params, x, logit, batch_size, memory)


def _by_batches(
    reduce: Callable[[Float[Array, "b p"]], Float[Array, "b ..."]],
    apply_fn: ApplyFn,
    params: Any,
    x: ArrayLike,
    logit: Logit,
    batch_size: int | None,
    memory: int,
) -> Float[Array, "n ..."]:
    """Reduce the gradients of batch after batch, all of one size so that one program is compiled."""
    if logit == "all":
        raise ValueError("logit: 'all' has no single kernel; choose one logit, 'mean' or 'sum'.")
    check_int("memory", memory, low=1)
    batch = 256 if batch_size is None else check_int("batch_size", batch_size, low=1)
    # A few inputs are looked at here: the pool may be larger than the device, and is read batch by batch.
    as_inputs("x", x[:1] if np.ndim(x) > 1 else x)
    network = trace_network(apply_fn, params, x=x)
    logit = check_logit(logit, network.classes)
    take = gradients(network, logit, network.moving)
    _, work, _ = held(network)
    row = network.dtype.itemsize * sum(network.leaves[i].size for i in network.moving)
    if row > memory:
        raise ValueError(f"memory: {memory} bytes cannot hold one gradient of {row} bytes; give more.")
    batch = min(batch, len(x), memory // row)
    # On a CPU, as many at a time as have their activations in its cache: twice as fast.
    at_once = max(1, CACHE // sum(work.values())) if jax.default_backend() == "cpu" else batch

    def parts():
        for start in range(0, len(x), batch):
            part = as_inputs("x", x[start : start + batch])
            count = len(part)
            part = jnp.concatenate([part, jnp.repeat(part[:1], batch - count, axis=0)])
            rows = [take(part[i : i + at_once])[0][:, 0] for i in range(0, batch, at_once)]
            yield reduce(jnp.concatenate(rows))[:count]

    result = joined(parts())
    check_finite(result, network, x=x)
    return result


@partial(jax.jit, static_argnames=("rank", "kind"))
def _project(rows: Float[Array, "b p"], key: jax.Array, rank: int, kind: str) -> Float[Array, "b r"]:
    chunks = -(-rows.shape[1] // _CHUNK)
    padded = jnp.pad(rows, ((0, 0), (0, chunks * _CHUNK - rows.shape[1])))

    def step(chunk, total):
        part = jax.lax.dynamic_slice_in_dim(padded, chunk * _CHUNK, _CHUNK, axis=1)
        return _ADD[kind](total, part, jax.random.fold_in(key, chunk))

    return jax.lax.fori_loop(0, chunks, step, jnp.zeros((len(rows), rank), rows.dtype))


def _add_gaussian(total: jax.Array, part: jax.Array, key: jax.Array) -> jax.Array:
    directions = jax.random.normal(key, (_CHUNK, total.shape[1]), jnp.float32).astype(part.dtype)
    return total + jnp.matmul(part, directions, precision="highest") / total.shape[1] ** 0.5


def _add_rademacher(total: jax.Array, part: jax.Array, key: jax.Array) -> jax.Array:
    signs = _signs(key, (_CHUNK, total.shape[1]), part.dtype)
    return total + jnp.matmul(part, signs, precision="highest") / total.shape[1] ** 0.5


def _add_count(total: jax.Array, part: jax.Array, key: jax.Array) -> jax.Array:
    where, sign = jax.random.split(key)
    feature = jax.random.randint(where, (_CHUNK,), 0, total.shape[1])
    return total.at[:, feature].add(part * _signs(sign, (_CHUNK, 1), part.dtype)[:, 0][None, :])


def _signs(key: jax.Array, shape: tuple[int, int], dtype: Any) -> jax.Array:
    """Random signs; each drawn word gives 32 of them."""
    words = jax.random.bits(key, (shape[0] // 32, 1, shape[1]), jnp.uint32)
    bits = (words >> jnp.arange(32, dtype=jnp.uint32)[None, :, None]) & 1
    return 2 * bits.reshape(shape).astype(dtype) - 1


_ADD = {"gaussian": _add_gaussian, "rademacher": _add_rademacher, "count": _add_count}
