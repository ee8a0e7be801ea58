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

from ntkal import acquisition, checkpoint, data, kernels, models, sequential, train
from ntkal.acquisition import PoolView, Strategy
from ntkal.config import RunConfig, as_config
from ntkal.lookahead import Lookahead

# Numbers, not names, feed the generators: changing one changes every result of its stream.
_STREAMS = {"start": 0, "init": 1, "train": 2, "subset": 3, "strategy": 4}


@dataclass(frozen=True)
class Query:
    """What was chosen for the next cycle, and what the choice took."""

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
    ``query`` of them with the model of the cycle before, labels them, and trains again from scratch.

    Every random draw comes from a stream of its own, named by (seed, purpose, cycle). So the runs of one seed
    share the start set, the initial weights of each cycle, its stream of batches, and the order in which
    inputs come up for the subset, whatever their strategy: take differences between strategies within seeds
    (:func:`ntkal.results.paired`). No generator's state has to be saved either, and a run that was
    interrupted goes on to the rows of one that was not, ``seconds_*`` apart. The data set is that of
    ``ntkal.load(name)`` for every seed.

    Args:
        config: A :class:`ntkal.config.RunConfig`, a mapping of its settings, or the path of a TOML file.
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
    sequential.check(strategy, config.mode)
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
        options = {} if config.blocks is None else {"blocks": config.blocks}
        self.model = models.get(
            config.model,
            input_shape=self.data.x_train.shape[1:],
            classes=classes,
            width=config.width,
            **options,
        )

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
            for cycle in range(len(state.rows), self.config.cycles + 1):
                chosen = Query(**state.pending) if cycle else Query(self.start_set(), None, 0.0, 0.0)
                labelled += chosen.picks
                bar.set_postfix_str(f"{len(labelled)} labels: training")
                params, accuracy, seconds = self.train(labelled, cycle)
                following = None
                if cycle < self.config.cycles:
                    bar.set_postfix_str(f"{len(labelled)} labels: accuracy {accuracy:.3f}, choosing")
                    following = asdict(self.query(params, labelled, cycle))
                state.add(self.row(cycle, len(labelled), accuracy, seconds, chosen), following)
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

    def train(self, labelled: list[int], cycle: int) -> tuple[dict, float, float]:
        began = time.perf_counter()
        seed = self.config.seed
        params, _ = train.fit(
            self.model,
            self.model.init(key(seed, "init", cycle)),
            self.data.x_train[labelled],
            self.targets[labelled],
            self.config.train,
            key(seed, "train", cycle),
        )
        jax.block_until_ready(params)
        seconds = time.perf_counter() - began
        return params, train.accuracy(self.model, params, self.data.x_test, self.data.y_test), seconds

    def subset(self, labelled: list[int], cycle: int) -> Int[np.ndarray, " m"]:
        """The unlabelled inputs that come first in an order that is the same for every strategy."""
        order = stream(self.config.seed, "subset", cycle).permutation(len(self.data.x_train))
        unlabelled = order[~np.isin(order, labelled)]
        return unlabelled[: self.config.subset]

    def query(self, params: dict, labelled: list[int], cycle: int) -> Query:
        pool = self.subset(labelled, cycle)
        x_l, x_p = self.data.x_train[labelled], self.data.x_train[pool]
        one_by_one = self.config.mode != "batch"
        post = ridge = features_p = features_l = None
        began = time.perf_counter()
        f_p = train.predict(self.model, params, x_p)
        outputs_done = time.perf_counter()
        if one_by_one or "lookahead" in self.strategy.needs:
            f_l = train.predict(self.model, params, x_l)
            k_ll, k_pl, k_pp = kernels.split_ntk(self.model.apply, params, x_l, x_p, logit=self.config.logit)
            ridge = self.config.relative_ridge * float(jnp.mean(jnp.diagonal(k_ll)))
            post = Lookahead.fit(k_ll, k_pl, k_pp, f_l, f_p, self.targets[labelled], ridge=ridge)
            jax.block_until_ready(post)
        kernel_done = time.perf_counter()
        if "features" in self.strategy.needs:
            features_p, features_l = (
                train.in_batches(self.model.features, params, x, batch_size=500).astype(np.float64)
                for x in (x_p, x_l)
            )
        rng = stream(self.config.seed, "strategy", cycle)
        if one_by_one:
            reveal = self.targets[pool] if self.config.mode == "sequential" else None
            picks = sequential.pick(self.strategy, post, self.config.query, rng, labels=reveal)
        else:
            view = PoolView(jnp.asarray(f_p, dtype=jnp.float64), features_p, features_l, post)
            picks = self.strategy(view, self.config.query, rng)
        seconds_kernel = 0.0 if post is None else kernel_done - outputs_done
        seconds_query = outputs_done - began + time.perf_counter() - kernel_done
        return Query(pool[np.asarray(picks)].tolist(), ridge, seconds_kernel, seconds_query)


def stream(seed: int, purpose: str, cycle: int) -> np.random.Generator:
    """The NumPy generator of one purpose in one cycle of a seed."""
    return np.random.default_rng(np.random.SeedSequence([seed, _STREAMS[purpose], cycle]))


def key(seed: int, purpose: str, cycle: int) -> jax.Array:
    """The JAX key of one purpose in one cycle of a seed."""
    return jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), _STREAMS[purpose]), cycle)
