"""What a table of runs must have before anything is averaged over its seeds."""

from collections.abc import Sequence

import pandas as pd


def require(table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Raise a ValueError unless the table has these columns and at least one row.

    Example:
        >>> require(pd.DataFrame({"seed": [0]}), ["seed"])
    """
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise ValueError(
            f"table: no column {', '.join(missing)}; it has {', '.join(map(str, table.columns))}."
        )
    if table.empty:
        raise ValueError("table: it has no rows.")


def complete(table: pd.DataFrame, column: str = "series", by: str = "labels") -> list:
    """Raise a ValueError unless every curve has every seed at each of its points.

    A mean over five seeds here and six there would move for no reason but the seed that is missing.

    Args:
        table: Rows of runs, with a column ``seed``.
        column: Column that makes the curves.
        by: Column that makes the points of a curve.

    Returns:
        The seeds, in order.

    Raises:
        ValueError: When a column is missing, a seed is missing at a point that its curve has, or comes twice.

    Example:
        >>> complete(pd.DataFrame({"series": "random", "seed": [1, 0], "labels": 100}))
        [0, 1]
    """
    require(table, [column, by, "seed"])
    one_row_a_seed(table, [column, by])
    seeds = sorted(table["seed"].unique().tolist())
    for (name, point), part in table.groupby([column, by], sort=False, dropna=False):
        absent = sorted(set(seeds) - set(part["seed"].tolist()))
        if absent:
            raise ValueError(
                f"table: {column} {name!r} at {by} {point} lacks seed {', '.join(map(str, absent))}, which"
                f" other rows have; finish those runs or select the seeds that every {column} has."
            )
    return seeds


def one_row_a_seed(table: pd.DataFrame, keys: Sequence[str]) -> None:
    """Raise a ValueError when a seed comes twice in a group made by the columns ``keys``."""
    twice = table[table.duplicated([*keys, "seed"])]
    if len(twice):
        row = twice.iloc[0]
        group = ", ".join(f"{key} {row[key]}" for key in keys)
        raise ValueError(
            f"table: seed {row['seed']} comes more than once at {group}; group by the column that tells these"
            f" rows apart too (mode, model or data, for instance), or select one of them first."
        )
