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
        raise ValueError(f"table: expected a pandas DataFrame of runs, got {type(table).__name__}.")
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
    if "seed" in keys and len(twice := rows[rows.duplicated(list(keys))]):
        raise ValueError(
            f"table: seed {twice.iloc[0]['seed']} comes more than once at {_place(twice, keys)}; group by "
            "what tells these rows apart too (mode, model or data, for instance), or select one first."
        )
    for name in values:
        if getattr(rows[name].dtype, "kind", "O") not in "iuf":
            raise ValueError(f"table: column {name} has {rows[name].dtype}, not numbers; use .astype(float).")
        rows[name] = rows[name].to_numpy(np.float64, na_value=np.nan)
        if len(bad := rows[~np.isfinite(rows[name])]):
            raise ValueError(
                f"table: {len(bad)} entries of column {name} are NaN or infinite, the first at "
                f"{_place(bad, keys)}; a mean without it would be of something else."
            )
    return rows


def _place(rows: pd.DataFrame, keys: Sequence[str]) -> str:
    return ", ".join(f"{key} {rows.iloc[0][key]}" for key in keys) or f"row {rows.index[0]}"


def complete(table: pd.DataFrame, column: str = "series", by: str = "labels") -> list:
    """Give the seeds in order; raise a ValueError unless every curve has all at each of its points.

    Example:
        >>> complete(pd.DataFrame({"series": "random", "seed": [1, 0], "labels": 100}))
        [0, 1]
    """
    rows = clean(table, [column, by, "seed"])
    seeds = sorted(rows["seed"].unique().tolist())
    for (name, point), have in rows.groupby([column, by], sort=False, observed=True)["seed"]:
        if absent := sorted(set(seeds) - set(have)):
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


def rows_of(table: pd.DataFrame, column: str, **series: str) -> pd.DataFrame:
    """Give the rows of some series, or raise a ValueError that begins with the argument's name."""
    clean(table, [column])
    for name, which in series.items():
        if not table[column].isin([which]).any():
            present = ", ".join(map(str, table[column].unique()))
            raise ValueError(f"{name}: no row has {column} {which!r}; the table has {present}.")
    return table[table[column].isin(series.values())]
