"""How the seconds grow with n, m and C: exponents by least squares in logarithms."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from ntkal.acquisition import mlmoc, mlmoc_norm
from ntkal.bench.problem import Case, made_up
from ntkal.bench.timing import best

BASE = {"n": 500, "m": 2000, "classes": 10}
"""The sizes that stay while one of them grows."""

SIZES = {"n": (500, 1000, 2000, 4000), "m": (1000, 2000, 4000, 8000), "classes": (10, 20, 40, 80)}
"""The sizes that one of them takes in turn."""

TASKS: dict[str, Callable[[Case], Any]] = {
    "norm form from kernels": lambda case: mlmoc_norm(case.fit()),
    "flip form": lambda case: mlmoc(case.post),
    "one reveal": lambda case: case.post.reveal(0, np.eye(case.post.mean.shape[1])[0]).cov,
}
"""What is timed."""


def run(
    sizes: dict[str, Sequence[int]] | None = None, base: dict[str, int] | None = None, repeats: int = 3
) -> pd.DataFrame:
    """Time each task while one size grows and the others stay.

    Args:
        sizes: The values of ``n``, ``m`` and ``classes``; :data:`SIZES` if None.
        base: The values that stay; :data:`BASE` if None.
        repeats: How many times each is timed; the best counts.

    Returns:
        Columns ``task``, ``grows``, ``size`` and ``seconds``.

    Example:
        >>> run({"m": (8, 16)}, {"n": 4, "m": 8, "classes": 2}, repeats=1)["size"].unique().tolist()
        [8, 16]
    """
    base, made = base or BASE, []
    for grows, values in (sizes or SIZES).items():
        for value in values:
            case = made_up(**{**base, grows: int(value)})
            for task, work in TASKS.items():
                (seconds,), _ = best([lambda work=work, case=case: work(case)], repeats)
                made.append({"task": task, "grows": grows, "size": int(value), "seconds": seconds})
    return pd.DataFrame(made)


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
