"""A run's folder: one Parquet file that grows by a row a cycle, and a lock that keeps a second run out."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import filelock
import jax
import pandas as pd
from flax import serialization

from ntkal.experiments import results
from ntkal.experiments.config import RunConfig, differences

FILE = "run.parquet"
LOCK = "run.lock"
_AGAIN = "start afresh with fresh=True (--fresh)"


class Checkpoint:
    """The rows of a run so far, on disk after each cycle, and the points that the next cycle will label.

    Attributes:
        folder: Where it lies; None keeps everything in memory.
        rows: One dictionary a finished cycle.
        pending: What was queried for the next cycle, or None when nothing was.
        weights: What a warm run goes on from, as bytes; None in other runs and after the last cycle.
    """

    def __init__(self, folder: Path | None, config: RunConfig, own: Mapping[str, str]):
        self.folder = folder
        self.config = config
        self.own = dict(own)
        self.rows: list[dict[str, Any]] = []
        self.pending: dict[str, Any] | None = None
        self.weights: bytes | None = None
        self.made: dict[str, Any] = {}
        self.held = None if folder is None else (folder / LOCK).stat()

    @property
    def finished(self) -> bool:
        """Whether every cycle of the configuration has its row."""
        return len(self.rows) == self.config.cycles + 1

    def table(self) -> pd.DataFrame:
        """Give the rows as a table."""
        return pd.DataFrame(self.rows)

    def restore(self) -> None:
        """Take up what an earlier run left in the folder, if anything.

        Raises:
            ValueError: When the file is damaged, or made with other settings, other data or another network
                of the user's, other versions or another kind of device.
        """
        path = self.folder / FILE
        try:
            table, made = results.read(path)
        except FileNotFoundError:
            return
        except ValueError as error:
            raise ValueError(f"out: {error} To go on, move it away, or {_AGAIN}.") from error
        whole = isinstance(made, dict) and {"config", "pending", "versions", "backend"} <= set(made)
        if not whole or "cycle" not in table or table["cycle"].tolist() != list(range(len(table))):
            raise ValueError(f"out: {path} is not the record of a run; move it away, or {_AGAIN}.")
        changed = differences(made["config"], self.config.to_dict())
        changed += differences(made.get("own", {}), self.own, "your own ")
        if changed:
            said = f"{', '.join(changed)}; give another folder, or {_AGAIN}"
            raise ValueError(f"out: {path} belongs to a run with other settings: {said}.")
        self.weights = table.pop("weights").iloc[-1] if "weights" in table else None
        self.rows, self.pending, self.made = table.to_dict("records"), made["pending"], made
        if self.finished:
            return
        now = results.provenance()
        # Rows of other versions, or of another kind of device, need not be equal to the last bit.
        changed = differences(*(one["versions"] | {"backend": one["backend"]} for one in (made, now)))
        if changed:
            said = f"{', '.join(changed)}; finish it there, or {_AGAIN} here"
            raise ValueError(f"out: {path} was begun elsewhere: {said}.")
        made.setdefault("resumed", []).append({key: now[key] for key in ("date", "commit", "dirty")})

    def add(self, row: dict[str, Any], pending: dict[str, Any] | None, weights: dict | None = None) -> None:
        """Keep a cycle's row, the next cycle's points and the weights that a warm run goes on from.

        All is in one file that is replaced in one step, so a row never lacks its weights, and what an earlier
        run left is there until the first row has taken its place.

        Raises:
            OSError: When the row cannot be kept, or when the folder is no longer the one that was opened.
        """
        self.rows.append(row)
        self.pending = pending
        if self.folder is None:
            return
        cycle, table = row["cycle"], self.table()
        if not self._is_held():
            raise OSError(
                f"out: {self.folder} was deleted or replaced while a run was at work in it, so cycle {cycle} "
                "is not kept; the same command goes on from what is there now."
            )
        if not self.made:
            own = {"own": self.own} if self.own else {}
            self.made = results.provenance(seeds=[self.config.seed], config=self.config.to_dict(), **own)
        self.made["pending"] = pending
        if weights is not None and pending is not None:
            self.weights = serialization.msgpack_serialize(jax.device_get(weights))
            table["weights"] = [None] * (len(table) - 1) + [self.weights]
        try:
            results.write(table, self.folder / FILE, self.made)
        except OSError as error:
            raise OSError(
                f"out: cycle {cycle} cannot be kept in {self.folder} ({error.strerror or error}); the cycles "
                "before it are. Mend that, and the same command goes on from there."
            ) from error

    def restored(self) -> dict:
        """Give the weights of the last whole cycle of a warm run.

        Raises:
            ValueError: When an older version wrote the folder, and they are not there.
        """
        if self.weights is None:
            raise ValueError(f"out: {self.folder / FILE} has no weights to go on from; {_AGAIN}.")
        return serialization.msgpack_restore(self.weights)

    def _is_held(self) -> bool:
        try:
            return os.path.samestat(self.held, (self.folder / LOCK).stat())
        except OSError:
            return False


@contextlib.contextmanager
def hold(
    out: str | os.PathLike | None,
    config: RunConfig,
    own: Mapping[str, str] | None = None,
    *,
    fresh: bool = False,
) -> Iterator[Checkpoint]:
    """Open a run's folder, made if need be, for this process alone and take up what is there.

    The lock is the operating system's: it goes with the process that holds it, however that process ends.

    Args:
        out: The folder; None keeps everything in memory.
        config: The run's settings.
        own: What tells the user's own data and network from others.
        fresh: Whether to pass over what an earlier run left; it is there until the first row takes its place.

    Raises:
        ValueError: When another process runs there, when it cannot be a folder, and as
            :meth:`Checkpoint.restore` does.
    """
    if out is None:
        yield Checkpoint(None, config, own or {})
        return
    folder = Path(out)
    holder = ""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / LOCK).acquire(timeout=0)
    except filelock.Timeout:
        with contextlib.suppress(OSError):
            holder = (folder / LOCK).read_text().strip()
        raise ValueError(
            f"out: another run{f' (process {holder})' if holder else ''} is at work in {folder}; "
            "wait for it to end or give another folder."
        ) from None
    except (FileExistsError, NotADirectoryError):
        raise ValueError(f"out: {folder} cannot be a folder, since a file is in its way.") from None
    except OSError as error:
        raise ValueError(f"out: cannot write in {folder} ({error.strerror}).") from error
    with lock:
        # The number only serves the message above: a full disk must not keep a finished run from being read.
        with contextlib.suppress(OSError):
            (folder / LOCK).write_text(f"{os.getpid()}\n")
        state = Checkpoint(folder, config, own or {})
        if not fresh:
            state.restore()
        for path in folder.glob(f".{FILE}.*.part"):  # what a kill left half written
            path.unlink(missing_ok=True)
        yield state
