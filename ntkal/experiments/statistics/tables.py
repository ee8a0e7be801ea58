"""What a table of runs must have before anything is averaged over its seeds."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def require(table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Raise a ValueError unless the table has each of these columns once, and at least one row.

    Example:
        >>> require(pd.DataFrame({"seed": [0]}), ["seed"])
    """
    if not isinstance(table, pd.DataFrame):
        raise ValueError(
            f"table: expected a pandas DataFrame, a row for each cycle of a run, got {type(table).__name__}."
        )
    found = ", ".join(map(str, table.columns))
    if missing := [name for name in columns if name not in table.columns]:
        raise ValueError(f"table: no column {', '.join(missing)}; it has {found}.")
    if twice := [name for name in columns if np.sum(table.columns == name) > 1]:
        raise ValueError(f"table: column {twice[0]} comes more than once; it has {found}.")
    if table.empty:
        raise ValueError("table: it has no rows.")


def clean(table: pd.DataFrame, keys: Sequence[str], values: Sequence[str] = ()) -> pd.DataFrame:
    """Give the columns that a statistic reads: keys that are all there, and finite numbers in float64.

    If ``seed`` is among the keys, they tell all rows apart. Values are numbers of any type, pandas' nullable
    ones too; booleans, texts, objects, NaN and missing entries are refused by their column.

    Example:
        >>> clean(pd.DataFrame({"seed": [0], "labels": pd.array([5])}), ["seed"], ["labels"])["labels"].dtype
        dtype('float64')
    """
    require(table, [*keys, *values])
    for name in keys:
        if gone := int(table[name].isna().sum()):
            raise ValueError(f"table: column {name} is missing in {gone} rows; fill or drop those rows.")
    rows = table[list(dict.fromkeys([*keys, *values]))].copy()
    twice = rows[rows.duplicated(list(keys))] if "seed" in keys else ()
    if len(twice):
        raise ValueError(
            f"table: seed {twice.iloc[0]['seed']} comes more than once at {_place(twice, keys)}; group by "
            "what tells these rows apart too (mode, model or data, for instance), or select one first."
        )
    for name in values:
        if getattr(rows[name].dtype, "kind", "O") not in "iuf":
            raise ValueError(f"table: column {name} has {rows[name].dtype}, not numbers; use .astype(float).")
        rows[name] = rows[name].to_numpy(np.float64, na_value=np.nan)
        bad = rows[~np.isfinite(rows[name])]
        if len(bad):
            raise ValueError(
                f"table: {len(bad)} entries of column {name} are NaN or infinite, the first at "
                f"{_place(bad, keys)}; a mean without it would be of something else."
            )
    return rows


def complete(table: pd.DataFrame, column: str = "series", by: str = "labels") -> list:
    """Give the seeds in order; raise a ValueError unless every curve has all at each of its points.

    The column makes the curves and ``by`` their points. A mean over five seeds here and six there would move
    for no reason but the seed that is missing.

    Example:
        >>> complete(pd.DataFrame({"series": "random", "seed": [1, 0], "labels": 100}))
        [0, 1]
    """
    rows = clean(table, [column, by, "seed"])
    seeds = sorted(rows["seed"].unique().tolist())
    for (name, point), part in rows.groupby([column, by], sort=False, observed=True):
        if absent := sorted(set(seeds) - set(part["seed"].tolist())):
            raise ValueError(
                f"table: {column} {name!r} at {by} {point} lacks seed {', '.join(map(str, absent))}, which"
                f" other rows have; finish those runs or select the seeds that every {column} has."
            )
    return seeds


def after_start(table: pd.DataFrame) -> pd.DataFrame:
    """Give the rows after cycle 0, in which nothing was chosen."""
    rows = table[clean(table, [], ["cycle"])["cycle"].to_numpy() > 0]
    if rows.empty:
        raise ValueError("table: no cycle after cycle 0, so nothing was chosen and no time was taken.")
    return rows


def _place(rows: pd.DataFrame, keys: Sequence[str]) -> str:
    return ", ".join(f"{key} {rows.iloc[0][key]}" for key in keys) or f"row {rows.index[0]}"
