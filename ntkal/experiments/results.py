"""Result tables: Parquet files that say how they were made.

Intervals and comparisons over seeds live in :mod:`ntkal.experiments.statistics`; the ones that every chapter needs can be
reached from here too.
"""

import json
import os
import tempfile
from pathlib import Path

import pandas as pd

from ntkal.experiments.statistics.intervals import interval, paired, require, summary

__all__ = ["interval", "paired", "read", "require", "summary", "write"]

STORE = Path(__file__).resolve().parents[1] / "results"
"""The tables that come with the package."""

_KEY = b"ntkal"


def write(table: pd.DataFrame, path: str | os.PathLike, provenance: dict) -> Path:
    """Write a table and its provenance to one Parquet file, entirely or not at all.

    The bytes go to a temporary file beside ``path``, are forced to the disk, and take its name in one step,
    so that neither a reader nor a run that is killed ever leaves or meets half a file.

    Args:
        table: Any table that Parquet can hold; its index is not kept.
        path: File to write; its folder is made if it is not there.
        provenance: What :func:`ntkal.experiments.provenance.collect` gives, or any dictionary that JSON can hold.

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
            "provenance: empty; a table must say how it was made (see ntkal.experiments.provenance.collect)."
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
            pq.write_table(arrow, file, write_page_checksum=True)
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

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = write(pd.DataFrame({"picks": [[1, 2]]}), f"{folder}/a.parquet", {"seeds": [0]})
        ...     table, provenance = read(file)
        >>> table["picks"].tolist(), provenance
        ([[1, 2]], {'seeds': [0]})
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"no results file {path}.")
    try:
        arrow = pq.read_table(path, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(
            f"{path}: not a whole Parquet file, so nothing is read from it ({error})."
        ) from error
    metadata = arrow.schema.metadata or {}
    if _KEY not in metadata:
        raise ValueError(
            f"{path}: carries no provenance; it was not written by ntkal.experiments.results.write."
        )
    table = arrow.to_pandas()
    for field in arrow.schema:
        if pa.types.is_list(field.type):
            table[field.name] = [None if value is None else value.tolist() for value in table[field.name]]
    return table, json.loads(metadata[_KEY])


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
