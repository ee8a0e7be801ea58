"""Result tables: Parquet files that say how they were made, and intervals over seeds."""

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

_KEY = b"ntkal"


def write(table: pd.DataFrame, path: str | os.PathLike, provenance: dict) -> Path:
    """Write a table and its provenance to one Parquet file, entirely or not at all.

    The bytes go to a temporary file beside ``path``, are forced to the disk, and take its name in one step,
    so that neither a reader nor a run that is killed ever leaves or meets half a file.

    Args:
        table: Any table that Parquet can hold; its index is not kept.
        path: File to write; its folder is made if it is not there.
        provenance: What :func:`ntkal.provenance.collect` gives, or any dictionary that JSON can hold.

    Returns:
        The path written.

    Raises:
        ValueError: When ``provenance`` is empty or JSON cannot hold it.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> file = write(pd.DataFrame({"seed": [0]}), f"{folder}/a.parquet", {"command": "by hand"})
        >>> read(file)[1]["command"]
        'by hand'
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not provenance:
        raise ValueError(
            "provenance: empty; a table must say how it was made (see ntkal.provenance.collect)."
        )
    try:
        text = json.dumps(provenance, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"provenance: JSON cannot hold it ({error}).") from error
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    arrow = arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), _KEY: text.encode()})
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            pq.write_table(arrow, file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)
    return path


def read(path: str | os.PathLike) -> tuple[pd.DataFrame, dict]:
    """Read a table and its provenance.

    Args:
        path: A file made by :func:`write`.

    Returns:
        The table, columns of lists as Python lists, and the provenance.

    Raises:
        FileNotFoundError: When there is no such file.
        ValueError: When the file is not whole, is not Parquet, or carries no provenance.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"no results file {path}.")
    try:
        arrow = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(
            f"{path}: not a whole Parquet file, so nothing is read from it ({error})."
        ) from error
    metadata = arrow.schema.metadata or {}
    if _KEY not in metadata:
        raise ValueError(f"{path}: carries no provenance; it was not written by ntkal.results.write.")
    table = arrow.to_pandas()
    for field in arrow.schema:
        if pa.types.is_list(field.type):
            table[field.name] = [None if value is None else value.tolist() for value in table[field.name]]
    return table, json.loads(metadata[_KEY])


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

    Example:
        >>> interval([0.8, 0.9, 1.0])
        (0.9, 0.6515..., 1.1484...)
    """
    from scipy.stats import t

    v = np.asarray(values, dtype=np.float64)
    if v.ndim != 1 or v.size == 0:
        raise ValueError(f"values: expected a list of at least one number, got shape {v.shape}.")
    if not np.isfinite(v).all():
        raise ValueError(f"values: {int((~np.isfinite(v)).sum())} of {v.size} are NaN or infinite.")
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
    _one_row_a_seed(table, keys)
    rows = [
        (*group, *interval(part[value], level), len(part))
        for group, part in table.groupby(keys, sort=False, dropna=False)
    ]
    return pd.DataFrame(rows, columns=[*keys, "mean", "low", "high", "n"])


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
    """Give the mean difference ``a`` minus ``b`` within seeds, with its interval.

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
        One row a value of ``by``: that value, then ``mean``, ``low``, ``high`` and ``n`` (number of pairs).

    Raises:
        ValueError: When ``a`` or ``b`` is not in the table, or when one has rows that the other lacks.

    Example:
        >>> runs = pd.DataFrame({"seed": [0, 0, 1, 1], "strategy": ["margin", "random"] * 2,
        ...                      "labels": 120, "accuracy": [0.9, 0.8, 0.8, 0.7]})
        >>> float(paired(runs, "margin", "random")["mean"].iloc[0])
        0.1
    """
    require(table, [column, by, "seed", value])
    sides = {}
    for name, which in (("a", a), ("b", b)):
        part = table[table[column] == which]
        if part.empty:
            present = ", ".join(map(str, table[column].unique()))
            raise ValueError(f"{name}: no row has {column} {which!r}; the table has {present}.")
        _one_row_a_seed(part, [by])
        sides[name] = part.set_index([by, "seed"])[value]
    lonely = sides["a"].index.symmetric_difference(sides["b"].index)
    if len(lonely):
        first = lonely[0]
        raise ValueError(
            f"a, b: {a!r} and {b!r} do not have the same runs: {len(lonely)} rows have no partner, the first "
            f"at {by} {first[0]}, seed {first[1]}; complete the runs or select the seeds that both have."
        )
    # Rounding far below any measured difference keeps .9 - .8 from reading 0.09999999999999998.
    difference = (sides["a"] - sides["b"]).round(12).rename("difference").reset_index()
    rows = [
        (group, *interval(part["difference"], level), len(part))
        for group, part in difference.groupby(by, sort=False)
    ]
    return pd.DataFrame(rows, columns=[by, "mean", "low", "high", "n"])


def require(table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Raise a ValueError unless the table has these columns and at least one row."""
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise ValueError(
            f"table: no column {', '.join(missing)}; it has {', '.join(map(str, table.columns))}."
        )
    if table.empty:
        raise ValueError("table: it has no rows.")


def _one_row_a_seed(table: pd.DataFrame, keys: Sequence[str]) -> None:
    twice = table[table.duplicated([*keys, "seed"])]
    if len(twice):
        row = twice.iloc[0]
        group = ", ".join(f"{key} {row[key]}" for key in keys)
        raise ValueError(
            f"table: seed {row['seed']} comes more than once at {group}; group by the column that tells these"
            f" rows apart too (mode, model or data, for instance), or select one of them first."
        )


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
