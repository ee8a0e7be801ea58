"""One comparison per series, decided on one number fixed beforehand, and corrected for how many there are."""

import numpy as np
import pandas as pd

from ntkal.experiments.statistics.intervals import differences, paired, tested
from ntkal.experiments.statistics.tables import after_start, clean, complete, rows_of
from ntkal.inputs import as_float64


def pooled(
    table: pd.DataFrame, a: str, b: str, *, column="series", by="cycle", value="accuracy", level=0.95
) -> pd.Series:
    r"""Give the mean difference ``a`` minus ``b`` over the whole curve: one number a seed, then over seeds.

    :math:`\bar d_s = \frac1T \sum_{t=1}^T (v^a_{s,t} - v^b_{s,t})` for each seed, then Student's interval and
    p value of the :math:`\bar d_s`. The T cycles of a seed are not T independent measurements, so they are
    averaged first. Cycle 0, where nothing has been chosen yet, does not count. ``by`` is None for a table of
    one row a seed, as of :func:`area`. Refused when ``a`` or ``b`` lacks a seed or a cycle of the other.
    Returns ``mean``, ``low``, ``high``, ``p`` and ``n``.

    Example:
        >>> runs = pd.DataFrame({"seed": [0, 0, 1, 1], "series": ["margin", "random"] * 2, "cycle": 1,
        ...                      "accuracy": [0.9, 0.8, 0.8, 0.76]})
        >>> float(pooled(runs, "margin", "random")["mean"].round(3))
        0.07
    """
    rows = rows_of(table, column, a=a, b=b)
    if by is None:
        rows, by = rows.assign(whole=0), "whole"
    elif by == "cycle":
        rows = after_start(rows)
    complete(rows, column, by)
    found = differences(rows, a, b, column=column, by=by, value=value).groupby("seed")["difference"]
    return pd.Series(tested(found.mean().round(12), level))


def against(
    table: pd.DataFrame, baseline="random", *, column="series", by="cycle", value="accuracy", level=0.95
) -> pd.DataFrame:
    """Compare every series with the baseline as :func:`pooled` does, corrected for how many there are.

    Returns ``column``, ``mean``, ``low``, ``high``, ``p``, ``p_holm`` and ``n``; intervals are not corrected.

    Example:
        >>> runs = pd.DataFrame({"seed": 0, "series": ["margin", "random"], "cycle": 1,
        ...                      "accuracy": [0.9, 0.8]})
        >>> against(runs)["series"].tolist()
        ['margin']
    """
    keywords = {"column": column, "by": by, "value": value, "level": level}
    names = rivals(table, baseline, column)
    out = pd.DataFrame([{column: name, **pooled(table, name, baseline, **keywords)} for name in names])
    out.insert(5, "p_holm", np.nan if out["p"].isna().any() else holm(out["p"]))
    return out.astype({"n": int})


def over_baseline(
    table: pd.DataFrame, baseline="random", *, column="series", by="labels", value="accuracy", level=0.95
) -> pd.DataFrame:
    """Give each series' paired difference from the baseline at each number of labels: the paper's figure 2.

    Returns ``column``, then the columns of :func:`paired`, and ``baseline``, the baseline's own mean there.

    Example:
        >>> runs = pd.DataFrame({"seed": 0, "series": ["margin", "random"], "labels": 1,
        ...                      "accuracy": [0.9, 0.8]})
        >>> over_baseline(runs)[["series", "labels", "mean", "baseline"]].values.tolist()
        [['margin', 1, 0.1, 0.8]]
    """
    names = rivals(table, baseline, column)
    complete(table, column, by)
    keywords = {"column": column, "by": by, "value": value, "level": level}
    parts = {name: paired(table, name, baseline, **keywords) for name in names}
    out = pd.concat(parts, names=[column]).reset_index(column).reset_index(drop=True)
    own = clean(table[table[column] == baseline], [by], [value]).groupby(by)[value].mean()
    return out.assign(baseline=out[by].map(own))


def rivals(table: pd.DataFrame, baseline: str, column: str = "series") -> list[str]:
    """Give the series beside the baseline, in the order of the table; a ValueError if there are none.

    Example:
        >>> rivals(pd.DataFrame({"series": ["random", "margin"]}), "random")
        ['margin']
    """
    rows_of(table, column, baseline=baseline)
    names = [name for name in table[column].unique() if name != baseline]
    if not names:
        raise ValueError(f"table: every row has {column} {baseline!r}, the baseline: nothing to compare.")
    return names


def holm(p) -> np.ndarray:
    r"""Give the adjusted p values (k,) of Holm (1979) for k comparisons, in the order given.

    With :math:`p_{(1)} \le \dots \le p_{(k)}`, :math:`\tilde p_{(i)} = \max_{j \le i} \min(1, (k - j + 1)\,
    p_{(j)})`. Calling a comparison a finding when its adjusted value is below 0.05 keeps the chance of even
    one false finding below 0.05, however the comparisons depend on each other; here they all share the
    baseline's runs.

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
