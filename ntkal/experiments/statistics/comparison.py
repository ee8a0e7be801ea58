"""One comparison per series, decided on one number fixed beforehand, and corrected for how many there are."""

import numpy as np
import pandas as pd

from ntkal.experiments.statistics.intervals import differences, interval, p_value, paired, rows_of
from ntkal.experiments.statistics.tables import after_start, clean, complete, require
from ntkal.inputs import as_float64


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
    averaged first. Cycle 0, where nothing has been chosen yet, does not count. ``by`` is None for a table of
    one row a seed, such as that of :func:`ntkal.experiments.statistics.area`.

    Returns:
        ``mean``, ``low``, ``high``, ``p`` and ``n`` (number of seeds).

    Raises:
        ValueError: When ``a`` or ``b`` is not in the table, or lacks a seed or cycle that the other has.

    Example:
        >>> runs = pd.DataFrame({"seed": [0, 0, 1, 1], "series": ["margin", "random"] * 2, "cycle": 1,
        ...                      "accuracy": [0.9, 0.8, 0.8, 0.76]})
        >>> float(pooled(runs, "margin", "random")["mean"].round(3))
        0.07
    """
    require(table, [column, "seed", value, *([by] if by else [])])
    for name, which in (("a", a), ("b", b)):
        rows_of(table, name, which, column)
    rows = table[table[column].isin([a, b])]
    if by is None:
        rows, by = rows.assign(whole=0), "whole"
    elif by == "cycle":
        rows = after_start(rows)
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
    """Compare every series with the baseline as :func:`pooled` does, corrected for how many there are.

    Returns:
        One row a series: ``column``, ``mean``, ``low``, ``high``, ``p``, ``p_holm`` (NaN for a single seed)
        and ``n``; the intervals are not corrected.

    Raises:
        ValueError: As :func:`pooled` does, and when no series is left beside the baseline.

    Example:
        >>> runs = pd.DataFrame({"seed": [0, 0, 1, 1], "series": ["margin", "random"] * 2, "cycle": 1,
        ...                      "accuracy": [0.9, 0.8, 0.8, 0.76]})
        >>> against(runs)["series"].tolist()
        ['margin']
    """
    keywords = {"column": column, "by": by, "value": value, "level": level}
    names = rivals(table, baseline, column)
    out = pd.DataFrame([{column: name, **pooled(table, name, baseline, **keywords)} for name in names])
    out.insert(5, "p_holm", np.nan if out["p"].isna().any() else holm(out["p"]))
    return out.astype({"n": int})


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

    Returns:
        One row a series and point: ``column``, then the columns of :func:`paired`, and ``baseline``, the
        baseline's own mean there.

    Raises:
        ValueError: As :func:`against` does.

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
    own = clean(table[table[column] == baseline], [by], [value]).groupby(by)[value].mean()
    return out.assign(baseline=out[by].map(own))[[column, by, "mean", "low", "high", "p", "n", "baseline"]]


def rivals(table: pd.DataFrame, baseline: str, column: str = "series") -> list[str]:
    """Give the series beside the baseline, in the order of the table; a ValueError if there are none.

    Example:
        >>> rivals(pd.DataFrame({"series": ["random", "margin"]}), "random")
        ['margin']
    """
    rows_of(table, "baseline", baseline, column)
    names = [name for name in table[column].unique() if name != baseline]
    if not names:
        raise ValueError(
            f"table: every row has {column} {baseline!r}, the baseline; there is nothing to compare."
        )
    return names


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
        ValueError: When ``p`` is empty, no list of numbers, or has a value outside [0, 1].

    Source:
        Holm (1979), A simple sequentially rejective multiple test procedure.

    Example:
        >>> holm([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]
    """
    v = np.asarray(as_float64("p", p, (None,)))
    if not ((v >= 0) & (v <= 1)).all():
        raise ValueError(f"p: expected values between 0 and 1, got {v.tolist()}.")
    order = np.argsort(v, kind="stable")
    adjusted = np.empty_like(v)
    adjusted[order] = np.maximum.accumulate(np.minimum(1.0, np.arange(v.size, 0, -1) * v[order]))
    return adjusted
