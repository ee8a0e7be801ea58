"""A run whose labels come from people: it stops with a file of queries and goes on when they are answered."""

import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from ntkal.adapters.label_files import read_answers, write_queries
from ntkal.data import Dataset
from ntkal.experiments import RunConfig, checkpoint
from ntkal.experiments.loop import Parts, with_own
from ntkal.experiments.results import write_whole
from ntkal.models import Model


@dataclass(frozen=True)
class Progress:
    """Where a run stands; printed, it says what to do.

    Attributes:
        table: The cycles so far, as :func:`ntkal.run` gives them. ``labels`` counts the classes trained on;
            ``answers`` has the answer to each pick up to the row, as it was when that row's network was
            trained.
        waiting: Positions that are asked for and have no answer yet; none when the run is finished.
        problems: A sentence for each line of a file that cannot be used.
        file: The table of queries to fill in; None when the run is finished.

    Example:
        >>> print(Progress(pd.DataFrame(), (4, 7), ("queries-0.csv, line 2: ...",), Path("queries-0.csv")))
        Waiting for 2 answers, in queries-0.csv.
        Not used: queries-0.csv, line 2: ...
    """

    table: pd.DataFrame
    waiting: tuple[int, ...]
    problems: tuple[str, ...]
    file: Path | None

    @property
    def finished(self) -> bool:
        """Whether nothing is asked any more."""
        return not self.waiting

    def __str__(self) -> str:
        said = f"Waiting for {len(self.waiting)} answers, in {self.file}." if self.waiting else "Finished."
        return "\n".join([said, *(f"Not used: {problem}" for problem in self.problems)])


def ask(
    config: RunConfig | Mapping | str | os.PathLike,
    folder: str | os.PathLike,
    *,
    data: Dataset | None = None,
    model: Model | None = None,
    images: Sequence[str] | None = None,
    progress: bool = False,
) -> Progress:
    """Run as :func:`ntkal.run` does, as far as the answers in the folder go, and ask for those it lacks.

    Each call goes on from what is in the folder, however the one before ended. In each cycle it writes
    ``queries-0.csv`` (and so on), whose empty column is to be filled in, and ``queries-0.json`` for Label
    Studio, whose export may be put there as ``answers.json`` or ``answers-2.json``, or a table as
    ``answers.csv``. No file that is there is ever written again. A position that is skipped, or that the
    person does not know, is not trained on and not asked again. A corrected label, in any of the files,
    counts from the next training on; rows that there are stay.

    Args:
        config: As in :func:`ntkal.run`; its mode is ``"batch"`` (or ``"ask"``, the same) or
            ``"hallucinated"``.
        folder: Where the run, its queries and its answers are.
        data: As in :func:`ntkal.run`. Its ``y_train`` is not looked at: zeros will do.
        model: As in :func:`ntkal.run`.
        images: Where to see each training input, a path or an address. None: inputs that are images are put
            into the folder as PNG files.
        progress: As in :func:`ntkal.run`.

    Returns:
        The table so far, and what is waited for.

    Raises:
        ValueError: As :func:`ntkal.run`; for mode ``"sequential"``, which needs an answer before the next
            query; when all queries so far were skipped.

    Example:
        >>> import tempfile
        >>> folder, settings = Path(tempfile.mkdtemp()), {"data": "moons", "model": "mlp", "start": 8}
        >>> print(str(ask(settings | {"query": 4}, folder)).replace(str(folder), ""))
        Waiting for 8 answers, in /queries-0.csv.
    """
    if isinstance(config, Mapping) and config.get("mode") == "ask":
        config = {**config, "mode": "batch"}
    config, own = with_own(config, data, model)
    if config.mode == "sequential":
        raise ValueError(
            "mode: 'sequential' needs the answer to a query before the next; take 'batch' or 'hallucinated'."
        )
    job = _Asking(config, Path(folder), images, **own)
    with checkpoint.hold(folder, config, job.own) as state:
        if state.rows:
            job.before = state.rows[-1]["answers"]
        try:
            if not state.finished:
                job.go(state, progress)
        except _WaitingError:
            return Progress(state.table(), job.waiting, job.problems, job.file)
        return Progress(state.table(), (), job.problems, None)


class _WaitingError(Exception):
    """Some queries have no answer."""


class _Asking(Parts):
    """A run that takes its labels from the folder's files, and stops where one is missing."""

    def __init__(
        self,
        config: RunConfig,
        folder: Path,
        images: Sequence[str] | None,
        data: Dataset | None = None,
        model: Model | None = None,
    ):
        super().__init__(config, data=data, model=model)
        self.targets = np.full_like(self.targets, np.nan)  # of y_train, which nobody knows
        self.own["labels"] = "asked for"
        self.folder, self.images = folder, images
        self.before: Sequence[str] = ()
        self.waiting: tuple[int, ...] = ()
        self.problems: tuple[str, ...] = ()

    def train(self, labelled, cycle):
        classes, given = self.data.classes, self.answers(labelled)
        self.waiting = tuple(at for at in labelled if at not in given)
        if self.waiting:
            self.write(labelled[-(self.config.query if cycle else self.config.start) :], cycle)
            raise _WaitingError
        self.asked, self.answered = list(labelled), [at for at in labelled if given[at] in classes]
        if not self.answered:
            raise ValueError(
                f"answers: none of the {len(labelled)} is a class; correct some in {self.folder}."
            )
        self.before = [given[at] for at in labelled]
        self.said = {"labels": len(self.answered), "answers": self.before}
        self.targets[labelled] = [[given[at] == name for name in classes] for at in labelled]
        return super().train(self.answered, cycle)

    def subset(self, labelled, cycle):
        return super().subset(self.asked, cycle)

    def query(self, labelled, cycle):
        return super().query(self.answered, cycle)

    def answers(self, asked: list[int]) -> dict[int, str]:
        """What was answered before the last row, and what the files say, the later ones above the earlier."""
        given, problems = dict(zip(asked, self.before, strict=False)), []
        for pattern in ("queries-*.csv", "queries-*.json", "answers*.csv", "answers*.json"):
            for path in sorted(self.folder.glob(pattern)):
                try:
                    found = read_answers(path, asked, self.data.classes)
                except ValueError as error:
                    problems.append(str(error))
                else:
                    given |= found.given
                    problems += found.problems
        self.problems = tuple(problems)
        return given

    def write(self, positions: list[int], cycle: int) -> None:
        """The files of a cycle's queries, those that are not there."""
        self.file, images = self.folder / f"queries-{cycle}.csv", self.images
        if images is None and self.data.x_train.ndim == 4 and self.data.x_train.shape[-1] in (1, 3):
            images = {at: f"images/{at}.png" for at in positions}
            low, high = self.data.x_train.min(), self.data.x_train.max()
            for at, name in images.items():
                if not (self.folder / name).exists():
                    grey = (self.data.x_train[at] - low) / max(high - low, 1e-9)
                    write_whole(self.folder / name, lambda file, grey=grey: file.write(_png(grey)))
        for path in (self.file.with_suffix(".json"), self.file):
            if not path.exists():
                write_queries(path, positions, self.data.classes, images=images)


def _png(image: Float[np.ndarray, "h w c"]) -> bytes:
    """An image between 0 and 1 as a PNG file."""
    from matplotlib import pyplot as plt

    file = io.BytesIO()
    plt.imsave(file, image.repeat(3, axis=2) if image.shape[2] == 1 else image, format="png")
    return file.getvalue()
