"""Tasks in turn, their best times and their bytes, as rows of the table."""

import math
import time
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

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


def best_seconds(tasks: Sequence[Callable[[], Any]], repeats: int = 3) -> tuple[list[float], list[Any]]:
    """Run tasks in turn, once to compile and ``repeats`` times for their best seconds.

    Tasks are functions without arguments. They are not repeated once :data:`ENOUGH` seconds have been timed.

    Returns:
        The best seconds of each, and what each returned.

    Example:
        >>> seconds, results = best_seconds([lambda: 1, lambda: 2])
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


def row(what: str, seconds: float, peer: str, peer_seconds: float, **known: Any) -> dict[str, Any]:
    """Return one row of the table; it is reached when every number asked for is.

    Args:
        what: First column, and so are the next ones.
        seconds: Ours.
        peer: What ours is compared with.
        peer_seconds: The peer's.
        **known: Other columns, ``needed`` among them. What is not given is NaN, and the note empty.

    Example:
        >>> row("ours", 1.0, "theirs", 3.0, needed=2, memory=10, memory_at_most=5)["reached"]
        False
    """
    made = dict.fromkeys(ROW, math.nan) | {"note": ""} | known
    made |= {"what": what, "seconds": seconds, "peer": peer, "peer_seconds": peer_seconds}
    made["ratio"] = peer_seconds / seconds
    bounds = ((made[name], made[f"{name}_at_most"]) for name in ("difference", "memory"))
    kept = all(have <= most for have, most in bounds if not math.isnan(most))
    return made | {"reached": bool(made["ratio"] >= made["needed"] and kept)}


class Peer(NamedTuple):
    """What a fast path is compared with; :func:`rows` times both.

    Attributes:
        name: What it is.
        task: A function without arguments; None where it cannot be run here.
        needed: The least ratio asked for.
        times: What its seconds are multiplied by, where it does a part of the work.
        admitted: The largest difference from ours; NaN if the two do not give the same numbers.
        memory: Bytes that it takes beside its arguments.

    Example:
        >>> Peer("theirs", lambda: 2, needed=1.5).times
        1.0
    """

    name: str
    task: Callable[[], Any] | None
    needed: float | int
    times: float | int = 1.0
    admitted: float = math.nan
    memory: float | int = math.nan


def rows(
    what: str,
    ours: Callable[[], Any],
    *peers: Peer,
    repeats: int = 3,
    see: Callable = np.asarray,
    **more: Any,
) -> list[dict[str, Any]]:
    """Time a fast path and its peers in turn, and return a row for each peer.

    Args:
        what: The fast path.
        ours: It, as a function without arguments.
        *peers: What it is compared with; of our result, as many entries as a peer gives are compared.
        repeats: As in :func:`best_seconds`.
        see: What is compared of our result.
        **more: Memory and note, as in :func:`row`.

    Example:
        >>> made = rows("ours", lambda: np.arange(9), Peer("theirs", lambda: np.arange(3), 0, admitted=1e-8))
        >>> made[0]["difference"], made[0]["reached"]
        (0.0, True)
    """
    if any(peer.task is None for peer in peers):
        missing = {"peer_seconds": math.nan, "note": "not installed"}
        return [row(what, math.nan, peer.name, needed=peer.needed, **missing) for peer in peers]
    (own, *others), (have, *wants) = best_seconds([ours, *(peer.task for peer in peers)], repeats)
    made = []
    for peer, seconds, want in zip(peers, others, wants, strict=True):
        found = {"needed": peer.needed, "difference_at_most": peer.admitted, "peer_memory": peer.memory}
        if not math.isnan(peer.admitted):
            found["difference"] = gap(see(have)[tuple(map(slice, want.shape))], want)
        made.append(row(what, own, peer.name, peer.times * seconds, **found, **more))
    return made


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table as it is printed: numbers with three digits, megabytes, and what was missed in words.

    Example:
        >>> shown(pd.DataFrame([row("ours", 1.0, "theirs", 2.5, needed=3.0)]))["reached"].item()
        'no'
    """

    def digits(value):
        return "-" if pd.isna(value) else f"{value:.3g}" if value < 1000 else f"{value:.0f}"

    numbers = table[["seconds", "ratio", "needed", "difference"]]
    bytes_ = (table[["memory", "peer_memory"]] / 2**20).set_axis(["MiB", "peer's MiB"], axis=1)
    said = pd.concat([numbers, bytes_], axis=1).map(digits)
    reached = table["reached"].map({True: "yes", False: "no"})
    return pd.concat([table[["what", "peer"]], said, reached, table["note"]], axis=1)


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
    seconds, _ = best_seconds([lambda: a @ other, lambda: multiply(b, b)])
    return 2.0 * size**3 / min(seconds)
