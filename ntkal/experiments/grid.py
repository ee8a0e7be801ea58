"""The runs of a sweep, read from one TOML file: series or a grid, seeds, and sizes."""

import itertools
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ntkal.experiments.config import RunConfig, read_toml

_PARTS = ("seeds", "run", "series", "grid")


@dataclass(frozen=True)
class Job:
    """One run of a sweep: the name of its curve, and its settings.

    Example:
        >>> Job("margin, warm", RunConfig(seed=3)).folder
        'margin,_warm-seed3'
    """

    series: str
    config: RunConfig

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
        ValueError: For a bad file, an unknown size, an unknown or bad setting (the message names the file and
            the series), and two series of one name.

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
            raise ValueError(
                f"config: in {path}, {name!r} is neither one of {', '.join(_PARTS)} nor a size, which is a "
                "table of these."
            )
    if size is not None:
        if size not in sizes:
            raise ValueError(f"size: {path} has no {size!r}; it has {', '.join(sizes) or 'none'}.")
        settings = _merge(settings, sizes[size])
    for name in ("run", "grid"):
        if not isinstance(settings.get(name, {}), Mapping):
            raise ValueError(f"config: in {path}, {name} is not a table; write [{name}].")
    if not isinstance(settings.get("series", []), list):
        raise ValueError(f"config: in {path}, series is not a list of tables; write [[series]].")
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
