"""What a large pool costs from end to end in bounded memory: ``python -m ntkal.large 20000 100000``."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd
from jaxtyping import Float

from ntkal import data, models, training
from ntkal.acquisition import mlmoc, mlmoc_norm
from ntkal.experiments import results
from ntkal.inputs import check_int
from ntkal.kernels import empirical_ntk
from ntkal.kernels.sketch import gradient_sketch
from ntkal.lookahead import FactorLookahead

STORED = results.STORE / "large.parquet"
"""The table that chapter 18 shows."""

stored = partial(results.read, STORED)
"""Read that table, and how it was made."""

STEPS = ("sketch", "kernel", "fit", "norm", "flips", "reveal")
"""What is measured of a pool, in the order in which it happens."""


def digits_pool(m: int, rng: np.random.Generator, *, skip: int = 0) -> Float[np.ndarray, "m 8 8 1"]:
    """Return a pool of any size made of scikit-learn's digits: each moved, dimmed and made noisy at random.

    Args:
        m: Number of images.
        rng: Source of all draws.
        skip: Digits at the start of the training set that are left out, because they are labelled.

    Returns:
        Images in [0, 1], shape (m, 8, 8, 1), float32.

    Example:
        >>> digits_pool(5, np.random.default_rng(0)).shape
        (5, 8, 8, 1)
    """
    base = data.load("digits").x_train[check_int("skip", skip, low=0) :]
    chosen = base[rng.integers(len(base), size=check_int("m", m, low=1))]
    for axis in (1, 2):
        moved = rng.integers(-1, 2, size=m)
        for step in (-1, 1):
            chosen[moved == step] = np.roll(chosen[moved == step], step, axis=axis)
    light = rng.uniform(0.7, 1.0, (m, 1, 1, 1)).astype(np.float32)
    noise = 0.05 * rng.standard_normal(chosen.shape, dtype=np.float32)
    return np.clip(chosen * light + noise, 0, 1)


def measure(
    m: int,
    *,
    rank: int = 500,
    labels: int = 100,
    steps: int = 200,
    width: int = 16,
    dtype: str = "float32",
    seed: int = 0,
) -> dict[str, Any]:
    """Score a pool of m digits by MLMOC on sketched gradients, and measure each step.

    A small convolutional network is trained on the labelled digits. The gradients of the pool are sketched in
    a stream; the mean is exact, from the m x n kernel; the covariance is held by factors of the given rank.
    No array of the size m x m or m x p is ever made.

    Args:
        m: Size of the pool; see :func:`digits_pool`.
        rank: Features of the sketch.
        labels: Labelled digits n.
        steps: Steps of the training.
        width: Width of the network.
        dtype: Precision of the factors, as in :meth:`ntkal.lookahead.FactorLookahead.fit`.
        seed: Decides network, pool and sketch.

    Returns:
        One row: ``m``, ``rank``, ``labels``, ``classes``, ``parameters``; ``seconds_<step>``, processor time
        of all cores, for each of :data:`STEPS` (``flips`` without its tie-break, the norm form; ``reveal`` is
        the second, compiled); ``wall``, seconds from end to end; ``peak_bytes``, the largest memory that this
        process ever had; ``factor_bytes``; ``dense_bytes``, what m x m would take; ``pick``, the best one.

    Example:
        >>> row = measure(50, rank=8, labels=20, steps=2)
        >>> row["factor_bytes"], row["dense_bytes"]
        (1600, 20000)
    """
    began, seconds = time.perf_counter(), {}

    def timed(step: str, call: Callable[[], Any]) -> Any:
        start = time.process_time()
        out = jax.block_until_ready(call())
        seconds[f"seconds_{step}"] = time.process_time() - start
        return out

    digits = data.load("digits")
    x_l, y_l = digits.x_train[:labels], np.asarray(data.one_hot(digits.y_train[:labels], 10))
    pool = digits_pool(m, np.random.default_rng(seed), skip=labels)
    model = models.get("cnn", input_shape=(8, 8, 1), classes=10, width=width)
    keys = jax.random.split(jax.random.key(seed), 3)
    config = training.TrainConfig(steps=steps, batch_size=min(64, labels))
    params, _ = training.fit(model, model.init(keys[0]), x_l, y_l, config, keys[1])
    f_l, f_p = (np.asarray(training.predict(model, params, x)) for x in (x_l, pool))

    def kernel(x):
        return empirical_ntk(model.apply, params, x, x_l, memory=2**28)

    def sketch(x):
        return gradient_sketch(model.apply, params, x, rank=rank, key=keys[2])

    phi_l, phi_p = timed("sketch", lambda: (sketch(x_l), sketch(pool)))
    k_ll = empirical_ntk(model.apply, params, x_l)
    k_pl = timed("kernel", lambda: np.concatenate([kernel(pool[i : i + 4096]) for i in range(0, m, 4096)]))
    given = {"ridge": 0.01 * float(np.mean(np.diag(k_ll))), "dtype": dtype, "k_ll": k_ll, "k_pl": k_pl}
    post = timed("fit", lambda: FactorLookahead.fit(phi_l, phi_p, f_l, f_p, y_l, **given))
    del phi_p, given, k_pl
    timed("norm", lambda: mlmoc_norm(post))
    scores = np.asarray(timed("flips", lambda: mlmoc(post)))
    seconds["seconds_flips"] -= seconds["seconds_norm"]
    pick = int(np.argmax(scores))
    for _ in range(2):
        timed("reveal", lambda: post.reveal(pick, y_l[0]))
    return {
        "m": m,
        "rank": rank,
        "labels": labels,
        "classes": 10,
        "parameters": sum(leaf.size for leaf in jax.tree.leaves(params["weights"])),
        **seconds,
        "wall": time.perf_counter() - began,
        "peak_bytes": _peak_bytes(),
        "factor_bytes": post.factor.nbytes,
        "dense_bytes": 8 * m * m,
        "pick": pick,
    }


def _peak_bytes() -> int:
    try:
        import resource
    except ImportError:  # Windows does not say
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(argv: Sequence[str] | None = None) -> None:
    """Measure pools of some sizes, each in a process of its own, and write the table after each.

    Example:
        >>> main(["0"])
        Traceback (most recent call last):
            ...
        ValueError: m: expected a whole number at least 1, got 0.
    """
    from ntkal.scaling import pool_cost  # by its public name: this module may be running as the program

    parser = argparse.ArgumentParser(prog="python -m ntkal.large", description=main.__doc__.split("\n")[0])
    parser.add_argument("sizes", type=int, nargs="+", help="sizes of the pools")
    parser.add_argument("--rank", type=int, default=500, help="features of the sketch (default: 500)")
    parser.add_argument("--seed", type=int, default=0, help="seed of network, pool and sketch (default: 0)")
    parser.add_argument("--out", type=Path, default=STORED, help="file of the table")
    given = parser.parse_args(argv)
    sizes = [check_int("m", m, low=1) for m in given.sizes]
    options = {"rank": given.rank, "seed": given.seed}
    command = f"python -m ntkal.large {' '.join(map(str, sizes))} --rank {given.rank} --seed {given.seed}"
    made, rows = results.provenance(command=command, seeds=[given.seed]), []
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as one:
        for row in one.map(partial(pool_cost.measure, **options), sizes):
            rows.append(row)
            results.write(pd.DataFrame(rows), given.out, made)
    print(pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    main()
