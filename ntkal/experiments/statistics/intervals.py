"""Mean, interval and paired difference over seeds: the numbers that every comparison is made of."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ntkal.experiments.statistics.tables import clean, require
from ntkal.inputs import as_float64, check_number


def interval(values, level: float = 0.95) -> tuple[float, float, float]:
    r"""Give the mean of some values and Student's interval for it.

    :math:`\bar v \pm t_{n-1}\, s / \sqrt n`, with :math:`s` the standard deviation of divisor :math:`n-1`.

    Args:
        values: One number a seed, shape (n,), finite, not booleans.
        level: Coverage, between 0 and 1.

    Returns:
        Mean, lower end, upper end; both ends are NaN for a single value, which says nothing about spread.

    Raises:
        ValueError: When there is no value, when one is not finite, or for a ``level`` out of range.

    Source:
        Student (1908), The probable error of a mean.

    Example:
        >>> interval([0.8, 0.9, 1.0])
        (0.9, 0.6515..., 1.1484...)
    """
    from scipy.stats import t

    v = np.asarray(as_float64("values", values, (None,)))
    level, mean = check_number("level", level, low=0, high=1), float(v.mean())
    if v.size == 1:
        return mean, float("nan"), float("nan")
    half = float(t.ppf((1 + level) / 2, v.size - 1) * v.std(ddof=1) / np.sqrt(v.size))
    return mean, mean - half, mean + half


def p_value(differences) -> float:
    r"""Give the two-sided p value of Student's test that differences have mean zero.

    :math:`p = 2\,P(T_{n-1} > |\bar d| \sqrt n / s)`: the chance of a mean at least as far from zero, were
    there nothing but noise. It is below 0.05 exactly when the 95% :func:`interval` excludes zero.

    Args:
        differences: As the values of :func:`interval`, and refused as they are.

    Returns:
        The p value; NaN for a single difference. Without any spread the limit: 1 when all differences are
        zero, as in the cycle that all series share, and 0 when all are the same other number.

    Example:
        >>> round(p_value([0.01, 0.02, 0.03]), 3)
        0.074
    """
    from scipy.stats import ttest_1samp

    d = np.asarray(as_float64("differences", differences, (None,)))
    if d.size == 1:
        return float("nan")
    if np.ptp(d) <= 1e-12 * np.abs(d).max():
        return 1.0 if d[0] == 0 else 0.0
    return float(ttest_1samp(d, 0.0).pvalue)


def summary(
    table: pd.DataFrame,
    by: str | Sequence[str] = ("strategy", "labels"),
    value: str = "accuracy",
    level: float = 0.95,
) -> pd.DataFrame:
    """Give mean and interval over seeds for each group that the columns ``by`` make.

    Returns:
        One row a group: the columns of ``by``, then ``mean``, ``low``, ``high`` and ``n`` (number of seeds).

    Example:
        >>> runs = pd.DataFrame({"seed": [0, 1], "strategy": "random", "labels": 100, "accuracy": [0.8, 0.9]})
        >>> summary(runs)[["strategy", "labels", "n"]].values.tolist()
        [['random', 100, 2]]
    """
    keys = [by] if isinstance(by, str) else list(by)
    rows = clean(table, [*keys, "seed"], [value])
    groups = rows.groupby(keys, sort=False, observed=True)
    found = [(*group, *interval(part[value], level), len(part)) for group, part in groups]
    return pd.DataFrame(found, columns=[*keys, "mean", "low", "high", "n"])


def paired(
    table: pd.DataFrame,
    a: str,
    b: str,
    *,
    column: str = "strategy",
    by: str = "labels",
    value: str = "accuracy",
    level: float = 0.95,
) -> pd.DataFrame:
    """Give the mean difference ``a`` minus ``b`` within seeds, with its interval and p value.

    Two runs of one seed share their start set, initial weights and subsets' order (see :func:`ntkal.run`), so
    their difference varies less than either and the interval is the narrower for it.

    Returns:
        One row a value of ``by``: that value, then ``mean``, ``low``, ``high``, the ``p`` of :func:`p_value`
        and ``n`` (number of pairs).

    Raises:
        ValueError: When ``a`` or ``b`` is not in the table, or when one has rows that the other lacks.

    Example:
        >>> runs = pd.DataFrame({"seed": [0, 0, 1, 1], "strategy": ["margin", "random"] * 2,
        ...                      "labels": 120, "accuracy": [0.9, 0.8, 0.8, 0.7]})
        >>> float(paired(runs, "margin", "random")["mean"].iloc[0])
        0.1
    """
    found = differences(table, a, b, column=column, by=by, value=value)
    groups = found.groupby(by, sort=False, observed=True)["difference"]
    rows = [(point, *interval(d, level), p_value(d), len(d)) for point, d in groups]
    return pd.DataFrame(rows, columns=[by, "mean", "low", "high", "p", "n"])


def differences(
    table: pd.DataFrame,
    a: str,
    b: str,
    *,
    column: str = "strategy",
    by: str = "labels",
    value: str = "accuracy",
) -> pd.DataFrame:
    """Give the differences of :func:`paired` themselves: columns ``by``, ``seed``, ``difference``.

    Example:
        >>> runs = pd.DataFrame({"seed": 3, "strategy": ["margin", "random"], "labels": 120,
        ...                      "accuracy": [0.9, 0.8]})
        >>> differences(runs, "margin", "random").values.tolist()
        [[120.0, 3.0, 0.1]]
    """
    require(table, [column, by, "seed", value])
    one, other = (
        clean(rows_of(table, name, which, column), [by, "seed"], [value]).set_index([by, "seed"])[value]
        for name, which in (("a", a), ("b", b))
    )
    lonely = one.index.symmetric_difference(other.index)
    if len(lonely):
        raise ValueError(
            f"a, b: {a!r} and {b!r} do not have the same runs: {len(lonely)} rows have no partner, the first "
            f"at {by} {lonely[0][0]}, seed {lonely[0][1]}; complete the runs or select the seeds of both."
        )
    # Rounding far below any measured difference keeps .9 - .8 from reading 0.09999999999999998.
    return (one - other).round(12).rename("difference").reset_index()


def rows_of(table: pd.DataFrame, name: str, which: str, column: str) -> pd.DataFrame:
    """Give the rows of one series, or raise a ValueError that begins with the argument's name."""
    clean(table, [column])
    part = table[table[column].isin([which])]
    if part.empty:
        present = ", ".join(map(str, table[column].unique()))
        raise ValueError(f"{name}: no row has {column} {which!r}; the table has {present}.")
    return part
