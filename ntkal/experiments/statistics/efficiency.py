"""What a whole learning curve is worth: its area, and the labels that it needs to reach an accuracy."""

import numpy as np
import pandas as pd

from ntkal.experiments.statistics.comparison import rivals
from ntkal.experiments.statistics.intervals import interval, p_value
from ntkal.experiments.statistics.tables import complete, require


def area(table: pd.DataFrame, *, column: str = "series", value: str = "accuracy") -> pd.DataFrame:
    r"""Give the area under each seed's curve over the labels, divided by their range: a mean accuracy.

    :math:`\frac{1}{l_T - l_0} \sum_{t=1}^T \tfrac12 (v_{t-1} + v_t)(l_t - l_{t-1})` by the trapezoid rule.

    Args:
        table: Rows of runs: ``column``, ``seed``, ``labels``, ``value``.
        column: Column that tells series apart.
        value: Column to integrate.

    Returns:
        One row a series and seed: ``column``, ``seed``, ``area``. Compare series with
        ``against(areas, by=None, value="area")``.

    Raises:
        ValueError: When a column or a seed is missing, or a curve has a single point.

    Source:
        Guyon, Cawley, Dror and Lemaire (2011), Results of the Active Learning Challenge, without its log
        scale.

    Example:
        >>> runs = pd.DataFrame({"series": "random", "seed": 0, "labels": [100, 120, 160],
        ...                      "accuracy": [0.8, 0.9, 0.9]})
        >>> round(float(area(runs)["area"].iloc[0]), 4)
        0.8833
    """
    from scipy.integrate import trapezoid

    rows = []
    for name, seed, labels, values in _curves(table, column, value):
        if len(labels) < 2:
            raise ValueError(
                f"table: {column} {name!r} has the single number of labels {labels[0]:g}; an area needs two."
            )
        rows.append((name, seed, float(trapezoid(values, labels) / (labels[-1] - labels[0]))))
    return pd.DataFrame(rows, columns=[column, "seed", "area"])


def labels_needed(
    table: pd.DataFrame, target: float, *, column: str = "series", value: str = "accuracy"
) -> pd.DataFrame:
    """Give the number of labels at which each seed's curve first reaches an accuracy.

    A curve with noise may dip, so it is replaced by its running maximum; between two of its points it is
    taken to be a straight line.

    Args:
        table: Rows of runs: ``column``, ``seed``, ``labels``, ``value``.
        target: Value to reach, in the units of ``value`` (0.95, not 95, for accuracies).
        column: Column that tells series apart.
        value: Column that has to reach the target.

    Returns:
        One row a series and seed: ``column``, ``seed``, ``needed`` and ``state``. The state is "reached";
        "never" when the run ended too soon, and ``needed`` is NaN; or "at the start" when the start set was
        enough, and ``needed`` is the number of labels at the start, which is then only an upper bound.

    Raises:
        ValueError: When a column or a seed is missing, or a value or the target is not finite.

    Example:
        >>> runs = pd.DataFrame({"series": "random", "seed": 0, "labels": [100, 120, 140],
        ...                      "accuracy": [0.80, 0.78, 0.90]})
        >>> labels_needed(runs, 0.85)["needed"].tolist()
        [130.0]
    """
    if not np.isfinite(target):
        raise ValueError(f"target: expected a finite number such as 0.95, got {target!r}.")
    rows = []
    for name, seed, labels, values in _curves(table, column, value):
        rising = np.maximum.accumulate(values)
        if rising[-1] < target:
            rows.append((name, seed, np.nan, "never"))
            continue
        after = int(np.argmax(rising >= target))
        if after == 0:
            rows.append((name, seed, float(labels[0]), "at the start"))
            continue
        points = slice(after - 1, after + 1)
        rows.append((name, seed, float(np.interp(target, rising[points], labels[points])), "reached"))
    # Rounding far below one label keeps two curves that cross the target together from differing.
    return pd.DataFrame(rows, columns=[column, "seed", "needed", "state"]).round({"needed": 9})


def label_efficiency(
    table: pd.DataFrame,
    target: float,
    baseline: str = "random",
    *,
    column: str = "series",
    value: str = "accuracy",
    level: float = 0.95,
) -> pd.DataFrame:
    """Give the labels that each series needs to reach an accuracy, and what it saves against the baseline.

    A seed that never reaches the target is counted, never dropped: dropping it would reward a series for
    failing. A mean over such seeds is unknown and given as NaN; the median takes them as larger than any
    other.

    Args:
        table: Rows of runs: ``column``, ``seed``, ``labels``, ``value``.
        target: Value to reach; fix it before looking.
        baseline: The series that savings are counted from.
        column: Column that tells series apart.
        value: Column that has to reach the target.
        level: Coverage of the intervals.

    Returns:
        One row a series, the baseline last: ``column``; ``mean``, ``low``, ``high`` and ``median`` of the
        labels needed; ``n``, ``never`` and ``at_start``, the numbers of seeds, of those that never reached
        the target and of those that had it at the start; then, paired within seeds, baseline minus series:
        ``saved``, ``saved_low``, ``saved_high``, ``saved_p``, NaN unless all seeds of both reached the
        target; and ``saved_at_least``, the mean saving if the baseline's censored seeds had reached it with
        the last labels that they have, NaN unless all seeds of the series reached it.

    Raises:
        ValueError: As :func:`labels_needed` does, and when the baseline or another series is missing.

    Example:
        >>> runs = pd.DataFrame({"series": ["random"] * 2 + ["margin"] * 2, "seed": 0,
        ...                      "labels": [100, 120] * 2, "accuracy": [0.8, 0.9, 0.8, 1.0]})
        >>> label_efficiency(runs, 0.9)[["series", "mean", "saved"]].values.tolist()
        [['margin', 110.0, 10.0], ['random', 120.0, 0.0]]
    """
    names = [*rivals(table, baseline, column), baseline]
    needed = labels_needed(table, target, column=column, value=value).set_index("seed")
    last = table[table[column] == baseline].groupby("seed")["labels"].max()
    sides = {name: needed[needed[column] == name] for name in names}
    theirs = sides[baseline]["needed"]
    rows = []
    for name in names:
        mine, state = sides[name]["needed"], sides[name]["state"]
        saved, bound = theirs - mine, theirs.fillna(last) - mine
        rows.append(
            {
                column: name,
                **dict(zip(("mean", "low", "high"), _known(mine, level), strict=True)),
                "median": _median(mine),
                "n": len(mine),
                "never": int((state == "never").sum()),
                "at_start": int((state == "at the start").sum()),
                **dict(zip(("saved", "saved_low", "saved_high"), _known(saved, level), strict=True)),
                "saved_p": np.nan if saved.isna().any() else p_value(saved),
                "saved_at_least": float(bound.mean(skipna=False)),
            }
        )
    return pd.DataFrame(rows)


def _curves(table: pd.DataFrame, column: str, value: str):
    require(table, [column, "seed", "labels", value])
    complete(table, column, "labels")
    if not np.isfinite(table[value].to_numpy(dtype=np.float64)).all():
        raise ValueError(f"table: column {value} has values that are NaN or infinite.")
    for (name, seed), part in table.groupby([column, "seed"], sort=False, dropna=False):
        part = part.sort_values("labels")
        yield name, seed, part["labels"].to_numpy(np.float64), part[value].to_numpy(np.float64)


def _known(values: pd.Series, level: float) -> tuple[float, float, float]:
    return (np.nan,) * 3 if values.isna().any() else interval(values, level)


def _median(values: pd.Series) -> float:
    middle = float(np.median(values.fillna(np.inf)))
    return middle if np.isfinite(middle) else np.nan
