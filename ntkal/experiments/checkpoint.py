"""A run's folder: one Parquet file that grows by a row a cycle, and a lock that keeps a second run out."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import pandas as pd
from flax import serialization

from ntkal.experiments import provenance, results
from ntkal.experiments.config import RunConfig, differences

FILE = "run.parquet"
_LOCK = "run.lock"
# Rows made with other versions of these, or on another kind of device, need not be equal to the last bit.
_SAME = ("python", "ntkal", "jax", "jaxlib", "flax", "optax", "numpy")


class Checkpoint:
    """The rows of a run so far, on disk after each cycle, and the points that the next cycle will label.

    Attributes:
        rows: One dictionary a finished cycle.
        pending: What was queried for the next cycle, or None when nothing was.
    """

    def __init__(self, folder: Path | None, config: RunConfig):
        self.path = None if folder is None else folder / FILE
        self.config = config
        self.rows: list[dict[str, Any]] = []
        self.pending: dict[str, Any] | None = None
        self.provenance: dict[str, Any] | None = None

    @property
    def finished(self) -> bool:
        """Whether every cycle of the configuration has its row."""
        return len(self.rows) == self.config.cycles + 1

    def restore(self) -> None:
        """Take up what an earlier run left in the folder, if anything.

        Raises:
            ValueError: When the file is damaged, or made with other settings, versions or kind of device.
        """
        if self.path is None or not self.path.exists():
            return
        again = "move it away, or start afresh with fresh=True (--fresh)"
        try:
            table, made = results.read(self.path)
        except ValueError as error:
            raise ValueError(f"out: {error} To go on, {again}.") from error
        whole = {"config", "pending", "versions", "backend"} <= set(made) and "cycle" in table
        if not whole or table["cycle"].tolist() != list(range(len(table))):
            raise ValueError(f"out: {self.path} is not the record of a run; {again}.")
        changed = differences(made["config"], self.config.to_dict())
        if changed:
            raise ValueError(
                f"out: {self.path} belongs to a run with other settings: {', '.join(changed)}; "
                "give another folder, or start afresh with fresh=True (--fresh)."
            )
        self.rows = table.to_dict("records")
        self.pending = made["pending"]
        if self.finished:
            return
        now = provenance.collect()
        changed = differences(_making(made), _making(now))
        if changed:
            raise ValueError(
                f"out: {self.path} was begun elsewhere: {', '.join(changed)}; finish it there, or start "
                "afresh here with fresh=True (--fresh), so that its rows are comparable."
            )
        self.provenance = made | {
            "resumed": [*made.get("resumed", []), {key: now[key] for key in ("date", "commit", "dirty")}]
        }

    def add(self, row: dict[str, Any], pending: dict[str, Any] | None, weights: dict | None = None) -> None:
        """Keep a cycle's row and the next cycle's points, on disk in one step.

        Weights, which a warm run needs to go on, lie in a file of their own cycle: it is written before the
        row and the one of the cycle before goes after it, so that a row never lacks its weights.
        """
        self.rows.append(row)
        self.pending = pending
        if self.path is None:
            return
        if self.provenance is None:
            self.provenance = provenance.collect(seeds=[self.config.seed], config=self.config.to_dict())
        try:
            if weights is not None:
                self._write_weights(row["cycle"], weights)
            results.write(self.table(), self.path, self.provenance | {"pending": pending})
        except OSError as error:
            why = error.strerror or error
            raise OSError(
                f"out: cycle {row['cycle']} cannot be kept in {self.path.parent} ({why}); the cycles before "
                "it are. Mend that, and the same command goes on from there."
            ) from error
        self.tidy()

    def tidy(self) -> None:
        """Remove what no whole cycle needs: files that a kill left half written, and old weights.

        Only for the process that holds the folder.
        """
        if self.path is None:
            return
        needed = None if self.pending is None or not self.rows else self._weights(len(self.rows) - 1)
        for pattern in (f".{FILE}.*.part", "weights-*.part", "weights-*.msgpack"):
            for path in self.path.parent.glob(pattern):
                if path != needed:
                    path.unlink(missing_ok=True)

    def weights(self) -> dict:
        """Read the weights of the last whole cycle of a warm run.

        Raises:
            ValueError: When the file is not there or is damaged.
        """
        path = self._weights(len(self.rows) - 1)
        try:
            return serialization.msgpack_restore(path.read_bytes())
        except (OSError, ValueError) as error:
            raise ValueError(
                f"out: the weights of the last cycle, {path}, cannot be read ({error}); start afresh with "
                "fresh=True (--fresh)."
            ) from error

    def _write_weights(self, cycle: int, weights: dict) -> None:
        path = self._weights(cycle)
        partial = path.with_suffix(".part")
        try:
            with open(partial, "wb") as file:
                file.write(serialization.msgpack_serialize(jax.device_get(weights)))
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise

    def _weights(self, cycle: int) -> Path:
        return self.path.with_name(f"weights-{cycle}.msgpack")

    def table(self) -> pd.DataFrame:
        """Give the rows as a table."""
        return pd.DataFrame(self.rows)


@contextlib.contextmanager
def hold(out: str | os.PathLike | None, config: RunConfig, *, fresh: bool = False) -> Iterator[Checkpoint]:
    """Open a run's folder for this process alone and take up what is there.

    The lock is the operating system's: it goes with the process that holds it, however that process ends.

    Args:
        out: The folder, made if it is not there; None keeps everything in memory.
        config: The run's settings.
        fresh: Whether to throw away what an earlier run left.

    Raises:
        ValueError: When another process runs in this folder, when ``out`` cannot be a folder, and as
            :meth:`Checkpoint.restore` does.
    """
    if out is None:
        yield Checkpoint(None, config)
        return
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Opened without truncation: the holder's number must stay readable to the one that is refused.
        handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except (FileExistsError, NotADirectoryError):
        raise ValueError(f"out: {folder} cannot be a folder, since a file is in its way.") from None
    except OSError as error:
        raise ValueError(f"out: cannot write in {folder} ({error.strerror}).") from error
    with os.fdopen(handle, "r+") as file:
        if not _lock(file.fileno()):
            holder = file.read().strip()
            raise ValueError(
                f"out: another run{f' (process {holder})' if holder else ''} is at work in {folder}; "
                "wait for it to end or give another folder."
            )
        # The number only serves the message above: a full disk must not keep a finished run from being read.
        with contextlib.suppress(OSError):
            os.ftruncate(handle, 0)
            os.write(handle, f"{os.getpid()}\n".encode())
        checkpoint = Checkpoint(folder, config)
        if fresh:
            (folder / FILE).unlink(missing_ok=True)
        checkpoint.restore()
        checkpoint.tidy()
        yield checkpoint


def _making(made: dict[str, Any]) -> dict[str, Any]:
    return {name: made["versions"].get(name) for name in _SAME} | {"backend": made["backend"]}


def _lock(handle: int) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            # Beyond the number written in the file, since a locked byte cannot be read there.
            os.lseek(handle, 1000, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
