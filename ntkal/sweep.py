"""Many runs: a grid of settings and seeds as one TOML file, on Dask, resumable, one table at the end."""

import contextlib
import itertools
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ntkal import checkpoint, loop, provenance, results
from ntkal.config import RunConfig, read_toml
from ntkal.errors import check_int

TABLE = "table.parquet"
RETRIES = 3
_PARTS = ("seeds", "run", "series", "grid")


@dataclass(frozen=True)
class Job:
    """One run of a sweep: the name of its curve, and its settings."""

    series: str
    config: RunConfig

    @property
    def folder(self) -> str:
        """The name of the run's folder below that of the sweep."""
        return f"{self.series.replace(' ', '_').replace('/', '_')}-seed{self.config.seed}"


def read(path: str | os.PathLike, *, size: str | None = None, seeds: Sequence[int] = ()) -> list[Job]:
    r"""Read the runs of a sweep from a TOML file.

    ``seeds`` is a list. ``[run]`` has the settings that all runs share, those of
    :class:`ntkal.config.RunConfig`. Each ``[[series]]`` is one curve: its ``name``, and what it sets
    differently. ``[grid]`` has lists instead, and every combination of them is a curve. Any other table is a
    size: with ``size="laptop"``, what ``[laptop]`` holds replaces the same settings outside it.

    Args:
        path: The file.
        size: The table to take over the rest; None takes none.
        seeds: Seeds to run in place of the file's.

    Returns:
        The jobs, seed by seed, so that whole seeds are finished early.

    Raises:
        ValueError: For a bad file, an unknown size, an unknown or bad setting (the message names the file and
            the series), and two series of one name.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "few.toml"
        ...     _ = file.write_text('seeds = [0, 1]\\n[run]\\ndata = "moons"\\nmodel = "mlp"\\n'
        ...                         '[grid]\\nstrategy = ["random", "margin"]\\n[small]\\nseeds = [7]\\n')
        ...     [job.folder for job in read(file, size="small")]
        ['random-seed7', 'margin-seed7']
    """
    settings = read_toml(path)
    sizes = {name: settings.pop(name) for name in list(settings) if name not in _PARTS}
    for name, value in sizes.items():
        if not isinstance(value, Mapping) or not set(value) <= set(_PARTS):
            raise ValueError(
                f"config: in {path}, {name!r} is neither one of {', '.join(_PARTS)} nor a size, which is a "
                "table of these."
            )
    if size is not None:
        if size not in sizes:
            raise ValueError(f"size: {path} has no {size!r}; it has {', '.join(sizes) or 'none'}.")
        settings = _merge(settings, sizes[size])
    chosen = list(seeds) or settings.get("seeds", [0])
    if not isinstance(chosen, list) or not chosen:
        raise ValueError(f"seeds: expected a list of whole numbers in {path}, got {chosen!r}.")
    jobs = []
    for seed, (name, own) in itertools.product(chosen, _series(settings, path)):
        try:
            config = RunConfig.from_mapping(_merge(settings.get("run", {}), own) | {"seed": seed})
        except ValueError as error:
            raise ValueError(f"config: {path}, series {name!r}: {error}") from error
        jobs.append(Job(name, config))
    names = [job.folder for job in jobs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"config: {path} has {twice[0]} more than once; give each series a name of its own.")
    return jobs


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
    last bits of every result.

    Args:
        jobs: Runs, as :func:`read` gives them.
        out: Folder for the runs and, at the end, for ``table.parquet``. With a scheduler of your own all
            workers must see this folder, or a killed run starts afresh.
        workers: Local worker processes; as many as there are cores if None. Not with ``scheduler``.
        scheduler: Address of a Dask scheduler, ``tcp://host:port``, or path of a scheduler file; None starts
            local processes.
        progress: Whether to draw a progress bar on the standard error stream.
        **made: Further entries for the provenance, such as the name of a figure.

    Returns:
        The rows of :func:`ntkal.run` with ``series`` before them and ``width`` and ``lookahead`` beside
        ``model``, in the order of the jobs.

    Raises:
        ValueError: When there is no job, and as :func:`ntkal.run` does; what other runs wrote is kept.
        ImportError: When Dask is not installed.
        OSError: When the scheduler cannot be reached, or when one run killed several workers.

    Source:
        Rocklin, "Dask: parallel computation with blocked algorithms and task scheduling", SciPy 2015.
    """
    if not jobs:
        raise ValueError("jobs: there is none; a sweep needs at least one run.")
    from tqdm import tqdm

    out = Path(out)
    done: dict[int, tuple[pd.DataFrame, dict]] = {}
    bar = tqdm(total=len(jobs), disable=not progress, unit="run", desc=out.name, file=sys.stderr)
    with bar, _client(workers, scheduler) as client:
        from distributed import KilledWorker, as_completed

        futures = {
            client.submit(_one, job, str(out.resolve()), pure=False, retries=0): i
            for i, job in enumerate(jobs)
        }
        try:
            for future in as_completed(list(futures)):
                job = jobs[futures[future]]
                done[futures[future]] = future.result()
                bar.set_postfix_str(f"{job.series}, seed {job.config.seed}")
                bar.update()
        except KilledWorker as error:
            raise OSError(
                f"The run {job.folder} ended {RETRIES} worker processes one after another, most likely for "
                f"want of memory. What is finished is kept in {out}; give each worker more, or run fewer."
            ) from error
        finally:
            client.cancel(list(futures))
    tables, records = zip(*(done[i] for i in range(len(jobs))), strict=True)
    table = pd.concat(tables, ignore_index=True)
    results.write(table, out / TABLE, _provenance(jobs, records, table, made))
    return table


def _series(settings: Mapping[str, Any], path: Any) -> list[tuple[str, dict[str, Any]]]:
    """Names and own settings of the curves: those written out, else every combination of the grid."""
    series, grid = settings.get("series", []), settings.get("grid", {})
    if bool(series) == bool(grid):
        raise ValueError(f"config: {path} needs either [[series]] or [grid], and not both.")
    if grid:
        if not all(isinstance(values, list) and values for values in grid.values()):
            raise ValueError(f"config: in {path}, [grid] must have lists that are not empty.")
        return [
            (" ".join(map(str, values)), dict(zip(grid, values, strict=True)))
            for values in itertools.product(*grid.values())
        ]
    out = []
    for one in series:
        one = dict(one)
        if not isinstance(one.get("name"), str):
            raise ValueError(f"config: in {path}, a [[series]] has no name.")
        out.append((one.pop("name"), one))
    return out


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


@contextlib.contextmanager
def _client(workers: int | None, scheduler: str | None) -> Iterator[Any]:
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise ImportError('A sweep runs on Dask: pip install "ntkal[sweep]".') from error
    # Dask counts the workers that a run takes down with it: more than so many, and it is given up.
    dask.config.set({"distributed.scheduler.allowed-failures": RETRIES - 1})
    if scheduler is not None:
        given = {"scheduler_file": scheduler} if Path(scheduler).is_file() else {"address": scheduler}
        with Client(**given) as client:
            yield client
        return
    cores = len(_cores())
    count = cores if workers is None else check_int("workers", workers, low=1)
    cluster = LocalCluster(
        n_workers=count,
        threads_per_worker=1,
        processes=True,
        memory_limit=0,
        dashboard_address=None,
        preload=["ntkal.pin"],
        silence_logs=logging.ERROR,  # a worker that takes long to stop at the end is no news
    )
    with cluster, Client(cluster) as client:
        yield client


def _cores() -> list[int]:
    return (
        sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count()))
    )


def _one(job: Job, out: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """What a worker does: one run, from where it stands."""
    folder = Path(out) / job.folder
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
