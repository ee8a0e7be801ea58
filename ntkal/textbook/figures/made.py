"""What made a stored table, in words for a page, and where its settings are not those of another size."""

from typing import Any

import pandas as pd

from ntkal.inputs import check_choice


def made_by(made: dict[str, Any]) -> pd.DataFrame:
    """Show what made a table: command, commits, device, seeds, dates and seconds.

    Args:
        made: The provenance that :func:`ntkal.textbook.figures.stored` returns beside a table.

    Returns:
        A table with one column, whose name is empty. Commits are given by their first ten digits, dates in
        UTC, seconds as the sum over all runs.

    Example:
        >>> from ntkal import figures
        >>> made_by(figures.stored("3a")[1]).loc["seeds"].item()
        '0, 1, 2, 3, 4, 5'
    """
    runs = made["runs"]
    return pd.DataFrame(
        {
            "": {
                "command": made["command"].split(" --out")[0],
                "runs made with commit": ", ".join(commit[:10] for commit in runs["commits"]),
                "table written with commit": made["commit"][:10],
                "device": ", ".join(runs["devices"]),
                "seeds": ", ".join(map(str, made["seeds"])),
                "first run, table (UTC)": f"{runs['first'][:16]}, {made['date'][:16]}",
                "seconds, all runs together": f"{made['seconds']:,.0f}",
            }
        }
    )


def flat(config: dict[str, Any]) -> dict[str, Any]:
    """List the settings of a run, not nested; epochs, if given, in place of steps.

    Args:
        config: As :meth:`ntkal.experiments.RunConfig.to_dict` gives it.

    Example:
        >>> from ntkal import RunConfig, train
        >>> flat(RunConfig(data="digits", train=train.TrainConfig(epochs=20)).to_dict())["train.steps"]
        '20 epochs'
    """
    training = dict(config["train"])
    epochs = training.pop("epochs")
    training["steps"] = f"{epochs} epochs" if epochs else training["steps"]
    rest = {name: value for name, value in config.items() if name != "train"}
    return rest | {f"train.{name}": value for name, value in training.items()}


def beside_size(made: dict[str, Any], size: str = "paper") -> pd.DataFrame:
    """Show every setting in which the first series of a stored table is not that of another size.

    Args:
        made: The provenance that :func:`ntkal.textbook.figures.stored` returns beside a table.
        size: The size to compare with, as in :func:`ntkal.textbook.figures.jobs`.

    Returns:
        One row for each setting that differs, in columns for the two sizes. ``default`` is what the network
        has by itself.

    Raises:
        ValueError: For an unknown size.

    Example:
        >>> from ntkal import figures
        >>> beside_size(figures.stored("3a")[1]).loc["width"].tolist()
        ['default', '640']
    """
    from ntkal.textbook import figures

    check_choice("size", size, figures.SIZES)
    one, other = (figures.jobs(made["figure"], this)[0] for this in (made["size"], size))
    ours, theirs = flat(made["runs"]["configs"][one.folder]), flat(other.config.to_dict())
    rows = {key: (str(ours[key]), str(theirs[key])) for key in ours if ours[key] != theirs[key]}
    columns = [f"stored ({made['size']})", size]
    return pd.DataFrame(rows, index=columns).T.replace("None", "default")


def altered(made: dict[str, Any]) -> list[str]:
    """Name the runs behind a stored table whose settings are not those that its file asks for now.

    Example:
        >>> from ntkal import figures
        >>> altered(figures.stored("3a")[1])
        []
    """
    from ntkal.textbook import figures

    asked = {job.folder: job.config.to_dict() for job in figures.jobs(made["figure"], made["size"])}
    configs = made["runs"]["configs"]
    return [name for name in {**asked, **configs} if asked.get(name) != configs.get(name)]
