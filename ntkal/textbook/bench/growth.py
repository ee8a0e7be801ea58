"""How the seconds grow with n, m, C and p: exponents by least squares in logarithms."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np
import pandas as pd
from scipy import stats
from tqdm import tqdm

from ntkal.acquisition import mlmoc, mlmoc_norm
from ntkal.kernels import empirical_ntk, gradient_sketch
from ntkal.textbook.bench.from_kernels import Case, made_up
from ntkal.textbook.bench.networks import network
from ntkal.textbook.bench.timing import best_seconds

BASE = {"n": 500, "m": 2000, "classes": 10}
SIZES = {
    "n": (500, 1000, 2000, 4000),
    "m": (1000, 2000, 4000, 8000),
    "classes": (10, 20, 40, 80),
    "width": (16, 32, 64, 128),
}
"""The values of each size while those of ``BASE`` stay; a width decides the number p of parameters."""

# What is timed while n, m or C grows.
TASKS: dict[str, Callable[[Case], Any]] = {
    "norm form from kernels": lambda case: mlmoc_norm(case.fit()),
    "flip form": lambda case: mlmoc(case.post),
    "one reveal": lambda case: case.post.reveal(0, np.eye(case.post.mean.shape[1])[0]).cov,
}
INPUTS, RANK = 500, 256
"""Inputs of the network, and features of its sketch, while the number of parameters grows."""


def run(
    sizes: dict[str, Sequence[int]] | None = None, base: dict[str, int] | None = None, repeats: int = 3
) -> pd.DataFrame:
    """Time each task while one size grows and the others stay.

    Args:
        sizes: The values of ``n``, ``m``, ``classes`` and ``width``; :data:`SIZES` if None.
        base: The values that stay; :data:`BASE` if None.
        repeats: How many times each is timed; the best counts.

    Returns:
        Columns ``task``, ``grows``, ``size`` and ``seconds``. Where the width grows, ``grows`` is ``"p"`` and
        ``size`` the number of parameters.

    Example:
        >>> run({"m": (8, 16)}, {"n": 4, "m": 8, "classes": 2}, repeats=1)["size"].unique().tolist()
        [8, 16]
    """
    made = []
    for grows, values in (sizes or SIZES).items():
        for value in tqdm(values, desc=f"growing {grows}"):
            name, size = grows, int(value)
            if grows == "width":
                name, (size, tasks) = "p", _network(size)
            else:
                case = made_up(**{**(base or BASE), grows: size})
                tasks = {task: partial(work, case) for task, work in TASKS.items()}
            for task, work in tasks.items():
                seconds = best_seconds([work], repeats)[0][0]
                made.append({"task": task, "grows": name, "size": size, "seconds": seconds})
    return pd.DataFrame(made)


def _network(width: int) -> tuple[int, dict[str, Callable[[], Any]]]:
    """The number of parameters of a convolutional network for 8 x 8 images, and its kernel's tasks."""
    model, params, x = network("cnn", INPUTS, (8, 8, 1), width)
    sketch = partial(gradient_sketch, model.apply, params, x, rank=RANK, key=jax.random.key(1))
    tasks = {"one-logit kernel": partial(empirical_ntk, model.apply, params, x), "sketched gradients": sketch}
    return sum(leaf.size for leaf in jax.tree.leaves(params)), tasks


def exponents(times: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    r"""Fit :math:`\log t = a + b \log s` for each task and size.

    Args:
        times: As :func:`run` gives it, at least three sizes each.
        level: Of the interval, by Student's t.

    Returns:
        Columns ``task``, ``grows``, ``exponent``, ``low`` and ``high``.

    Example:
        >>> times = pd.DataFrame({"task": "a", "grows": "m", "size": [1, 2, 4], "seconds": [3.0, 12.0, 48.0]})
        >>> round(exponents(times)["exponent"].item(), 6)
        2.0
    """
    made = []
    for (task, grows), part in times.groupby(["task", "grows"], sort=False):
        fit = stats.linregress(np.log(part["size"]), np.log(part["seconds"]))
        reach = stats.t.ppf((1 + level) / 2, len(part) - 2) * fit.stderr
        made.append((task, grows, fit.slope, fit.slope - reach, fit.slope + reach))
    return pd.DataFrame(made, columns=["task", "grows", "exponent", "low", "high"])
