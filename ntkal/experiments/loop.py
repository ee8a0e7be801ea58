"""The pool-based run: train, evaluate, choose, label, again; resumable, and the same rows every time."""

import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Int

from ntkal import acquisition, data
from ntkal.acquisition import PoolView, Strategy, sequential
from ntkal.acquisition.registry import best
from ntkal.experiments import checkpoint, learners, rivals
from ntkal.experiments.config import RunConfig, as_config
from ntkal.experiments.generators import stream
from ntkal.experiments.rivals.situation import OBJECTIVES
from ntkal.lookahead.dense import Lookahead


@dataclass(frozen=True)
class Query:
    """What was chosen for the next cycle, and what the choice took.

    Attributes:
        picks: Indices into ``x_train``, best first.
        ridge: The absolute ridge of the look-ahead that chose them; None where there was none.
        seconds_kernel: As in the table of :func:`run`.
        seconds_query: As in the table of :func:`run`.

    Example:
        >>> Query([3, 1], None, 0.0, 0.1).picks
        [3, 1]
    """

    picks: list[int]
    ridge: float | None
    seconds_kernel: float
    seconds_query: float


def run(
    config: RunConfig | Mapping | str | os.PathLike,
    *,
    out: str | os.PathLike | None = None,
    progress: bool = False,
    fresh: bool = False,
) -> pd.DataFrame:
    """Run pool-based active learning and return a row for each cycle.

    Cycle 0 trains on the start set. Each later cycle draws a subset of the unlabelled inputs, chooses
    ``query`` of them with the model of the cycle before, labels them, and trains again, from scratch unless
    the run is warm.

    Every random draw comes from a stream of its own, named by (seed, purpose, cycle). So the runs of one seed
    share the start set, the initial weights of each cycle, its stream of batches, and the order in which
    inputs come up for the subset, whatever their strategy: take differences between strategies within seeds
    (:func:`ntkal.experiments.results.paired`). No generator's state has to be saved either, and a run that was
    interrupted goes on to the rows of one that was not, ``seconds_*`` apart. The data set is that of
    ``ntkal.load(name)`` for every seed.

    Args:
        config: A :class:`ntkal.experiments.RunConfig`, a mapping of its settings, or the path of a TOML file.
        out: Folder for ``run.parquet``, written whole after each cycle. A run that was begun there goes on, a
            finished one is returned at once. None keeps nothing.
        progress: Whether to draw a progress bar on the standard error stream.
        fresh: Whether to throw away what ``out`` holds.

    Returns:
        A table of ``cycles + 1`` rows: ``data``, ``model``, ``strategy``, ``mode``, ``seed``; ``cycle``;
        ``labels`` trained on; test ``accuracy``; ``picks``, the indices into ``x_train`` labelled for this
        cycle, best first (in cycle 0 the start set), so that the picks up to a row are what its model was
        trained on; ``ridge``, the absolute ridge of the look-ahead that chose them (NaN if none);
        ``seconds_train``, and of the choice ``seconds_kernel`` (the empirical NTK and the linearised network)
        and ``seconds_query`` (outputs, scores, reveals), all with compilation where it falls due.

    Raises:
        ValueError: For a bad setting, too little data for the labels asked for, a strategy that cannot work
            in the mode, and a folder that another run uses, that is damaged, or that holds other settings.

    Source:
        Mohamadi, Bae and Sutherland (2022), section 4, with the choices of this book's chapters 9 and 12.

    Example:
        >>> table = run({"data": "moons", "model": "mlp", "strategy": "margin", "start": 8, "query": 4,
        ...              "cycles": 2, "subset": 50,
        ...              "train": {"steps": 20, "learning_rate": 0.05}})
        >>> table["labels"].tolist()
        [8, 12, 16]
    """
    config = as_config(config)
    strategy = acquisition.get(config.strategy)
    _check(strategy, config)
    # A new run is checked against its data before its folder is made; a finished one needs no data.
    begun = out is not None and (Path(out) / checkpoint.FILE).exists()
    job = None if begun else _Run(config, strategy)
    with checkpoint.hold(out, config, fresh=fresh) as state:
        if not state.finished:
            job = job or _Run(config, strategy)
            job.go(state, progress)
        return state.table()


class _Run:
    """The parts of a run that stay the same from cycle to cycle."""

    def __init__(self, config: RunConfig, strategy: Strategy):
        self.config = config
        self.strategy = strategy
        self.data = data.load(config.data)
        classes = len(self.data.classes)
        if classes == 0:
            raise ValueError(
                f"data: {config.data!r} is a regression problem; a run needs classes, as mnist5k has."
            )
        total = len(self.data.x_train)
        if config.labels > total:
            raise ValueError(
                f"cycles: {config.start} labels at the start and {config.cycles} cycles of {config.query} "
                f"come to {config.labels}, but {config.data} has {total} training inputs; lower start, query "
                "or cycles."
            )
        self.targets = data.one_hot(self.data.y_train, classes)
        self.learner = learners.make(config, self.data.x_train.shape[1:], classes, strategy.needs)

    def go(self, state: checkpoint.Checkpoint, progress: bool) -> None:
        from tqdm import tqdm

        bar = tqdm(
            total=self.config.cycles + 1,
            initial=len(state.rows),
            disable=not progress,
            unit="cycle",
            desc=f"{self.config.strategy} ({self.config.mode})",
        )
        with bar:
            labelled = [pick for row in state.rows for pick in row["picks"]]
            if self.config.warm and state.rows:
                self.learner.params = state.weights()
            for cycle in range(len(state.rows), self.config.cycles + 1):
                chosen = Query(**state.pending) if cycle else Query(self.start_set(), None, 0.0, 0.0)
                labelled += chosen.picks
                bar.set_postfix_str(f"{len(labelled)} labels: training")
                accuracy, seconds = self.train(labelled, cycle)
                following = None
                if cycle < self.config.cycles:
                    bar.set_postfix_str(f"{len(labelled)} labels: accuracy {accuracy:.3f}, choosing")
                    following = asdict(self.query(labelled, cycle))
                weights = self.learner.params if self.config.warm else None
                state.add(self.row(cycle, len(labelled), accuracy, seconds, chosen), following, weights)
                bar.set_postfix_str(f"{len(labelled)} labels: accuracy {accuracy:.3f}")
                bar.update()

    def row(self, cycle: int, labels: int, accuracy: float, seconds: float, chosen: Query) -> dict:
        settings = {
            name: getattr(self.config, name) for name in ("data", "model", "strategy", "mode", "seed")
        }
        return {
            **settings,
            "cycle": cycle,
            "labels": labels,
            "accuracy": accuracy,
            "ridge": float("nan") if chosen.ridge is None else chosen.ridge,
            "seconds_train": seconds,
            "seconds_kernel": chosen.seconds_kernel,
            "seconds_query": chosen.seconds_query,
            "picks": chosen.picks,
        }

    def start_set(self) -> list[int]:
        rng = stream(self.config.seed, "start", 0)
        return rng.choice(len(self.data.x_train), self.config.start, replace=False).tolist()

    def train(self, labelled: list[int], cycle: int) -> tuple[float, float]:
        began = time.perf_counter()
        self.learner.fit(self.data.x_train[labelled], self.targets[labelled], cycle)
        seconds = time.perf_counter() - began
        said = self.learner.outputs(self.data.x_test).argmax(axis=1)
        return float(np.mean(said == self.data.y_test)), seconds

    def subset(self, labelled: list[int], cycle: int) -> Int[np.ndarray, " m"]:
        """The unlabelled inputs that come first in an order that is the same for every strategy."""
        order = stream(self.config.seed, "subset", cycle).permutation(len(self.data.x_train))
        unlabelled = order[~np.isin(order, labelled)]
        return unlabelled[: self.config.subset]

    def query(self, labelled: list[int], cycle: int) -> Query:
        config, pool = self.config, self.subset(labelled, cycle)
        known = self.data.x_train[labelled], self.targets[labelled], self.data.x_train[pool]
        began = time.perf_counter()
        f_p = self.learner.outputs(known[2])
        outputs_done = time.perf_counter()
        state = None
        if config.mode != "batch" or "lookahead" in self.strategy.needs:
            state = self.learner.prepare(*known, f_p)
            jax.block_until_ready(state)
        kernel_done = time.perf_counter()
        extras = self.learner.extras(*known, f_p)
        rng = stream(config.seed, "strategy", cycle)
        if config.mode != "batch":
            reveal = self.targets[pool] if config.mode == "sequential" else None
            picks = sequential.pick(self.strategy, state, config.query, rng, labels=reveal)
        elif state is None or isinstance(state, Lookahead):
            view = PoolView(jnp.asarray(f_p, dtype=jnp.float64), post=state, **extras)
            picks = self.strategy(view, config.query, rng)
        else:
            scores = rivals.score(rivals.get(config.lookahead), state, config.strategy)
            picks = best(scores, config.query)
        ridge = float(state.ridge) if isinstance(state, Lookahead) else None
        seconds_kernel = kernel_done - outputs_done if state is not None else 0.0
        seconds_query = outputs_done - began + time.perf_counter() - kernel_done
        return Query(pool[np.asarray(picks)].tolist(), ridge, seconds_kernel, seconds_query)


def _check(strategy: Strategy, config: RunConfig) -> None:
    """Refuse what cannot work together: a mode or a way to look ahead that the strategy cannot use."""
    sequential.check(strategy, config.mode)
    if rivals.get(config.lookahead).closed:
        return
    if config.strategy not in OBJECTIVES:
        raise ValueError(
            f"lookahead: {config.lookahead!r} can score by {' or '.join(OBJECTIVES)} only, not by "
            f"{config.strategy!r}; change the strategy, or leave lookahead = 'ntk'."
        )
    if config.mode != "batch":
        raise ValueError(
            f"lookahead: {config.lookahead!r} cannot take labels one by one; give it mode 'batch'."
        )
