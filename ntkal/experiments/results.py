"""Result tables: Parquet files that say how they were made.

Intervals and comparisons over seeds live in :mod:`ntkal.experiments.statistics`; the ones that every chapter
needs can be reached from here too.
"""

import contextlib
import datetime
import hashlib
import importlib.metadata
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import pandas as pd

import ntkal
from ntkal.experiments.statistics import interval, paired, require, summary

__all__ = ["interval", "paired", "provenance", "read", "require", "summary", "write", "write_whole"]

STORE = Path(__file__).resolve().parents[1] / "results"
"""The tables that come with the package."""

_KEY = b"ntkal"
_PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy")


def write_whole(path: str | os.PathLike, fill: Callable[[Any], Any]) -> Path:
    """Write a file entirely or not at all: beside its place, forced to the disk, then renamed in one step.

    So no reader ever meets half a file, and a process that is killed leaves none but one in ``.part``.

    Args:
        path: File to write; its folder is made if it is not there.
        fill: ``fill(file)`` writes the bytes to an open binary file.

    Returns:
        The path written.

    Raises:
        OSError: When the system refuses; the file that was there stays as it was.

    Example:
        >>> write_whole(f"{tempfile.mkdtemp()}/a.txt", lambda file: file.write(b"all")).read_text()
        'all'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    if os.name == "posix":  # the new name must reach the disk too
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return path


def write(table: pd.DataFrame, path: str | os.PathLike, provenance: dict) -> Path:
    """Write a table and its provenance to one Parquet file, as :func:`write_whole` does.

    Args:
        table: Any table that Parquet can hold; its index is not kept.
        path: File to write; its folder is made if it is not there.
        provenance: What :func:`provenance` gives, or any dictionary that JSON can hold.

    Returns:
        The path written.

    Raises:
        ValueError: When ``provenance`` is empty or JSON cannot hold it.
        OSError: As :func:`write_whole` does.

    Example:
        >>> folder = tempfile.mkdtemp()
        >>> file = write(pd.DataFrame({"seed": [0]}), f"{folder}/a.parquet", {"command": "by hand"})
        >>> read(file)[1]["command"]
        'by hand'
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not provenance:
        raise ValueError("provenance: empty; a table must say how it was made (results.provenance).")
    try:
        text = json.dumps(provenance, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"provenance: JSON cannot hold it ({error}).") from error
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    arrow = arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), _KEY: text.encode()})
    return write_whole(path, lambda file: pq.write_table(arrow, file, write_page_checksum=True))


def read(path: str | os.PathLike) -> tuple[pd.DataFrame, dict]:
    """Read a table and its provenance.

    Args:
        path: A file made by :func:`write`.

    Returns:
        The table, columns of lists as Python lists, and the provenance.

    Raises:
        FileNotFoundError: When there is no such file.
        ValueError: When the file cannot be read, is not whole, is not Parquet, or carries no provenance.

    Example:
        >>> path = write(pd.DataFrame({"picks": [[1, 2]]}), f"{tempfile.mkdtemp()}/a.parquet", {"seeds": [0]})
        >>> table, provenance = read(path)
        >>> table["picks"].tolist(), provenance
        ([[1, 2]], {'seeds': [0]})
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        content = Path(path).read_bytes()
        arrow = pq.read_table(pa.BufferReader(content), page_checksum_verification=True)
    except FileNotFoundError:
        raise FileNotFoundError(f"no results file {path}.") from None
    except (pa.ArrowException, OSError) as error:
        why = getattr(error, "strerror", None)
        said = f"cannot be read ({why})" if why else f"not a whole Parquet file, so nothing is read ({error})"
        raise ValueError(f"{path}: {said}.") from error
    try:
        provenance = json.loads(arrow.schema.metadata[_KEY])
    except (TypeError, KeyError, ValueError):
        raise ValueError(
            f"{path}: carries no provenance; it was not written by ntkal.experiments.results.write."
        ) from None
    table = arrow.to_pandas()
    for field in arrow.schema:
        if pa.types.is_list(field.type):
            table[field.name] = [None if value is None else value.tolist() for value in table[field.name]]
    return table, provenance


def provenance(*, command: str | None = None, seeds: Iterable[int] = (), **more: Any) -> dict[str, Any]:
    """Say what makes a table: command, commit, versions, device, seeds and date.

    Args:
        command: The command that makes the table; as this process was started, if not given.
        seeds: Seeds of the runs in the table.
        **more: Further entries, which JSON must be able to hold (a configuration, for instance).

    Returns:
        A dictionary with the keys ``command``, ``commit`` and ``dirty`` (``None`` outside a checkout),
        ``lock`` (the start of the SHA-256 of ``requirements.lock``), ``versions``, ``device``, ``backend``,
        ``seeds`` and ``date`` (UTC, ISO 8601), and those of ``more``.

    Example:
        >>> provenance(command="by hand", seeds=[0, 1])["seeds"]
        [0, 1]
    """
    devices = jax.devices()
    versions = {"python": platform.python_version(), "ntkal": ntkal.__version__}
    versions |= {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {
        "command": command or _command(),
        **_checkout(),
        "versions": versions,
        "device": f"{len(devices)} x {devices[0].device_kind} ({platform.machine()})",
        "backend": jax.default_backend(),
        "seeds": [int(seed) for seed in seeds],
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        **more,
    }


def _command() -> str:
    """How this process was started, without the folders of this machine."""
    program, arguments = Path(sys.argv[0] if sys.argv else ""), sys.argv[1:]
    if program.name == "__main__.py" and program.parent.name == "ntkal":
        return shlex.join(["python", "-m", "ntkal", *arguments])
    if program.name.startswith(("ipykernel", "colab_kernel")):
        return "a notebook"
    return shlex.join([program.name or "python", *arguments])


def _checkout() -> dict[str, Any]:
    """Commit and lock of the checkout that the package is used from; None where there is none."""
    root = Path(__file__).resolve().parents[2]
    lock, git = root / "requirements.lock", ["git", "-C", str(root)]
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12] if lock.exists() else None
    run = partial(subprocess.run, capture_output=True, text=True, timeout=10, check=True)
    commit, dirty = None, None
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        top, head = run([*git, "rev-parse", "--show-toplevel", "HEAD"]).stdout.split("\n")[:2]
        if Path(top).resolve() == root:
            dirty = bool(run([*git, "status", "--porcelain", "--", "ntkal", lock.name]).stdout)
            commit = head
    return {"commit": commit, "dirty": dirty, "lock": digest}
