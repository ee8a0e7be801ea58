"""The seven figures of the paper, each as a file of settings at three sizes, a sweep and a drawing."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from ntkal.experiments import results, sweep
from ntkal.inputs import check_choice
from ntkal.textbook.figures import draw

SIZES = ("smoke", "laptop", "paper")
_KINDS: dict[str, Callable[[pd.DataFrame], Figure]] = {
    "1a": draw.accuracy_and_seconds,
    "1b": draw.beside_random,
    "2a": draw.over_random,
    "2b": draw.over_random,
    "2c": draw.over_random,
    "3a": draw.curves,
    "3b": draw.gain_by_width,
}
NAMES = tuple(_KINDS)
__all__ = ["altered", "beside_size", "flat", "jobs", "made_by", "make", "plot", "stored"]
STORE = results.STORE


def jobs(name: str, size: str = "smoke", seeds: Sequence[int] = ()) -> list[sweep.Job]:
    """The runs of a figure at a size.

    Args:
        name: ``"1a"``, ``"1b"``, ``"2a"``, ``"2b"``, ``"2c"``, ``"3a"`` or ``"3b"``.
        size: ``"smoke"``: seconds, on data that needs no download. ``"laptop"``: minutes to hours on two
            cores. ``"paper"``: the paper's protocol, for a GPU.
        seeds: Seeds in place of those of the file.

    Raises:
        ValueError: For an unknown figure or size.

    Example:
        >>> len(jobs("3a", "laptop"))
        30
    """
    path = Path(__file__).with_name(f"{check_choice('name', name, NAMES)}.toml")
    return sweep.read(path, size=check_choice("size", size, SIZES), seeds=seeds)


def make(
    name: str, size: str = "smoke", *, out: str | os.PathLike, seeds: Sequence[int] = (), **options: Any
) -> tuple[pd.DataFrame, Figure]:
    """Run a figure's sweep and draw it.

    Args:
        name: As in :func:`jobs`, and so are ``size`` and ``seeds``.
        size: As above.
        out: Folder of the sweep; what is there already is not run again.
        seeds: As above.
        **options: Those of :func:`ntkal.experiments.sweep.run`: ``workers``, ``scheduler``, ``progress``.

    Returns:
        The table of all rows, also in ``table.parquet``, and the figure, also in ``figure.png`` and
        ``figure.svg``.

    Raises:
        ValueError: For an unknown figure or size, and as :func:`ntkal.experiments.sweep.run` does.
    """
    table = sweep.run(jobs(name, size, seeds), out, figure=name, size=size, **options)
    figure = plot(name, table)
    for kind in ("png", "svg"):
        figure.savefig(Path(out) / f"figure.{kind}", dpi=150)
    return table, figure


def plot(name: str, table: pd.DataFrame) -> Figure:
    """Draw a figure of the paper from its table.

    Raises:
        ValueError: For an unknown figure, and for a table that lacks a column or a seed.

    Example:
        >>> len(plot("3a", stored("3a")[0]).axes) > 0
        True
    """
    return _KINDS[check_choice("name", name, NAMES)](table)


def stored(name: str, size: str = "laptop") -> tuple[pd.DataFrame, dict[str, Any]]:
    """Load the table of a figure that came with the package, and its provenance.

    Raises:
        ValueError: For an unknown figure or size, and when that table is not stored.

    Example:
        >>> table, made = stored("3a")
        >>> made["figure"], made["size"]
        ('3a', 'laptop')
    """
    check_choice("name", name, NAMES)
    check_choice("size", size, SIZES)
    path = STORE / f"figure-{name}-{size}.parquet"
    if not path.exists():
        kept = ", ".join(sorted(file.stem for file in STORE.glob("figure-*.parquet"))) or "none"
        how = f"make it with python -m ntkal figure {name} --size {size}"
        raise ValueError(f"name, size: no such table is stored (stored: {kept}); {how}.")
    return results.read(path)


def made_by(made: dict[str, Any]) -> pd.DataFrame:
    """Show what made a table: command, commits, device, seeds, dates and seconds.

    Returns:
        A table with one column, whose name is empty. Commits are given by their first ten digits, dates in
        UTC, seconds as the sum over all runs.

    Example:
        >>> made_by(stored("3a")[1]).loc["seeds"].item()
        '0, 1, 2, 3, 4, 5'
    """
    runs = made["runs"]
    said = {
        "command": made["command"].split(" --out")[0],
        "runs made with commit": ", ".join(commit[:10] for commit in runs["commits"]),
        "table written with commit": made["commit"][:10],
        "device": ", ".join(runs["devices"]),
        "seeds": ", ".join(map(str, made["seeds"])),
        "first run, table (UTC)": f"{runs['first'][:16]}, {made['date'][:16]}",
        "seconds, all runs together": f"{made['seconds']:,.0f}",
    }
    return pd.DataFrame({"": said})


def flat(config: dict[str, Any]) -> dict[str, Any]:
    """List the settings of a run, not nested; epochs, if given, in place of steps.

    Args:
        config: As :meth:`ntkal.experiments.RunConfig.to_dict` gives it.

    Example:
        >>> from ntkal import RunConfig, train
        >>> flat(RunConfig(data="digits", train=train.TrainConfig(epochs=20)).to_dict())["train.steps"]
        '20 epochs'
    """
    rest = dict(config)
    rest |= {f"train.{name}": value for name, value in rest.pop("train").items()}
    epochs = rest.pop("train.epochs")
    return rest | ({"train.steps": f"{epochs} epochs"} if epochs else {})


def beside_size(made: dict[str, Any], size: str = "paper") -> pd.DataFrame:
    """Show every setting in which the first series of a stored table is not that of another size.

    Args:
        made: The provenance that :func:`stored` returns beside a table.
        size: The size to compare with, as in :func:`jobs`.

    Returns:
        One row for each setting that differs, in columns for the two sizes. ``default`` is what the network
        has by itself.

    Raises:
        ValueError: For an unknown size.

    Example:
        >>> beside_size(stored("3a")[1]).loc["width"].tolist()
        ['default', '640']
    """
    check_choice("size", size, SIZES)
    one, other = (jobs(made["figure"], this)[0] for this in (made["size"], size))
    ours, theirs = flat(made["runs"]["configs"][one.folder]), flat(other.config.to_dict())
    rows = {key: (str(ours[key]), str(theirs[key])) for key in ours if ours[key] != theirs[key]}
    columns = [f"stored ({made['size']})", size]
    return pd.DataFrame(rows, index=columns).T.replace("None", "default")


def altered(made: dict[str, Any]) -> list[str]:
    """Name the runs behind a stored table whose settings are not those that its file asks for now.

    Example:
        >>> altered(stored("3a")[1])
        []
    """
    asked = {job.folder: job.config.to_dict() for job in jobs(made["figure"], made["size"])}
    configs = made["runs"]["configs"]
    return [name for name in {**asked, **configs} if asked.get(name) != configs.get(name)]
