"""Runs in processes of their own, for the tests to kill, starve of disk or mislead about the time."""

import json
import multiprocessing
import os
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pandas as pd
import psutil

SMALL = {"data": "digits", "model": "mlp", "width": 16, "strategy": "mlmoc", "start": 20, "query": 5}
SMALL |= {"cycles": 3, "subset": 60, "train": {"steps": 20, "learning_rate": 0.1}}

# One process imports the package, without starting JAX, and every run is a fork of it: no second import.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["ntkal.experiments", "optax", "sklearn.datasets", "pyarrow.parquet", "tqdm"])


@dataclass
class Run:
    """A run in a process of its own."""

    process: BaseProcess
    answer: Connection

    def outcome(self, timeout: float = 600) -> str:
        """Wait for its end and return "done", "killed", or the error's kind and message."""
        self.process.join(timeout)
        assert self.process.exitcode is not None, "the run does not end"
        if self.process.exitcode == -9:
            return "killed"
        return self.answer.recv()

    def kill_after(self, seconds: float) -> float:
        """Kill it once it has computed for so long: its own seconds, whatever else the machine does.

        Returns the seconds that it had computed when last seen.
        """
        process, computed = psutil.Process(self.process.pid), 0.0
        while self.process.exitcode is None:
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                break
            computed = times.user + times.system
            if computed >= seconds:
                self.process.kill()
                break
            time.sleep(0.002)
        self.process.join()
        return computed


# Folder of programs that the undisturbed runs compiled; the others read it, so that a run is short.
compiled: list[Path] = []


def start(config: dict[str, Any], folder: Path, prepare=None, *arguments) -> Run:
    """Begin or take up a run in a folder; ``prepare(*arguments)`` is called in its process beforehand."""
    here, there = _CONTEXT.Pipe(duplex=False)
    given = (json.dumps(config), folder, there, [str(place) for place in compiled], prepare, arguments)
    process = _CONTEXT.Process(target=_work, args=given)
    process.start()
    there.close()
    return Run(process, here)


def keep_programs() -> None:
    """Have this process write the programs that it compiles where the others find them."""
    import jax

    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def _work(config: str, folder: Path, answer: Connection, places: list[str], prepare, arguments) -> None:
    import jax

    import ntkal

    try:
        for place in places:
            jax.config.update("jax_compilation_cache_dir", place)
            jax.config.update("jax_persistent_cache_min_compile_time_secs", 1e9)
        if prepare is not None:
            prepare(*arguments)
        ntkal.run(json.loads(config), out=folder)
    except Exception as error:
        answer.send(f"{type(error).__name__}: {error}")
    else:
        answer.send("done")


def after_each_cycle(action) -> None:
    """Have ``action()`` called in this process whenever a cycle's row is safely on disk."""
    from ntkal.experiments import results

    write = results.write

    def write_then_act(*given):
        path = write(*given)
        action()
        return path

    results.write = write_then_act


def rows(folder: Path) -> pd.DataFrame | None:
    """The rows in a run's folder, without how long they took; None before the first."""
    from ntkal.experiments import checkpoint, results

    path = folder / checkpoint.FILE
    if not path.exists():
        return None
    table = results.read(path)[0]
    return table.drop(columns=[name for name in table if name.startswith("seconds_") or name == "weights"])


def files(folder: Path) -> list[str]:
    """The names of all files in a folder, hidden ones too."""
    return sorted(os.listdir(folder))
