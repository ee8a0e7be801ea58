"""Runs on Dask: read from a TOML file, resumable, whatever is killed on the way; one table in the end."""

import contextlib
import dataclasses
import itertools
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ntkal.data import Dataset
from ntkal.experiments import checkpoint, loop, results
from ntkal.experiments.config import RunConfig, as_config, read_toml
from ntkal.experiments.workers import each
from ntkal.models import Model

TABLE = "table.parquet"
_PARTS = {"seeds": list, "run": dict, "series": list, "grid": dict}


@dataclass(frozen=True)
class Job:
    """One run of a sweep: the name of its curve, and its settings.

    Example:
        >>> Job("margin, warm", RunConfig(seed=3)).folder
        'margin,_warm-seed3'
    """

    series: str
    config: RunConfig

    def __post_init__(self):
        object.__setattr__(self, "config", as_config(self.config))

    @property
    def folder(self) -> str:
        """The name of the run's folder below that of the sweep."""
        # Nothing that some system takes for a separator or refuses in a name.
        name = re.sub(r"[ /\\\x00-\x1f]", "_", self.series)
        return f"{name}-seed{self.config.seed}"


def read(path: str | os.PathLike, *, size: str | None = None, seeds: Sequence[int] = ()) -> list[Job]:
    r"""Read the runs of a sweep from a TOML file.

    ``seeds`` is a list. ``[run]`` has the settings that all runs share, those of
    :class:`ntkal.experiments.RunConfig`. Each ``[[series]]`` is one curve: its ``name``, and what it sets
    differently. ``[grid]`` has lists instead, and every combination of them is a curve. Any other table is a
    size: with ``size="laptop"``, what ``[laptop]`` holds replaces the same settings outside it.

    Args:
        path: The file.
        size: The table to take over the rest; None takes none.
        seeds: Seeds to run in place of the file's.

    Returns:
        The jobs, seed by seed, so that whole seeds are finished early.

    Raises:
        ValueError: For a bad file, an unknown size, a bad setting (the message names the file and the
            series), and two series of one name.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder) / "few.toml"
        ...     _ = file.write_text('seeds = [0, 1]\n[run]\ndata = "moons"\nmodel = "mlp"\n'
        ...                         '[grid]\nstrategy = ["random", "margin"]\n[small]\nseeds = [7]\n')
        ...     [job.folder for job in read(file, size="small")]
        ['random-seed7', 'margin-seed7']
    """
    settings = read_toml(path)
    sizes = {name: settings.pop(name) for name in list(settings) if name not in _PARTS}
    for name, value in sizes.items():
        if not isinstance(value, Mapping) or not set(value) <= set(_PARTS):
            parts = ", ".join(_PARTS)
            raise ValueError(f"config: in {path}, {name!r} is neither one of {parts} nor a size of them.")
    if size is not None:
        if size not in sizes:
            raise ValueError(f"size: {path} has no {size!r}; it has {', '.join(sizes) or 'none'}.")
        settings = _merge(settings, sizes[size])
    for name, kind in _PARTS.items():
        if not isinstance(settings.get(name, kind()), kind):
            wanted = "a table" if kind is dict else "a list" if name == "seeds" else "a list of tables"
            raise ValueError(f"config: in {path}, {name} must be {wanted}, got {settings[name]!r}.")
    seeds = list(seeds) if isinstance(seeds, Iterable) else seeds
    chosen = settings.get("seeds", [0]) if seeds == [] else seeds
    if not isinstance(chosen, list) or not chosen:
        raise ValueError(f"seeds: expected a list of whole numbers in {path}, got {chosen!r}.")
    jobs = []
    for seed, (name, own) in itertools.product(chosen, _series(settings, path)):
        try:
            config = RunConfig.from_mapping(_merge(settings.get("run", {}), own) | {"seed": seed})
        except ValueError as error:
            raise ValueError(f"config: {path}, series {name!r}: {error}") from error
        jobs.append(Job(name, config))
    _check_names(jobs, f"config: in {path}")
    return jobs


def run(
    jobs: Sequence[Job],
    out: str | os.PathLike,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: bool = False,
    data: Dataset | None = None,
    model: Model | None = None,
    **made: Any,
) -> pd.DataFrame:
    """Run jobs on Dask and return one table of all their rows; a sweep that was begun in ``out`` goes on.

    Each run writes its folder below ``out`` after each cycle (:func:`ntkal.run`). So a worker that is killed
    loses the cycle in hand and no more: Dask gives its run to another, which goes on from the last whole
    cycle. When this process is killed, the same call goes on in the same way. A local worker has one core to
    itself (:func:`ntkal.experiments.workers.connect`). A run that fails does not stop the others.

    Args:
        jobs: Runs, as :func:`read` gives them.
        out: Folder for the runs and, at the end, for ``table.parquet``. With a scheduler of your own all
            workers must see this folder, or a killed run starts afresh.
        workers: As in :func:`ntkal.experiments.workers.each`: 0 runs the jobs here, without Dask.
        scheduler: As there.
        progress: Whether to draw a progress bar on the standard error stream.
        data: A data set of your own for all runs, as in :func:`ntkal.run`.
        model: A network of your own for all runs, as there; its functions must not be compiled yet.
        **made: Further entries for the provenance, such as the name of a figure.

    Returns:
        The rows of :func:`ntkal.run` with ``series`` before them and ``width`` and ``lookahead`` beside
        ``model``, in the order of the jobs.

    Raises:
        ValueError: When there is no job, and as :func:`ntkal.run` does.
        FloatingPointError: When a training diverged. This and every error of a run is raised after the last
            run, with a note of all that failed and without a table; what the others wrote is kept.
        ImportError, OSError: As :func:`ntkal.experiments.workers.each` does.

    Example:
        >>> import tempfile
        >>> from ntkal.config import RunConfig
        >>> config = RunConfig(data="moons", model="mlp", strategy="random", start=8, cycles=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run([Job("chance", config)], folder, workers=0)[["series", "labels"]].values.tolist()
        [['chance', 8]]
    """
    if not jobs or not all(isinstance(job, Job) for job in jobs):
        raise ValueError("jobs: expected at least one Job, each with a name and a configuration.")
    _check_names(jobs, "jobs")
    from tqdm import tqdm

    out, own = Path(out).resolve(), {"data": data, "model": model}
    jobs = [dataclasses.replace(job, config=loop.with_own(job.config, **own)[0]) for job in jobs]
    items = {f"run {job.folder}": job for job in jobs}
    outcomes = each(_one, items, (out, own), out, argument="model", workers=workers, scheduler=scheduler)
    done: dict[str, tuple[pd.DataFrame, dict]] = {}
    failed: dict[str, Exception] = {}
    bar = tqdm(total=len(jobs), disable=not progress, unit="run", desc=out.name, file=sys.stderr)
    with bar, contextlib.closing(outcomes):
        for name, outcome in outcomes:
            (failed if isinstance(outcome, Exception) else done)[name] = outcome
            bar.set_postfix_str(name)
            bar.update()
    if failed:
        error = next(iter(failed.values()))
        error.add_note(
            f"{len(failed)} of {len(jobs)} runs failed, this is the error of the first: {', '.join(failed)}. "
            f"The others are kept in {out}; the same call goes on from there."
        )
        raise error
    tables, records = zip(*(done[name] for name in items), strict=True)
    table = pd.concat(tables, ignore_index=True)
    made["seconds"] = round(float(table.filter(like="seconds_").to_numpy().sum()), 1)
    runs = {
        "commits": sorted({f"{r['commit']}{' (changed)' if r['dirty'] else ''}" for r in records}),
        "devices": sorted({r["device"] for r in records}),
        "first": min(r["date"] for r in records),
        "configs": {job.folder: job.config.to_dict() for job in jobs},
    }
    runs |= {"own": records[0]["own"]} if "own" in records[0] else {}
    seeds = sorted({seed for r in records for seed in r["seeds"]})
    results.write(table, out / TABLE, results.provenance(seeds=seeds, runs=runs, **made))
    return table


def _check_names(jobs: Sequence[Job], place: str) -> None:
    names = [job.folder for job in jobs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{place}: {twice[0]} is there more than once; give each series a name of its own.")


def _one(job: Job, given: tuple[Path, Mapping[str, Any]]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """One run, from where it stands: its table and its provenance."""
    out, own = given
    table = loop.run(job.config, out=out / job.folder, **own)
    table.insert(0, "series", job.series)
    place = table.columns.get_loc("model") + 1
    table.insert(place, "width", job.config.width)
    table.insert(place + 1, "lookahead", job.config.lookahead)
    return table, results.read(out / job.folder / checkpoint.FILE)[1]


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
        one = dict(one) if isinstance(one, Mapping) else {}
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
