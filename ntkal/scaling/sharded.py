"""The empirical kernel over several devices: each differentiates its own inputs, and gradients go round."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import Array, Float

from ntkal.inputs import ArrayLike, as_inputs, check_int
from ntkal.kernels.gradients import gradients, groups, of_batch
from ntkal.kernels.network import ApplyFn, Logit, check_finite, check_logit, trace_network
from ntkal.kernels.program import Program

_AXIS = "devices"
_BATCH = 256  # inputs that a device differentiates at once


def sharded_ntk(
    apply_fn: ApplyFn,
    params: Any,
    x1: Float[ArrayLike, "n1 ..."],
    x2: Float[ArrayLike, "n2 ..."] | None = None,
    *,
    logit: Logit = "first",
    devices: Sequence[jax.Device] | None = None,
    memory: int = 2**31,
) -> Float[Array, "n1 n2"]:
    r"""Return the kernel of :func:`ntkal.empirical_ntk`, computed by all devices together.

    The rows are shared out. Each of D devices differentiates its share of the inputs once, and holds

    .. math:: \Theta_{d,e} = J_d J_e^\top, \qquad e = d, d + 1, \dots, d + D - 1 \pmod D,

    where the gradients :math:`J_e` go round in a ring: no device ever has those of all inputs. One device is
    a ring of one.

    Args:
        apply_fn: As in :func:`ntkal.empirical_ntk`.
        params: As in :func:`ntkal.empirical_ntk`; copied to each device.
        x1: Inputs, shape (n1, ...); their number need not be a multiple of that of the devices.
        x2: Inputs, shape (n2, ...); None stands for ``x1``.
        logit: As in :func:`ntkal.empirical_ntk`, except ``"all"``.
        devices: Devices to use; None stands for ``jax.devices()``.
        memory: Budget of each device for gradients, in bytes; its rows of the kernel come on top.

    Returns:
        The kernel in the network's precision, shape (n1, n2), its rows spread over the devices where n1 is a
        multiple of their number.

    Raises:
        ValueError: As :func:`ntkal.empirical_ntk`; for ``logit="all"``; when ``devices`` is empty or names
            one twice; when the gradient with respect to one parameter array does not fit.

    Source:
        The ring is that of Cannon (1969), in one dimension; sharding as in the JAX documentation,
        "Manual parallelism with shard_map".

    Example:
        >>> x = jnp.array([[1.0, 2.0], [3.0, 4.0]])
        >>> sharded_ntk(lambda w, x: x @ w, jnp.ones((2, 3)), x).tolist()
        [[5.0, 11.0], [11.0, 25.0]]
    """
    if logit == "all":
        raise ValueError("logit: 'all' is not shared out; choose one logit, 'mean' or 'sum'.")
    x1 = as_inputs("x1", x1)
    if x2 is not None:
        x2 = as_inputs("x2", x2)
        if x2.shape[1:] != x1.shape[1:]:
            raise ValueError(f"x2: expected inputs of shape {x1.shape[1:]} like x1, got {x2.shape[1:]}.")
        x1, x2 = (x.astype(jnp.result_type(x1, x2)) for x in (x1, x2))
    network = trace_network(apply_fn, params, x1=x1, x2=x2)
    logit = check_logit(logit, network.classes)
    check_int("memory", memory, low=1)
    mesh = _mesh(devices)
    left, n1 = _shares(x1, mesh)
    right, n2 = (left, n1) if x2 is None else _shares(x2, mesh)

    # Held by a device: its own gradients, and those that pass through, coming and going.
    rows = left.shape[1] + (2 if x2 is None else 3) * right.shape[1]
    sizes = {i: network.leaves[i].size * network.dtype.itemsize for i in network.moving}
    kernel = 0.0
    for group, width in groups(network, rows, memory, sizes):
        if rows * width > memory:
            said = f"{memory} bytes cannot hold {rows} gradients of {width} bytes on one device"
            raise ValueError(f"memory: {said}; give more, use more devices, or ntkal.scaling.compute.")
        take = gradients(network, logit, group)
        arrays = jax.device_put(take.arrays, NamedSharding(mesh, P()))
        both = []
        for x in (left,) if x2 is None else (left, right):
            batches = (x[:, at : at + _BATCH] for at in range(0, x.shape[1], _BATCH))
            parts = [_of_batch(mesh, take.program, arrays, some) for some in batches]
            both.append(jnp.concatenate(parts, axis=1))
        kernel = kernel + _ring(mesh, both[0], both[-1])
    kernel = kernel.reshape(-1, kernel.shape[-1])[:n1, :n2]
    check_finite(kernel, network, x1=x1, x2=x2)
    return kernel


def _mesh(devices: Sequence[jax.Device] | None) -> Mesh:
    devices = jax.devices() if devices is None else list(devices)
    if not (devices and all(isinstance(d, jax.Device) for d in devices)) or len(set(devices)) < len(devices):
        raise ValueError(f"devices: expected different devices, at least one, got {devices}.")
    return Mesh(np.array(devices), (_AXIS,))


def _shares(x: jax.Array, mesh: Mesh) -> tuple[jax.Array, int]:
    """Inputs as (devices, share, ...), the last share filled up with the first input, and how many count."""
    n = len(x)
    share = -(-n // mesh.size)
    missing = share * mesh.size - n
    if missing:
        x = jnp.concatenate([x, jnp.repeat(x[:1], missing, axis=0)])
    x = x.reshape(mesh.size, share, *x.shape[1:])
    return jax.device_put(x, NamedSharding(mesh, P(_AXIS))), n


@partial(jax.jit, static_argnums=(0, 1))
def _of_batch(mesh: Mesh, program: Program, arrays: Any, x: Float[Array, "d b ..."]) -> Float[Array, "d b p"]:
    def local(arrays, x):
        return of_batch(program, arrays, x[0])[0][:, 0][None]

    return _shard_map(local, mesh, (P(), P(_AXIS)))(arrays, x)


@partial(jax.jit, static_argnums=0)
def _ring(mesh: Mesh, left: Float[Array, "d s p"], right: Float[Array, "d t p"]) -> Float[Array, "d s n"]:
    count = mesh.size
    onward = [((device + 1) % count, device) for device in range(count)]

    def local(left, right):
        me = jax.lax.axis_index(_AXIS)
        strip = jnp.zeros((1, left.shape[1], count * right.shape[1]), left.dtype)
        for step in range(count):
            block = jnp.matmul(left[0], right[0].T, precision=jax.lax.Precision.HIGHEST)[None]
            owner = (me + step) % count
            strip = jax.lax.dynamic_update_slice_in_dim(strip, block, owner * right.shape[1], axis=2)
            if step + 1 < count:
                right = jax.lax.ppermute(right, _AXIS, onward)
        return strip

    return _shard_map(local, mesh, (P(_AXIS), P(_AXIS)))(left, right)


def _shard_map(local, mesh: Mesh, specs):
    if hasattr(jax, "shard_map"):
        return jax.shard_map(local, mesh=mesh, in_specs=specs, out_specs=P(_AXIS), check_vma=False)
    from jax.experimental.shard_map import shard_map  # its name in JAX 0.6.0

    return shard_map(local, mesh=mesh, in_specs=specs, out_specs=P(_AXIS), check_rep=False)
