"""Two tasks in turn, their best times and their bytes, as one row of the table."""

import math
import time
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

ROW = {
    "what": "our fast path",
    "seconds": "best time",
    "peer": "what it is compared with",
    "peer_seconds": "best time of the peer, scaled to the same work",
    "ratio": "peer_seconds / seconds",
    "needed": "the least ratio asked for",
    "difference": "largest difference of the two results, over the largest entry",
    "difference_at_most": "the largest difference admitted",
    "memory": "bytes that ours takes beside its arguments",
    "memory_at_most": "the most bytes admitted",
    "peer_memory": "bytes that the peer takes beside its arguments",
    "reached": "whether all that is asked for was reached",
    "note": "what cannot be seen from the numbers",
}
"""The columns of the table. Numbers that a row does not speak of are NaN."""

ENOUGH = 30.0
"""Seconds of timing after which tasks are not repeated."""

_NOTHING = math.nan


def best(tasks: Sequence[Callable[[], Any]], repeats: int = 3) -> tuple[list[float], list[Any]]:
    """Run tasks in turn, once to compile and ``repeats`` times for their best seconds.

    Tasks that take long are not repeated once :data:`ENOUGH` seconds have been timed.

    Args:
        tasks: Functions without arguments.
        repeats: How many times each is timed at most, at least 1.

    Returns:
        The best seconds of each, and what each returned.

    Example:
        >>> seconds, results = best([lambda: 1, lambda: 2])
        >>> results
        [1, 2]
    """
    results = [jax.block_until_ready(task()) for task in tasks]
    seconds, spent = [math.inf] * len(tasks), 0.0
    for _ in range(repeats):
        if spent > ENOUGH:
            break
        for i, task in enumerate(tasks):
            began = time.perf_counter()
            jax.block_until_ready(task())
            took = time.perf_counter() - began
            seconds[i], spent = min(seconds[i], took), spent + took
    return seconds, results


def gap(have: Any, want: Any) -> float:
    """Return the largest difference of two arrays, over the largest entry of the second.

    Example:
        >>> gap(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
        0.5
    """
    have, want = np.asarray(have), np.asarray(want)
    return float(np.max(np.abs(have - want)) / max(np.max(np.abs(want)), 1e-300))


def row(
    what: str,
    seconds: float,
    peer: str,
    peer_seconds: float,
    *,
    needed: float | int,
    difference: float = _NOTHING,
    difference_at_most: float = _NOTHING,
    memory: float | int = _NOTHING,
    memory_at_most: float | int = _NOTHING,
    peer_memory: float | int = _NOTHING,
    note: str = "",
) -> dict[str, Any]:
    """Return one row of the table; it is reached when every number asked for is.

    Example:
        >>> row("ours", 1.0, "theirs", 3.0, needed=2, memory=10, memory_at_most=5)["reached"]
        False
    """
    ratio = peer_seconds / seconds
    bounded = ((difference, difference_at_most), (memory, memory_at_most))
    reached = ratio >= needed and all(have <= most for have, most in bounded if not math.isnan(most))
    values = (what, seconds, peer, peer_seconds, ratio, float(needed), difference, difference_at_most)
    rest = (float(memory), float(memory_at_most), float(peer_memory), bool(reached), note)
    return dict(zip(ROW, values + rest, strict=True))


def missing(what: str, peer: str, needed: float | int, why: str) -> dict[str, Any]:
    """Return the row of a peer that is not here.

    Example:
        >>> missing("ours", "theirs", 2, "not installed")["note"]
        'not installed'
    """
    return row(what, _NOTHING, peer, _NOTHING, needed=needed, note=why)


def compiled_bytes(function: Callable, *arguments: Any) -> float:
    """Return the bytes of temporaries and results of a compiled function, by the compiler's own analysis.

    Example:
        >>> compiled_bytes(lambda x: x + 1, jnp.zeros(1000))
        8000.0
    """
    leaves, tree = jax.tree.flatten(arguments)
    compiled = jax.jit(lambda *leaves: function(*tree.unflatten(leaves))).lower(*leaves).compile()
    analysis = compiled.memory_analysis()
    return float(analysis.temp_size_in_bytes + analysis.output_size_in_bytes)


def numpy_bytes(task: Callable[[], Any]) -> float:
    """Return the most bytes that NumPy and Python held at a time during a task, by tracemalloc.

    Example:
        >>> numpy_bytes(lambda: np.ones(1000)) >= 8000
        True
    """
    tracemalloc.start()
    try:
        task()
        return float(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


def product_rate(size: int = 2000) -> float:
    """Return operations a second of this machine's product of float64 matrices: NumPy's or JAX's, the faster.

    Example:
        >>> product_rate(50) > 0
        True
    """
    a = np.random.default_rng(0).normal(size=(size, size))
    b, multiply = jnp.asarray(a), jax.jit(jnp.matmul)
    other = a + 1.0  # NumPy halves the work of a matrix with its own transpose; this is about a plain product
    seconds, _ = best([lambda: a @ other, lambda: multiply(b, b)])
    return 2.0 * size**3 / min(seconds)
