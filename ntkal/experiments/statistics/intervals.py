"""Mean, interval and paired difference over seeds: the numbers that every comparison is made of."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from ntkal.experiments.statistics.tables import clean, rows_of
from ntkal.inputs import as_float64, check_number


def interval(values, level: float = 0.95) -> tuple[float, float, float]:
    r"""Return the mean of some values and the two ends of Student's interval for it.

    :math:`\bar v \pm t_{n-1}\, s / \sqrt n`, with :math:`s` the standard deviation of divisor :math:`n-1`.

    Args:
        values: One number a seed, shape (n,), finite, not booleans; a single one has NaN for both ends.
        level: Coverage, between 0 and 1.

    Example:
        >>> interval([0.8, 0.9, 1.0])
        (0.9, 0.6515..., 1.1484...)
    """
    v = np.asarray(as_float64("values", values, (None,)))
    level, mean = check_number("level", level, low=0, high=1), float(v.mean())
    if v.size == 1:
        return mean, float("nan"), float("nan")
    half = float(stats.t.ppf((1 + level) / 2, v.size - 1) * v.std(ddof=1) / np.sqrt(v.size))
    return mean, mean - half, mean + half


def p_value(differences) -> float:
    r"""Give the two-sided p value of Student's test that differences have mean zero; NaN for a single one.

    :math:`p = 2\,P(T_{n-1} > |\bar d| \sqrt n / s)` is below 0.05 exactly when the 95% :func:`interval`
    excludes zero. Without any spread it is the limit: 1 when all differences are zero, as in the cycle that
    all series share, and 0 when all are the same other number.

    Example:
        >>> round(p_value([0.01, 0.02, 0.03]), 3)
        0.074
    """
    d = np.asarray(as_float64("differences", differences, (None,)))
    if d.size == 1:
        return float("nan")
    if np.ptp(d) <= 1e-12 * np.abs(d).max():
        return 1.0 if d[0] == 0 else 0.0
    return float(stats.ttest_1samp(d, 0.0).pvalue)


def tested(differences, level: float) -> dict[str, float]:
    """Give ``mean``, ``low``, ``high``, ``p`` and ``n`` of differences within seeds."""
    mean, low, high = interval(differences, level)
    return {"mean": mean, "low": low, "high": high, "p": p_value(differences), "n": len(differences)}


def summary(
    table: pd.DataFrame, by: str | Sequence[str] = ("strategy", "labels"), value="accuracy", level=0.95
) -> pd.DataFrame:
    """Give ``mean``, ``low``, ``high`` and ``n`` over seeds for each group that the columns ``by`` make.

    Example:
        >>> runs = pd.DataFrame({"seed": [0, 1], "strategy": "random", "labels": 100, "accuracy": [0.8, 0.9]})
        >>> summary(runs)[["strategy", "labels", "n"]].values.tolist()
        [['random', 100, 2]]
    """
    keys = [by] if isinstance(by, str) else list(by)
    groups = clean(table, [*keys, "seed"], [value]).groupby(keys, sort=False, observed=True)[value]
    found = [(*group, *interval(values, level), len(values)) for group, values in groups]
    return pd.DataFrame(found, columns=[*keys, "mean", "low", "high", "n"])


def paired(
    table: pd.DataFrame, a: str, b: str, *, column="strategy", by="labels", value="accuracy", level=0.95
) -> pd.DataFrame:
    """Give the mean difference ``a`` minus ``b`` within seeds, a row for each value of ``by``.

    Two runs of one seed share their start set, initial weights and subsets' order (see :func:`ntkal.run`), so
    their difference varies less than either and the interval is the narrower for it. Refused when one has
    rows that the other lacks. Returns ``by``, ``mean``, ``low``, ``high``, ``p`` and ``n``.

    Example:
        >>> runs = pd.DataFrame({"seed": [0, 0, 1, 1], "strategy": ["margin", "random"] * 2,
        ...                      "labels": 120, "accuracy": [0.9, 0.8, 0.8, 0.7]})
        >>> float(paired(runs, "margin", "random")["mean"].iloc[0])
        0.1
    """
    found = differences(table, a, b, column=column, by=by, value=value)
    groups = found.groupby(by, sort=False, observed=True)["difference"]
    return pd.DataFrame([{by: point, **tested(d, level)} for point, d in groups])


def differences(
    table: pd.DataFrame, a: str, b: str, *, column="strategy", by="labels", value="accuracy"
) -> pd.DataFrame:
    """Give the differences of :func:`paired` themselves: columns ``by``, ``seed``, ``difference``.

    Example:
        >>> runs = pd.DataFrame({"seed": 3, "strategy": ["margin", "random"], "labels": 120,
        ...                      "accuracy": [0.9, 0.8]})
        >>> differences(runs, "margin", "random").values.tolist()
        [[120.0, 3.0, 0.1]]
    """
    rows = clean(rows_of(table, column, a=a, b=b), [column, by, "seed"], [value])
    one, other = (rows[rows[column] == name].set_index([by, "seed"])[value] for name in (a, b))
    lonely = one.index.symmetric_difference(other.index)
    if len(lonely):
        raise ValueError(
            f"a, b: {a!r} and {b!r} do not have the same runs: {len(lonely)} rows have no partner, the first "
            f"at {by} {lonely[0][0]}, seed {lonely[0][1]}; complete the runs or select the seeds of both."
        )
    # Rounding far below any measured difference keeps .9 - .8 from reading 0.09999999999999998.
    return (one - other).round(12).rename("difference").reset_index()
