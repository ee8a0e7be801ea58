"""What a learning curve is worth, the labels that it needs, and the seconds that its choices take."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.integrate import trapezoid

from ntkal.experiments.statistics.comparison import rivals
from ntkal.experiments.statistics.intervals import differences, interval, tested
from ntkal.experiments.statistics.tables import after_start, clean, complete, rows_of
from ntkal.inputs import as_float64


def area(table: pd.DataFrame, *, column="series", value="accuracy") -> pd.DataFrame:
    r"""Give the area under each seed's curve over the labels, divided by their range: a mean accuracy.

    :math:`\frac{1}{l_T - l_0} \sum_{t=1}^T \tfrac12 (v_{t-1} + v_t)(l_t - l_{t-1})` by the trapezoid rule, as
    Guyon, Cawley, Dror and Lemaire (2011), but without their log scale. A row a series and seed: ``column``,
    ``seed``, ``area``, which ``against(areas, by=None, value="area")`` compares.

    Example:
        >>> runs = pd.DataFrame({"series": "random", "seed": 0, "labels": [100, 120, 160],
        ...                      "accuracy": [0.8, 0.9, 0.9]})
        >>> round(float(area(runs)["area"].iloc[0]), 4)
        0.8833
    """
    rows = []
    for name, seed, labels, values in _curves(table, column, value):
        if len(labels) < 2:
            raise ValueError(f"table: {column} {name!r} has one number of labels; an area needs two.")
        rows.append((name, seed, float(trapezoid(values, labels) / (labels[-1] - labels[0]))))
    return pd.DataFrame(rows, columns=[column, "seed", "area"])


def labels_needed(table: pd.DataFrame, target: float, *, column="series", value="accuracy") -> pd.DataFrame:
    """Give the number of labels at which each seed's curve first reaches an accuracy.

    A curve with noise may dip, so it is replaced by its running maximum, and by a straight line between two
    of its points. The ``target`` is in the units of ``value``: 0.95, not 95, for accuracies.

    Returns:
        A row a series and seed: ``column``, ``seed``, ``needed`` and ``state``, which is "reached"; or
        "never", where ``needed`` is NaN; or "at the start", where ``needed`` is the number of labels at the
        start, an upper bound.

    Example:
        >>> runs = pd.DataFrame({"series": "random", "seed": 0, "labels": [100, 120, 140],
        ...                      "accuracy": [0.80, 0.78, 0.90]})
        >>> labels_needed(runs, 0.85)["needed"].tolist()
        [130.0]
    """
    target, rows = float(as_float64("target", target, ())), []
    for name, seed, labels, values in _curves(table, column, value):
        rising = np.maximum.accumulate(values)
        at = int(np.searchsorted(rising, target))
        state = "at the start" if at == 0 else "never" if at == len(rising) else "reached"
        ends = slice(max(at - 1, 0), at + 1)
        needed = np.nan if state == "never" else np.interp(target, rising[ends], labels[ends])
        rows.append((name, seed, float(needed), state))
    # Rounding far below one label keeps two curves that cross the target together from differing.
    return pd.DataFrame(rows, columns=[column, "seed", "needed", "state"]).round({"needed": 9})


def label_efficiency(
    table: pd.DataFrame, target: float, baseline="random", *, column="series", value="accuracy", level=0.95
) -> pd.DataFrame:
    """Give the labels that each series needs to reach an accuracy, and what it saves against the baseline.

    A seed that never reaches the target is counted, never dropped: dropping it would reward a series for
    failing. A mean over such seeds is unknown and given as NaN; the median takes them as larger than any
    other. Fix the ``target`` of :func:`labels_needed` before looking.

    Returns:
        A row a series, the baseline last: ``column``; ``mean``, ``low``, ``high`` and ``median`` of the
        labels needed; the numbers of seeds ``n``, of those that ``never`` reached the target and that had it
        ``at_start``; paired within seeds, baseline minus series, ``saved``, ``saved_low``, ``saved_high``,
        ``saved_p``, NaN unless all seeds of both reached it; and ``saved_at_least``, the mean saving had the
        baseline's others reached it with their last labels, NaN unless all seeds of the series reached it.

    Example:
        >>> runs = pd.DataFrame({"series": ["random"] * 2 + ["margin"] * 2, "seed": 0,
        ...                      "labels": [100, 120] * 2, "accuracy": [0.8, 0.9, 0.8, 1.0]})
        >>> label_efficiency(runs, 0.9)[["series", "mean", "saved"]].values.tolist()
        [['margin', 110.0, 10.0], ['random', 120.0, 0.0]]
    """
    names = [*rivals(table, baseline, column), baseline]
    needed = labels_needed(table, target, column=column, value=value).set_index("seed")
    last = table[table[column] == baseline].groupby("seed")["labels"].max()
    theirs = needed.loc[needed[column] == baseline, "needed"]
    rows = []
    for name in names:
        mine, state = (needed.loc[needed[column] == name, what] for what in ("needed", "state"))
        (*needs, _), gains = (
            list(tested(d, level).values())[:4] if d.notna().all() else [np.nan] * 4
            for d in (mine, theirs - mine)
        )
        counts = len(mine), (state == "never").sum(), (state == "at the start").sum()
        at_least = (theirs.fillna(last) - mine).mean(skipna=False)
        rows.append((name, *needs, mine.fillna(np.inf).median(), *counts, *gains, at_least))
    columns = [column, "mean", "low", "high", "median", "n", "never", "at_start"]
    columns += ["saved", "saved_low", "saved_high", "saved_p", "saved_at_least"]
    return pd.DataFrame(rows, columns=columns).replace({"median": np.inf}, np.nan)


def seconds_per_cycle(table: pd.DataFrame, *, column="series", level=0.95) -> pd.DataFrame:
    """Give the seconds that the choice of a cycle takes: mean over cycles within seeds, then over seeds.

    They are ``seconds_kernel`` and ``seconds_query`` of the cycles after cycle 0, where nothing is chosen.
    Training does not count; the first choice of a run includes compilation.

    Returns a row a series: ``column``, means ``kernel`` and ``query``, ``total``, ``low``, ``high``, ``n``.

    Example:
        >>> runs = pd.DataFrame({"series": "mlmoc", "seed": 0, "cycle": [0, 1, 2],
        ...                      "seconds_kernel": [0.0, 2.0, 4.0], "seconds_query": [0.0, 1.0, 1.0]})
        >>> seconds_per_cycle(runs)[["kernel", "query", "total"]].values.tolist()
        [[3.0, 1.0, 4.0]]
    """
    rows = [
        (name, part["kernel"].mean(), part["query"].mean(), *interval(part["total"], level), len(part))
        for name, part in _per_seed(table, column).groupby(column, sort=False, observed=True)
    ]
    return pd.DataFrame(rows, columns=[column, "kernel", "query", "total", "low", "high", "n"])


def times_faster(table: pd.DataFrame, fast: str, slow: str, *, column="series", level=0.95) -> pd.Series:
    r"""Give how many times longer the choice of a cycle takes in the series ``slow`` than in ``fast``.

    The geometric mean over seeds of :math:`r_s = \text{seconds}_s^{slow} / \text{seconds}_s^{fast}`, with
    Student's interval of :math:`\log r_s`: a ratio and its inverse are then treated alike. Both need the same
    seeds, run on the same machine, and more than no time. Returns ``mean``, ``low``, ``high`` and ``n``.

    Example:
        >>> runs = pd.DataFrame({"series": ["ntk", "retrain"], "seed": 0, "cycle": 1,
        ...                      "seconds_kernel": [2.0, 0.0], "seconds_query": [1.0, 360.0]})
        >>> round(float(times_faster(runs, "ntk", "retrain")["mean"]))
        120
    """
    seeds = _per_seed(rows_of(table, column, fast=fast, slow=slow), column)
    if not (seeds["total"] > 0).all():
        raise ValueError("table: a series has no seconds_kernel or seconds_query above 0; there is no ratio.")
    logs = seeds.assign(log=np.log(seeds["total"]), whole=0)
    ratios = differences(logs, slow, fast, column=column, by="whole", value="log")["difference"]
    mean, low, high = np.exp(interval(ratios, level))
    return pd.Series({"mean": mean, "low": low, "high": high, "n": len(ratios)})


def _curves(table: pd.DataFrame, column: str, value: str) -> Iterator[tuple]:
    rows = clean(table, [column, "labels", "seed"], ["labels", value])
    complete(rows, column, "labels")
    for (name, seed), part in rows.groupby([column, "seed"], sort=False, observed=True):
        part = part.sort_values("labels")
        yield name, seed, part["labels"].to_numpy(), part[value].to_numpy()


def _per_seed(table: pd.DataFrame, column: str) -> pd.DataFrame:
    columns = {"seconds_kernel": "kernel", "seconds_query": "query"}
    rows = clean(after_start(table), [column, "cycle", "seed"], list(columns)).rename(columns=columns)
    complete(rows, column, "cycle")
    seeds = rows.groupby([column, "seed"], sort=False, observed=True)[["kernel", "query"]].mean()
    return seeds.reset_index().assign(total=lambda t: t["kernel"] + t["query"])
