"""Many runs on Dask: resumable, whatever is killed on the way, and one table at the end."""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ntkal.experiments import checkpoint, loop, provenance, results
from ntkal.experiments.grid import Job, read
from ntkal.experiments.workers import RETRIES, connect, finished

__all__ = ["Job", "read", "run"]

TABLE = "table.parquet"
Outcome = tuple[pd.DataFrame, dict[str, Any]] | Exception
"""Of one run: its table and its provenance, or its error."""


def run(
    jobs: Sequence[Job],
    out: str | os.PathLike,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: bool = False,
    **made: Any,
) -> pd.DataFrame:
    """Run jobs on Dask and return one table of all their rows; a sweep that was begun in ``out`` goes on.

    Each run writes its folder below ``out`` after each cycle (:func:`ntkal.run`). So a worker that is killed
    loses the cycle in hand and no more: Dask gives its run to another, which goes on from the last whole
    cycle. When this process is killed, the same call goes on in the same way. Each local worker has one core
    to itself, because the number of cores that JAX sees decides in which order it adds numbers, and so the
    last bits of every result. A run that fails, for instance because its training diverges, does not stop
    the others; its error is raised when they are done.

    Args:
        jobs: Runs, as :func:`read` gives them.
        out: Folder for the runs and, at the end, for ``table.parquet``. With a scheduler of your own all
            workers must see this folder, or a killed run starts afresh.
        workers: Local worker processes; as many as there are cores if None. 0 runs the jobs in this process,
            one after another, without Dask. Not with ``scheduler``.
        scheduler: Address of a Dask scheduler, ``tcp://host:port``, or path of a scheduler file; None starts
            local processes.
        progress: Whether to draw a progress bar on the standard error stream.
        **made: Further entries for the provenance, such as the name of a figure.

    Returns:
        The rows of :func:`ntkal.run` with ``series`` before them and ``width`` and ``lookahead`` beside
        ``model``, in the order of the jobs.

    Raises:
        ValueError: When there is no job, and as :func:`ntkal.run` does.
        FloatingPointError: When a training diverged. This and every error of a run is raised after the last
            run, with a note of all that failed and without a table; what the others wrote is kept.
        ImportError: When Dask is not installed and ``workers`` is not 0.
        OSError: When the scheduler cannot be reached, when one run killed several workers, or when all ended.

    Source:
        Rocklin, "Dask: parallel computation with blocked algorithms and task scheduling", SciPy 2015.

    Example:
        >>> import tempfile
        >>> from ntkal.config import RunConfig
        >>> config = RunConfig(data="moons", model="mlp", strategy="random", start=8, cycles=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run([Job("chance", config)], folder, workers=0)[["series", "labels"]].values.tolist()
        [['chance', 8]]
    """
    if not jobs:
        raise ValueError("jobs: there is none; a sweep needs at least one run.")
    from tqdm import tqdm

    out = Path(out)
    here = workers == 0 and scheduler is None
    outcomes = _here(jobs, out) if here else _on_dask(jobs, out, workers, scheduler)
    done: dict[str, tuple[pd.DataFrame, dict]] = {}
    failed: dict[str, Exception] = {}
    bar = tqdm(total=len(jobs), disable=not progress, unit="run", desc=out.name, file=sys.stderr)
    with bar, contextlib.closing(outcomes):
        for job, outcome in outcomes:
            (failed if isinstance(outcome, Exception) else done)[job.folder] = outcome
            bar.set_postfix_str(f"{job.series}, seed {job.config.seed}")
            bar.update()
    if failed:
        error = next(iter(failed.values()))
        error.add_note(
            f"{len(failed)} of {len(jobs)} runs failed, this is the error of the first: {', '.join(failed)}. "
            f"The others are kept in {out}; the same call goes on from there."
        )
        raise error
    tables, records = zip(*(done[job.folder] for job in jobs), strict=True)
    table = pd.concat(tables, ignore_index=True)
    results.write(table, out / TABLE, _provenance(jobs, records, table, made))
    return table


def _here(jobs: Sequence[Job], out: Path) -> Iterator[tuple[Job, Outcome]]:
    """Yield each job with what came of it, one after another."""
    for job in jobs:
        try:
            yield job, _one(job, out)
        except Exception as error:  # whatever it is, it is raised once the others are done
            yield job, error


def _on_dask(
    jobs: Sequence[Job], out: Path, workers: int | None, scheduler: str | None
) -> Iterator[tuple[Job, Outcome]]:
    """Yield each job with what came of it, in the order they are finished."""
    with connect(workers, scheduler) as client:
        from distributed import KilledWorker

        futures = {client.submit(_one, job, out.resolve(), pure=False): job for job in jobs}
        try:
            for future in finished(client, futures):
                job, error = futures[future], future.exception()
                if isinstance(error, KilledWorker):
                    error = OSError(
                        f"The run {job.folder} ended {RETRIES} worker processes one after another, most "
                        "likely for want of memory; run it with fewer workers."
                    )
                yield job, error or future.result()
        finally:
            client.cancel(list(futures))


def _one(job: Job, out: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """What a worker does: one run, from where it stands."""
    folder = out / job.folder
    table = loop.run(job.config, out=folder)
    table.insert(0, "series", job.series)
    place = table.columns.get_loc("model") + 1
    table.insert(place, "width", job.config.width)
    table.insert(place + 1, "lookahead", job.config.lookahead)
    return table, results.read(folder / checkpoint.FILE)[1]


def _provenance(jobs, records, table, made) -> dict[str, Any]:
    """What made the whole: this command, and when, where and with which code its runs were made."""
    seconds = float(table.filter(like="seconds_").to_numpy().sum())
    commits = sorted({f"{r['commit']}{' (changed)' if r['dirty'] else ''}" for r in records})
    return provenance.collect(
        seeds=sorted({job.config.seed for job in jobs}),
        seconds=round(seconds, 1),
        runs={
            "commits": commits,
            "devices": sorted({r["device"] for r in records}),
            "first": min(r["date"] for r in records),
            "configs": {job.folder: job.config.to_dict() for job in jobs},
        },
        **made,
    )
