"""What a choice costs in seconds, and how many times faster one way is than another."""

import numpy as np
import pandas as pd

from ntkal.experiments.statistics.intervals import differences, interval
from ntkal.experiments.statistics.tables import complete, require


def seconds_per_cycle(table: pd.DataFrame, *, column: str = "series", level: float = 0.95) -> pd.DataFrame:
    """Give the seconds that the choice of a cycle takes: mean over cycles within seeds, then over seeds.

    Cycle 0, where nothing is chosen, does not count, and neither does training. The first choice of a run
    includes compilation.

    Args:
        table: Rows of runs: ``column``, ``seed``, ``cycle``, ``seconds_kernel``, ``seconds_query``.
        column: Column that tells series apart.
        level: Coverage of the interval.

    Returns:
        One row a series: ``column``, the means ``kernel`` and ``query``, their sum ``total`` with its
        interval ``low`` and ``high``, and ``n`` (number of seeds).

    Raises:
        ValueError: When a column or a seed is missing, or there is no cycle after cycle 0.

    Example:
        >>> runs = pd.DataFrame({"series": "mlmoc", "seed": 0, "cycle": [0, 1, 2],
        ...                      "seconds_kernel": [0.0, 2.0, 4.0], "seconds_query": [0.0, 1.0, 1.0]})
        >>> seconds_per_cycle(runs)[["kernel", "query", "total"]].values.tolist()
        [[3.0, 1.0, 4.0]]
    """
    seeds = _per_seed(table, column)
    rows = []
    for name, part in seeds.groupby(column, sort=False):
        total, low, high = interval(part["total"], level)
        rows.append((name, part["kernel"].mean(), part["query"].mean(), total, low, high, len(part)))
    return pd.DataFrame(rows, columns=[column, "kernel", "query", "total", "low", "high", "n"])


def times_faster(
    table: pd.DataFrame, fast: str, slow: str, *, column: str = "series", level: float = 0.95
) -> pd.Series:
    r"""Give how many times longer the choice of a cycle takes in one series than in another.

    The geometric mean over seeds of :math:`r_s = \text{seconds}_s^{slow} / \text{seconds}_s^{fast}`, with
    Student's interval of :math:`\log r_s`: a ratio and its inverse are then treated alike.

    Args:
        table: Rows of runs, as for :func:`seconds_per_cycle`.
        fast: Series of the denominator.
        slow: Series of the numerator; both need the same seeds, run on the same machine.
        column: Column that tells series apart.
        level: Coverage of the interval.

    Returns:
        ``mean``, ``low``, ``high`` and ``n`` (number of seeds).

    Raises:
        ValueError: When a series or a seed is missing, or a series took no time.

    Example:
        >>> runs = pd.DataFrame({"series": ["ntk", "retrain"], "seed": 0, "cycle": 1,
        ...                      "seconds_kernel": [2.0, 0.0], "seconds_query": [1.0, 360.0]})
        >>> round(float(times_faster(runs, "ntk", "retrain")["mean"]))
        120
    """
    require(table, [column])
    seeds = _per_seed(table[table[column].isin([fast, slow])], column).assign(whole=0)
    if not (seeds["total"] > 0).all():
        raise ValueError(
            "table: a series has no seconds_kernel or seconds_query above 0, so there is no ratio."
        )
    logs = seeds.assign(log=np.log(seeds["total"]))
    ratios = differences(logs, slow, fast, column=column, by="whole", value="log")["difference"]
    mean, low, high = np.exp(interval(ratios, level))
    return pd.Series({"mean": mean, "low": low, "high": high, "n": len(ratios)})


def _per_seed(table: pd.DataFrame, column: str) -> pd.DataFrame:
    require(table, [column, "seed", "cycle", "seconds_kernel", "seconds_query"])
    rows = table[table["cycle"] > 0]
    if rows.empty:
        raise ValueError("table: no cycle after cycle 0, so nothing was chosen and no time was taken.")
    complete(rows, column, "cycle")
    if not np.isfinite(rows[["seconds_kernel", "seconds_query"]].to_numpy(dtype=np.float64)).all():
        raise ValueError("table: seconds_kernel or seconds_query has values that are NaN or infinite.")
    names = {"seconds_kernel": "kernel", "seconds_query": "query"}
    seeds = rows.groupby([column, "seed"], sort=False)[list(names)].mean().rename(columns=names).reset_index()
    return seeds.assign(total=seeds["kernel"] + seeds["query"])
