"""The pool-based run: train, evaluate, choose, label, again; resumable, and the same rows every time."""

import dataclasses
import os
import time
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Int

from ntkal import acquisition
from ntkal import data as datasets
from ntkal.acquisition import PoolView, sequential
from ntkal.acquisition.registry import best
from ntkal.data import Dataset
from ntkal.experiments import checkpoint, learners, rivals
from ntkal.experiments.config import OWN, RunConfig, as_config
from ntkal.lookahead.posterior import Posterior
from ntkal.models import Model


def run(
    config: RunConfig | Mapping | str | os.PathLike,
    *,
    data: Dataset | None = None,
    model: Model | None = None,
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
    (:func:`ntkal.experiments.statistics.paired`). A run that was interrupted goes on to the rows of one that
    was not, ``seconds_*`` apart. The data set is that of ``ntkal.load(name)`` for every seed.

    Args:
        config: A :class:`ntkal.experiments.RunConfig`, a mapping of its settings, or the path of a TOML file.
        data: A data set of your own, with classes, in place of the setting ``data``, which becomes ``"own"``;
            a mapping may have it as that setting.
        model: A network of your own, in place of the setting ``model``, likewise.
        out: Folder for ``run.parquet``, written whole after each cycle. A run that was begun there goes on, a
            finished one is returned at once. None keeps nothing. Of your own data the folder remembers a
            digest, and of your own network its name, its number of parameters and what it says of the first
            training input before training, to three digits: a run on others does not go on there.
        progress: Whether to draw a progress bar on the standard error stream.
        fresh: Whether to begin anew whatever ``out`` holds; it is replaced when the first cycle is done.

    Returns:
        A table of ``cycles + 1`` rows: ``data``, ``model``, ``strategy``, ``mode``, ``seed``; ``cycle``;
        ``labels`` trained on; test ``accuracy``; ``picks``, the indices into ``x_train`` labelled for this
        cycle, best first (in cycle 0 the start set), so that the picks up to a row are what its model was
        trained on; ``ridge``, the absolute ridge of the look-ahead that chose them (NaN if none);
        ``seconds_train``, and of the choice ``seconds_kernel`` (the empirical NTK and the linearised network)
        and ``seconds_query`` (outputs, scores, reveals), all with compilation where it falls due.

    Raises:
        ValueError: For a bad setting, too little data for the labels asked for, a strategy that cannot work
            in the mode, data or a network that does not fit, and a folder that another run uses, that is
            damaged, or that holds other settings.
        OSError: When a cycle cannot be kept in ``out``.

    Source:
        Mohamadi, Bae and Sutherland (2022), section 4, with the choices of this book's chapters 9 and 12.

    Example:
        >>> table = run({"data": "moons", "model": "mlp", "strategy": "margin", "start": 8, "query": 4,
        ...              "cycles": 2, "subset": 50,
        ...              "train": {"steps": 20, "learning_rate": 0.05}})
        >>> table["labels"].tolist()
        [8, 12, 16]
    """
    config, own = with_own(config, data, model)
    # A new run is checked against its data before its folder is made; a finished one needs no data.
    begun = not fresh and out is not None and os.path.exists(os.path.join(out, checkpoint.FILE))
    job = None if begun and OWN not in (config.data, config.model) else Parts(config, **own)
    with checkpoint.hold(out, config, job.own if job else None, fresh=fresh) as state:
        if not state.finished:
            job = job or Parts(config)
            job.go(state, progress)
        return state.table()


def with_own(
    config: RunConfig | Mapping | str | os.PathLike, data: Dataset | None, model: Model | None
) -> tuple[RunConfig, dict[str, Any]]:
    """Give a configuration that says which of data and network are the user's own, and these (None: by name).

    Example:
        >>> with_own({"model": "mlp"}, datasets.load("moons"), None)[0].data
        'own'
    """
    own = {"data": data, "model": model}
    if isinstance(config, Mapping):
        for name, kind in (("data", Dataset), ("model", Model)):
            if own[name] is None and isinstance(config.get(name), kind):
                own[name], config = config[name], {**config, name: OWN}
    config = as_config(config)
    config = dataclasses.replace(config, **{name: OWN for name in own if own[name] is not None})
    for name, value in own.items():
        if value is None and getattr(config, name) == OWN:
            raise ValueError(
                f"{name}: {OWN!r} stands for one of yours; give it to ntkal.run(config, {name}=...)."
            )
    return config, own


class Parts:
    """The parts of a run that stay the same from cycle to cycle.

    Attributes:
        said: What else goes into a cycle's row, for runs that are more than this.
    """

    said: Mapping[str, Any] = {}

    def __init__(self, config: RunConfig, data: Dataset | None = None, model: Model | None = None):
        self.config = config
        self.strategy = acquisition.get(config.strategy)
        if data is not None and not isinstance(data, Dataset):
            said = type(data).__name__
            raise ValueError(f"data: expected a ntkal.Dataset, got {said}; make one of your arrays.")
        self.data = datasets.load(config.data) if data is None else data
        classes, total = len(self.data.classes), len(self.data.x_train)
        if classes == 0:
            raise ValueError(f"data: {config.data!r} is a regression problem; a run needs classes.")
        if config.labels > total:
            raise ValueError(
                f"cycles: {config.start} labels at the start and {config.cycles} cycles of {config.query} "
                f"come to {config.labels}, but {config.data} has {total} training inputs; lower start, query "
                "or cycles."
            )
        self.targets = datasets.one_hot(self.data.y_train, classes)
        self.own = {} if data is None else {"data": data.digest}
        if model is not None:
            self.own["model"] = learners.described(model, config, self.data.x_train[:1], classes)
        network = config, self.data.x_train.shape[1:], classes, model
        gp = config.model == "gp"
        self.learner = learners.GPLearner(config) if gp else learners.NetworkLearner(*network)

    def go(self, state: checkpoint.Checkpoint, progress: bool) -> None:
        """Add the cycles that are not there yet."""
        from tqdm import tqdm

        name, cycles = f"{self.config.strategy} ({self.config.mode})", self.config.cycles
        bar = tqdm(total=cycles + 1, initial=len(state.rows), disable=not progress, unit="cycle", desc=name)
        with bar:
            labelled = [pick for row in state.rows for pick in row["picks"]]
            warm = self.config.warm and self.config.model != "gp"
            if warm and state.rows:
                self.learner.restore(state.restored())
            for cycle in range(len(state.rows), cycles + 1):
                chosen = state.pending if cycle else self.start_set()
                labelled += chosen["picks"]
                bar.set_postfix_str(f"{len(labelled)} labels: training")
                accuracy, seconds = self.train(labelled, cycle)
                following = None
                if cycle < cycles:
                    bar.set_postfix_str(f"{len(labelled)} labels: accuracy {accuracy:.3f}, choosing")
                    following = self.query(labelled, cycle)
                weights = self.learner.saved() if warm else None
                names = ("data", "model", "strategy", "mode", "seed")
                row = {name: getattr(self.config, name) for name in names}
                row |= {"cycle": cycle, "labels": len(labelled), "accuracy": accuracy}
                row |= {"ridge": None, "seconds_train": seconds} | chosen | self.said
                row["ridge"] = float("nan") if row["ridge"] is None else row["ridge"]
                state.add(row, following, weights)
                bar.update()

    def start_set(self) -> dict[str, Any]:
        """What is labelled for cycle 0, in the form of :meth:`query`."""
        rng = self.config.generator("start", 0)
        picks = rng.choice(len(self.data.x_train), self.config.start, replace=False).tolist()
        return {"ridge": None, "seconds_kernel": 0.0, "seconds_query": 0.0, "picks": picks}

    def train(self, labelled: list[int], cycle: int) -> tuple[float, float]:
        """Train on the labelled inputs; the test accuracy and the seconds."""
        began = time.perf_counter()
        self.learner.fit(self.data.x_train[labelled], self.targets[labelled], cycle)
        seconds = time.perf_counter() - began
        said = self.learner.outputs(self.data.x_test).argmax(axis=1)
        return float(np.mean(said == self.data.y_test)), seconds

    def subset(self, labelled: list[int], cycle: int) -> Int[np.ndarray, " m"]:
        """The unlabelled inputs that come first in an order that is the same for every strategy."""
        order = self.config.generator("subset", cycle).permutation(len(self.data.x_train))
        unlabelled = order[~np.isin(order, labelled)]
        return unlabelled[: self.config.subset]

    def query(self, labelled: list[int], cycle: int) -> dict[str, Any]:
        """What is chosen for the next cycle, best first, and what the choice took."""
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
        rng = config.generator("strategy", cycle)
        if config.mode != "batch":
            reveal = self.targets[pool] if config.mode == "sequential" else None
            picks = sequential.pick(self.strategy, state, config.query, rng, labels=reveal)
        elif state is None or isinstance(state, Posterior):
            view = PoolView(jnp.asarray(f_p, dtype=jnp.float64), post=state, **extras)
            picks = self.strategy(view, config.query, rng)
        else:
            scores = rivals.score(rivals.get(config.lookahead), state, config.strategy)
            picks = best(scores, config.query)
        return {
            "ridge": float(state.ridge) if isinstance(state, Posterior) else None,
            "seconds_kernel": kernel_done - outputs_done if state is not None else 0.0,
            "seconds_query": outputs_done - began + time.perf_counter() - kernel_done,
            "picks": pool[np.asarray(picks)].tolist(),
        }
