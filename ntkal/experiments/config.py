"""What a run is: every setting that its result depends on, and nothing else."""

import dataclasses
import hashlib
import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from ntkal import acquisition, data, models
from ntkal.acquisition import sequential
from ntkal.experiments import rivals
from ntkal.experiments.rivals.situation import OBJECTIVES
from ntkal.inputs import check_choice, check_int, check_number, known, typed
from ntkal.kernels.infinite import NETWORKS as INFINITE
from ntkal.training.sgd import TrainConfig

OWN = "own"
"""What ``data`` and ``model`` say in a run on a user's own :class:`ntkal.Dataset` and network."""
TRAIN = TrainConfig(steps=500)
_LOGITS = ("first", "mean", "sum")
PURPOSES = {"start": 0, "init": 1, "train": 2, "subset": 3, "strategy": 4, "lookahead": 5, "ensemble": 6}
"""What random numbers are for. Changing a number changes every result of its stream."""


@dataclass(frozen=True)
class RunConfig:
    """The settings of one pool-based run; equal settings give equal rows.

    Attributes:
        data: Name of a data set of :func:`ntkal.load` that has classes; ``"own"`` for one of the user's.
        model: Name of a network of :mod:`ntkal.models`; ``"own"`` for one of the user's. ``"gp"``: no
            network, but the Gaussian-process classifier of :mod:`ntkal.experiments.gaussian_process`.
        width: Width of the network, at least 1; the network's own default if None.
        blocks: Residual blocks in each group of a ``wide_resnet``; its own default if None.
        strategy: Name of a strategy of :mod:`ntkal.acquisition`.
        mode: ``"batch"``: pick all points of a cycle by one scoring. ``"sequential"``: pick one, reveal its
            true label to the look-ahead, score again. ``"hallucinated"``: so with its most likely label.
        lookahead: How the retrained network is foretold. ``"ntk"``: the linearised network, all candidates at
            once (:class:`ntkal.Lookahead`). The others are for comparison: :mod:`ntkal.experiments.rivals`.
        infinite: The architecture of the infinite-width kernel, where one is used.
        warm: Whether each training starts from the weights of the cycle before, rather than from new ones.
        start: Labels at the start, drawn at random, at least 1.
        query: Labels bought in each cycle, at least 1.
        cycles: Times that labels are bought, at least 0; the table has one row more, for the start set.
        subset: Unlabelled inputs drawn at random in each cycle to choose from, at least ``query``; all of
            them if None (``"all"`` in a file).
        seed: At least 0; every random draw of the run follows from it.
        logit: The logit of the kernel: ``"first"``, ``"mean"``, ``"sum"`` or an index.
        relative_ridge: Ridge of the linearised network as a fraction of the labelled kernel's mean diagonal,
            at least 0. The kernel is in float32, and from some hundred labels on less than 0.01 is refused.
        train: How the network is trained; 500 steps in each cycle if not said, which keeps a run short.

    Raises:
        ValueError: When a setting is of the wrong type, out of range or unknown, or two do not go together.

    Example:
        >>> RunConfig(strategy="margin", cycles=2).labels
        140
    """

    data: str = "mnist5k"
    model: str = "cnn"
    width: int | None = None
    blocks: int | None = None
    strategy: str = "mlmoc"
    mode: str = "batch"
    lookahead: str = "ntk"
    infinite: str = "mlp"
    warm: bool = False
    start: int = 100
    query: int = 20
    cycles: int = 5
    subset: int | None = 2000
    seed: int = 0
    logit: int | str = "sum"
    relative_ridge: float = 1e-2
    train: TrainConfig = TRAIN

    def __post_init__(self):
        for name, kind in (("data", data.Dataset), ("model", models.Model)):
            if isinstance(getattr(self, name), kind):
                raise ValueError(
                    f"{name}: a {kind.__name__} of your own is no setting; give it to ntkal.run(config, "
                    f"{name}=...)."
                )
        settings = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "train"}
        for name, value in typed(RunConfig, settings).items():
            object.__setattr__(self, name, value)
        if not isinstance(self.train, TrainConfig):
            raise ValueError(f"train: expected a table of training settings, got {self.train!r}.")
        choices = {
            "data": (*data.names(), OWN),
            "model": (*models.names(), "gp", OWN),
            "strategy": acquisition.names(),
            "mode": sequential.MODES,
            "lookahead": rivals.names(),
            "infinite": INFINITE,
        }
        ranges = {"width": 1, "blocks": 1, "start": 1, "query": 1, "cycles": 0, "subset": 1}
        if isinstance(self.logit, str):
            choices["logit"] = _LOGITS
        else:
            ranges["logit"] = 0
        for name, allowed in choices.items():
            check_choice(name, getattr(self, name), allowed)
        for name, low in ranges.items():
            if getattr(self, name) is not None:
                check_int(name, getattr(self, name), low=low)
        check_int("seed", self.seed, low=0, high=2**32 - 1)
        check_number("relative_ridge", self.relative_ridge, low=0)
        strategy = acquisition.get(self.strategy)
        sequential.check(strategy, self.mode)
        for wrong in self._misfits(strategy.needs):
            raise ValueError(wrong)

    def _misfits(self, needs: Iterable[str]) -> Iterator[str]:
        """Settings that are right one by one and cannot work together."""
        own, gp, closed = self.model == OWN, self.model == "gp", rivals.get(self.lookahead).closed
        if self.subset is not None and self.subset < self.query:
            yield f"subset: {self.subset} inputs are too few to pick query = {self.query} from; give more."
        if own and (self.width, self.blocks) != (None, None):
            yield "model: a network of your own has its width and blocks; leave these settings out."
        if gp and set(needs) - {"lookahead"}:
            wanted = ", ".join(sorted(needs))
            yield f"strategy: {self.strategy!r} needs {wanted} of a network, and model 'gp' has none."
        if gp and self.lookahead != "ntk":
            yield f"lookahead: model 'gp' looks ahead by itself; leave 'ntk', not {self.lookahead!r}."
        if not closed and self.strategy not in OBJECTIVES:
            wanted = " or ".join(OBJECTIVES)
            yield f"lookahead: {self.lookahead!r} can score by {wanted} only, not by {self.strategy!r}."
        if not closed and self.mode != "batch":
            yield f"lookahead: {self.lookahead!r} cannot take labels one by one; give it mode 'batch'."

    def generator(self, purpose: str, cycle: int) -> np.random.Generator:
        """Give the NumPy generator of one purpose in one cycle, a stream of its own."""
        return np.random.default_rng(np.random.SeedSequence([self.seed, PURPOSES[purpose], cycle]))

    def key(self, purpose: str, cycle: int) -> jax.Array:
        """Give the JAX key of one purpose in one cycle."""
        return jax.random.fold_in(jax.random.fold_in(jax.random.key(self.seed), PURPOSES[purpose]), cycle)

    @property
    def labels(self) -> int:
        """Labels that the run has bought at its end."""
        return self.start + self.cycles * self.query

    @classmethod
    def from_mapping(cls, settings: Mapping[str, Any]) -> "RunConfig":
        """Make a configuration from a mapping, as TOML gives it.

        Args:
            settings: Names and values of attributes; ``train`` is a mapping of the settings of
                :class:`ntkal.training.TrainConfig`. What is not there takes its default.

        Raises:
            ValueError: For an unknown name, with the nearest known one, and for a bad value.

        Example:
            >>> RunConfig.from_mapping({"query": 10, "train": {"steps": 200}}).train.steps
            200
        """
        settings = dict(settings)
        known(settings, [f.name for f in dataclasses.fields(cls)])
        if settings.get("subset") == "all":
            settings["subset"] = None
        train = settings.pop("train", {})
        if isinstance(train, Mapping):
            known(train, [f.name for f in dataclasses.fields(TrainConfig)], "train.")
            values = typed(TrainConfig, train, "train.")
            try:
                train = dataclasses.replace(TRAIN, **values)
            except ValueError as error:
                raise ValueError(f"train.{error}") from error
        return cls(**settings, train=train)

    def to_dict(self) -> dict[str, Any]:
        """Give the settings as plain values, for JSON; :meth:`from_mapping` takes them back."""
        return dataclasses.asdict(self)

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits that tell configurations apart."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    @property
    def name(self) -> str:
        """A name for the run's folder, such as ``mnist5k-cnn-mlmoc-batch-seed0-`` and the digest."""
        return f"{self.data}-{self.model}-{self.strategy}-{self.mode}-seed{self.seed}-{self.digest}"


def as_config(config: RunConfig | Mapping | str | os.PathLike) -> RunConfig:
    """Take a configuration in any of its forms: itself, a mapping, or the path of a TOML file.

    Example:
        >>> as_config({"query": 10}) == RunConfig(query=10)
        True
    """
    if isinstance(config, RunConfig):
        return config
    if not isinstance(config, Mapping | str | os.PathLike):
        said = type(config).__name__
        raise ValueError(f"config: expected a RunConfig, a mapping or the path of a TOML file, got {said}.")
    return RunConfig.from_mapping(config if isinstance(config, Mapping) else read_toml(config))


def read_toml(path: str | os.PathLike) -> dict[str, Any]:
    """Read a TOML file, with the byte order mark that some editors put first or without."""
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ValueError(f"config: {path} cannot be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:  # the parser's own; digits or brackets by thousands
        more = "; save it as UTF-8" if isinstance(error, UnicodeDecodeError) else ""
        raise ValueError(f"config: {path} is not valid TOML: {error}{more}.") from error


def differences(a: Mapping[str, Any], b: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Name the settings in which two dictionaries of :meth:`RunConfig.to_dict` differ, with both values.

    Example:
        >>> differences(RunConfig().to_dict(), RunConfig(query=10).to_dict())
        ['query (20 then, 10 now)']
    """
    out = []
    for key in sorted({*a, *b}):
        one, two = a.get(key), b.get(key)
        if isinstance(one, Mapping) and isinstance(two, Mapping):
            out += differences(one, two, f"{prefix}{key}.")
        elif one != two:
            out.append(f"{prefix}{key} ({one!r} then, {two!r} now)")
    return out
