"""One comparison per series, decided on one number fixed beforehand, and corrected for how many there are."""

import numpy as np
import pandas as pd

from ntkal.experiments.statistics.intervals import differences, interval, p_value, paired
from ntkal.experiments.statistics.tables import complete, require


def pooled(
    table: pd.DataFrame,
    a: str,
    b: str,
    *,
    column: str = "series",
    by: str | None = "cycle",
    value: str = "accuracy",
    level: float = 0.95,
) -> pd.Series:
    r"""Give the mean difference ``a`` minus ``b`` over the whole curve: one number a seed, then over seeds.

    :math:`\bar d_s = \frac1T \sum_{t=1}^T (v^a_{s,t} - v^b_{s,t})` for each seed, then Student's interval and
    p value of the :math:`\bar d_s`. The T cycles of a seed are not T independent measurements, so they are
    averaged first. Cycle 0, where nothing has been chosen yet, does not count.

    Args:
        table: Rows of runs, with a column ``seed``; both curves need every seed at every point.
        a: Value of ``column`` to compare.
        b: Value of ``column`` to compare it with.
        column: Column that tells the two apart.
        by: Column of the points of a curve; None for a table of one row a seed, such as that of
            :func:`ntkal.experiments.statistics.area`.
        value: Column to compare.
        level: Coverage of the interval.

    Returns:
        ``mean``, ``low``, ``high``, ``p`` and ``n`` (number of seeds).

    Raises:
        ValueError: When a column, ``a`` or ``b`` is missing, or one lacks a seed or a cycle that the other
        has.

    Source:
        Student (1908), The probable error of a mean.

    Example:
        >>> runs = pd.DataFrame({"seed": [0, 0, 1, 1], "series": ["margin", "random"] * 2, "cycle": 1,
        ...                      "accuracy": [0.9, 0.8, 0.8, 0.76]})
        >>> float(pooled(runs, "margin", "random")["mean"].round(3))
        0.07
    """
    require(table, [column, "seed", value, *([by] if by else [])])
    rows = table[table[column].isin([a, b])]
    if by is None:
        rows, by = rows.assign(whole=0), "whole"
    elif by == "cycle":
        rows = rows[rows["cycle"] > 0]
        if rows.empty:
            raise ValueError(
                "table: no cycle after cycle 0, so nothing was chosen and there is nothing to pool."
            )
    if a in set(rows[column]) and b in set(rows[column]):
        complete(rows, column, by)
    per_seed = differences(rows, a, b, column=column, by=by, value=value).groupby("seed")["difference"]
    per_seed = per_seed.mean().round(12)
    mean, low, high = interval(per_seed, level)
    return pd.Series({"mean": mean, "low": low, "high": high, "p": p_value(per_seed), "n": len(per_seed)})


def against(
    table: pd.DataFrame,
    baseline: str = "random",
    *,
    column: str = "series",
    by: str | None = "cycle",
    value: str = "accuracy",
    level: float = 0.95,
) -> pd.DataFrame:
    """Compare every series with the baseline over the whole curve, corrected for the number of comparisons.

    Args:
        table: Rows of runs, as for :func:`pooled`.
        baseline: The series that the others are compared with.
        column: Column that tells series apart.
        by: As for :func:`pooled`.
        value: Column to compare.
        level: Coverage of each interval, uncorrected.

    Returns:
        One row a series: ``column``, ``mean``, ``low``, ``high``, ``p``, ``p_holm`` (NaN for a single seed)
        and ``n``.

    Raises:
        ValueError: As :func:`pooled` does, and when no series is left beside the baseline.

    Example:
        >>> runs = pd.DataFrame({"seed": [0, 0, 1, 1], "series": ["margin", "random"] * 2, "cycle": 1,
        ...                      "accuracy": [0.9, 0.8, 0.8, 0.76]})
        >>> against(runs)["series"].tolist()
        ['margin']
    """
    keywords = {"column": column, "by": by, "value": value, "level": level}
    rows = [
        {column: name, **pooled(table, name, baseline, **keywords)}
        for name in rivals(table, baseline, column)
    ]
    out = pd.DataFrame(rows).astype({"n": int})
    out.insert(5, "p_holm", np.nan if out["p"].isna().any() else holm(out["p"]))
    return out


def over_baseline(
    table: pd.DataFrame,
    baseline: str = "random",
    *,
    column: str = "series",
    by: str = "labels",
    value: str = "accuracy",
    level: float = 0.95,
) -> pd.DataFrame:
    """Give each series' paired difference from the baseline at each number of labels: the paper's figure 2.

    Args:
        table: Rows of runs, with a column ``seed``; every series needs the baseline's seeds at every point.
        baseline: The series whose mean is the zero line.
        column: Column that tells series apart.
        by: Column of the horizontal axis.
        value: Column to compare.
        level: Coverage of the intervals.

    Returns:
        One row a series and point: ``column``, ``by``, ``mean``, ``low``, ``high``, ``p``, ``n`` and
        ``baseline``, the baseline's own mean at that point.

    Raises:
        ValueError: When a column, the baseline or a seed is missing, or no series is left beside the
        baseline.

    Source:
        Mohamadi, Bae and Sutherland (2022), figure 2.

    Example:
        >>> runs = pd.DataFrame({"seed": 0, "series": ["margin", "random"], "labels": 120,
        ...                      "accuracy": [0.9, 0.8]})
        >>> over_baseline(runs)[["series", "labels", "mean", "baseline"]].values.tolist()
        [['margin', 120, 0.1, 0.8]]
    """
    names = rivals(table, baseline, column)
    complete(table, column, by)
    keywords = {"column": column, "by": by, "value": value, "level": level}
    parts = [paired(table, name, baseline, **keywords).assign(**{column: name}) for name in names]
    out = pd.concat(parts, ignore_index=True)
    out["baseline"] = out[by].map(table[table[column] == baseline].groupby(by)[value].mean())
    return out[[column, by, "mean", "low", "high", "p", "n", "baseline"]]


def rivals(table: pd.DataFrame, baseline: str, column: str = "series") -> list[str]:
    """Give the series beside the baseline, in the order of the table.

    Raises:
        ValueError: When the baseline is not in the table or nothing else is.

    Example:
        >>> rivals(pd.DataFrame({"series": ["random", "margin"]}), "random")
        ['margin']
    """
    require(table, [column])
    names = list(table[column].unique())
    present = ", ".join(map(str, names))
    if baseline not in names:
        raise ValueError(f"baseline: no row has {column} {baseline!r}; the table has {present}.")
    if len(names) == 1:
        raise ValueError(
            f"table: every row has {column} {baseline!r}, the baseline; there is nothing to compare."
        )
    return [name for name in names if name != baseline]


def holm(p) -> np.ndarray:
    r"""Give Holm's adjusted p values for several comparisons.

    With :math:`p_{(1)} \le \dots \le p_{(k)}`, :math:`\tilde p_{(i)} = \max_{j \le i} \min(1, (k - j + 1)\,
    p_{(j)})`. Calling a comparison a finding when its adjusted value is below 0.05 keeps the chance of even
    one false finding below 0.05, however the comparisons depend on each other; here they all share the
    baseline's runs. (Controlling the share of false findings, as :func:`scipy.stats.false_discovery_control`
    does, suits hundreds of comparisons, not a handful that are each quoted alone.)

    Args:
        p: p values between 0 and 1, shape (k,).

    Returns:
        Adjusted p values in the order given, shape (k,), float64.

    Raises:
        ValueError: When ``p`` is empty, no list, or has a value outside [0, 1].

    Source:
        Holm (1979), A simple sequentially rejective multiple test procedure.

    Example:
        >>> holm([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]
    """
    v = np.asarray(p, dtype=np.float64)
    if v.ndim != 1 or v.size == 0:
        raise ValueError(f"p: expected a list of at least one p value, got shape {v.shape}.")
    if not ((v >= 0) & (v <= 1)).all():
        raise ValueError(f"p: expected values between 0 and 1, got {v.tolist()}.")
    order = np.argsort(v, kind="stable")
    stepped = np.minimum(1.0, np.arange(v.size, 0, -1) * v[order])
    adjusted = np.empty_like(v)
    adjusted[order] = np.maximum.accumulate(stepped)
    return adjusted
