"""Mean, interval and paired difference over seeds: the numbers that every comparison is made of."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ntkal.experiments.statistics.tables import one_row_a_seed, require


def interval(values, level: float = 0.95) -> tuple[float, float, float]:
    r"""Give the mean of some values and Student's interval for it.

    :math:`\bar v \pm t_{n-1}\, s / \sqrt n`, with :math:`s` the standard deviation of divisor :math:`n-1`.

    Args:
        values: One number a seed, shape (n,), finite.
        level: Coverage, between 0 and 1.

    Returns:
        Mean, lower end, upper end; both ends are NaN for a single value, which says nothing about spread.

    Raises:
        ValueError: When there is no value, when one is not finite, or when ``level`` is not inside (0, 1).

    Source:
        Student (1908), The probable error of a mean.

    Example:
        >>> interval([0.8, 0.9, 1.0])
        (0.9, 0.6515..., 1.1484...)
    """
    from scipy.stats import t

    v = _values("values", values)
    if not 0 < level < 1:
        raise ValueError(f"level: expected a number between 0 and 1 such as 0.95, got {level!r}.")
    mean = float(v.mean())
    if v.size == 1:
        return mean, float("nan"), float("nan")
    half = float(t.ppf((1 + level) / 2, v.size - 1) * v.std(ddof=1) / np.sqrt(v.size))
    return mean, mean - half, mean + half


def summary(
    table: pd.DataFrame,
    by: str | Sequence[str] = ("strategy", "labels"),
    value: str = "accuracy",
    level: float = 0.95,
) -> pd.DataFrame:
    """Give mean and interval over seeds for each group.

    Args:
        table: Rows of runs, with a column ``seed``.
        by: Columns that make the groups.
        value: Column to average.
        level: Coverage of the interval.

    Returns:
        One row a group: the columns of ``by``, then ``mean``, ``low``, ``high`` and ``n`` (number of seeds).

    Raises:
        ValueError: When a column is missing, or when a group holds one seed twice.

    Example:
        >>> runs = pd.DataFrame({"seed": [0, 1], "strategy": "random", "labels": 100, "accuracy": [0.8, 0.9]})
        >>> summary(runs)[["strategy", "labels", "n"]].values.tolist()
        [['random', 100, 2]]
    """
    keys = [by] if isinstance(by, str) else list(by)
    require(table, [*keys, "seed", value])
    one_row_a_seed(table, keys)
    rows = [
        (*group, *interval(part[value], level), len(part))
        for group, part in table.groupby(keys, sort=False, dropna=False)
    ]
    return pd.DataFrame(rows, columns=[*keys, "mean", "low", "high", "n"])


def p_value(differences) -> float:
    r"""Give the two-sided p value of Student's test that differences have mean zero.

    :math:`p = 2\,P(T_{n-1} > |\bar d| \sqrt n / s)`: the chance of a mean at least as far from zero, were
    there nothing but noise. It is below 0.05 exactly when the 95% :func:`interval` excludes zero.

    Args:
        differences: One number a seed, shape (n,), finite.

    Returns:
        The p value; NaN for a single difference. Without any spread the limit: 1 when all differences are
        zero, as in the cycle that all series share, and 0 when all are the same other number.

    Raises:
        ValueError: As :func:`interval` does.

    Source:
        Student (1908), The probable error of a mean.

    Example:
        >>> round(p_value([0.01, 0.02, 0.03]), 3)
        0.074
    """
    from scipy.stats import ttest_1samp

    d = _values("differences", differences)
    if d.size == 1:
        return float("nan")
    if np.ptp(d) <= 1e-12 * np.abs(d).max():
        return 1.0 if d[0] == 0 else 0.0
    return float(ttest_1samp(d, 0.0).pvalue)


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

    Args:
        table: Rows of runs, with a column ``seed``.
        a: Value of ``column`` to compare.
        b: Value of ``column`` to compare it with.
        column: Column that tells the two apart.
        by: Column that makes the groups.
        value: Column to compare.
        level: Coverage of the interval.

    Returns:
        One row a value of ``by``: that value, then ``mean``, ``low``, ``high``, the two-sided ``p`` of
        :func:`ntkal.experiments.statistics.p_value` and ``n`` (number of pairs).

    Raises:
        ValueError: When ``a`` or ``b`` is not in the table, or when one has rows that the other lacks.

    Example:
        >>> runs = pd.DataFrame({"seed": [0, 0, 1, 1], "strategy": ["margin", "random"] * 2,
        ...                      "labels": 120, "accuracy": [0.9, 0.8, 0.8, 0.7]})
        >>> float(paired(runs, "margin", "random")["mean"].iloc[0])
        0.1
    """
    difference = differences(table, a, b, column=column, by=by, value=value)
    rows = [
        (group, *interval(part["difference"], level), p_value(part["difference"]), len(part))
        for group, part in difference.groupby(by, sort=False)
    ]
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
    """Give the differences ``a`` minus ``b`` themselves: columns ``by``, ``seed``, ``difference``.

    Args and errors are those of :func:`paired`.

    Example:
        >>> runs = pd.DataFrame({"seed": 3, "strategy": ["margin", "random"], "labels": 120,
        ...                      "accuracy": [0.9, 0.8]})
        >>> differences(runs, "margin", "random").values.tolist()
        [[120.0, 3.0, 0.1]]
    """
    require(table, [column, by, "seed", value])
    sides = {}
    for name, which in (("a", a), ("b", b)):
        part = table[table[column] == which]
        if part.empty:
            present = ", ".join(map(str, table[column].unique()))
            raise ValueError(f"{name}: no row has {column} {which!r}; the table has {present}.")
        one_row_a_seed(part, [by])
        sides[name] = part.set_index([by, "seed"])[value]
    lonely = sides["a"].index.symmetric_difference(sides["b"].index)
    if len(lonely):
        first = lonely[0]
        raise ValueError(
            f"a, b: {a!r} and {b!r} do not have the same runs: {len(lonely)} rows have no partner, the first "
            f"at {by} {first[0]}, seed {first[1]}; complete the runs or select the seeds that both have."
        )
    for side in sides.values():
        bad = side.index[~np.isfinite(side.to_numpy(dtype=np.float64))]
        if len(bad):
            raise ValueError(
                f"table: {value} is NaN or infinite at {by} {bad[0][0]}, seed {bad[0][1]}; a mean without it "
                "would be of something else."
            )
    # Rounding far below any measured difference keeps .9 - .8 from reading 0.09999999999999998.
    return (sides["a"] - sides["b"]).round(12).rename("difference").reset_index()


def _values(name: str, values) -> np.ndarray:
    v = np.asarray(values, dtype=np.float64)
    if v.ndim != 1 or v.size == 0:
        raise ValueError(f"{name}: expected a list of at least one number, got shape {v.shape}.")
    if not np.isfinite(v).all():
        raise ValueError(f"{name}: {int((~np.isfinite(v)).sum())} of {v.size} are NaN or infinite.")
    return v
