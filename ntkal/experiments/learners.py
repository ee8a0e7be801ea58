"""What learns in a run, behind one face: a network, trained in each cycle, or a Gaussian process."""

from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from ntkal import acquisition, models, training
from ntkal.experiments import gaussian_process, rivals
from ntkal.experiments.config import RunConfig
from ntkal.lookahead.posterior import Posterior
from ntkal.models import Model
from ntkal.training import ensemble, loss_prediction

MEMBERS = 5
"""Networks in the ensemble of a strategy that asks for one, the classifier itself among them."""
RANKING = 0.1
"""Weight of LL4AL's ranking loss. The source's 1 stands beside a cross-entropy; beside the squared loss,
which is several times smaller, it made wide residual networks diverge at the rate of the other strategies."""
BATCH = 500


class NetworkLearner:
    """A network, with whatever a strategy needs to be trained beside it.

    Attributes:
        params: The parameters after the last :meth:`fit`; a warm start begins from them.
    """

    def __init__(
        self, config: RunConfig, input_shape: tuple[int, ...], classes: int, model: Model | None = None
    ):
        self.config = config
        self.needs = acquisition.get(config.strategy).needs
        options = {} if config.blocks is None else {"blocks": config.blocks}
        self.model = model or models.get(
            config.model, input_shape=input_shape, classes=classes, width=config.width, **options
        )
        self.params: dict | None = None
        self.module: dict | None = None
        self.cycle = 0

    def fit(self, x: Float[np.ndarray, "n ..."], y: Float[np.ndarray, "n C"], cycle: int) -> None:
        """Train on labelled inputs, from new weights or, in a warm run, from those there are."""
        if self.params is None or not self.config.warm:
            self.params = self.model.init(self.config.key("init", cycle))
        arguments = self.model, self.params, x, y, self.config.train, self.config.key("train", cycle)
        if "predicted_loss" in self.needs:
            self.params, self.module, _ = loss_prediction.fit(*arguments, weight=RANKING)
        else:
            self.params, _ = training.fit(*arguments)
        self.cycle = cycle
        jax.block_until_ready(self.params)

    def saved(self) -> dict[str, Any]:
        """What a warm start begins from, by numbers: a user's network may keep it in any kind of tree."""
        return {str(i): leaf for i, leaf in enumerate(jax.tree.leaves(self.params))}

    def restore(self, saved: dict[str, Any]) -> None:
        """Take up what was saved."""
        tree = jax.tree.structure(self.model.init(self.config.key("init", 0)))
        self.params = jax.tree.unflatten(tree, [saved[str(i)] for i in range(len(saved))])

    def outputs(self, x: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, "n C"]:
        """What the network says."""
        return training.predict(self.model, self.params, x)

    def prepare(self, x_l: np.ndarray, y_l: np.ndarray, x_p: np.ndarray, f_p: np.ndarray) -> Any:
        """Do what the run's way to look ahead does once for the whole pool: its state."""
        config = self.config
        names = ("logit", "relative_ridge", "train", "infinite")
        settings = {name: getattr(config, name) for name in names}
        settings["key"] = config.key("lookahead", self.cycle)
        f_l = self.outputs(x_l)
        situation = rivals.Situation(self.model, self.params, x_l, y_l, x_p, f_l, f_p, **settings)
        return rivals.get(config.lookahead).prepare(situation)

    def extras(self, x_l, y_l, x_p, f_p) -> dict[str, Any]:
        """What else the strategy needs, as arguments of a :class:`ntkal.acquisition.PoolView`."""
        found: dict[str, Any] = {}
        if "features" in self.needs:
            for name, x in (("features_pool", x_p), ("features_labelled", x_l)):
                rows = training.in_batches(self.model.features, self.params, x, batch_size=BATCH)
                found[name] = rows.astype(np.float64)
        if "ensemble" in self.needs:
            keys = jax.random.split(self.config.key("ensemble", self.cycle), MEMBERS - 1)
            given = self.model, x_l, y_l, x_p, self.config.train, keys
            found["ensemble"] = ensemble.outputs(*given, first=f_p)
        if "predicted_loss" in self.needs:
            found["predicted_loss"] = loss_prediction.predict(self.model, self.params, self.module, x_p)
        return found


class GPLearner:
    """The Gaussian process of :mod:`ntkal.experiments.gaussian_process`, whose look-ahead is exact."""

    def __init__(self, config: RunConfig):
        self.config = config

    def fit(self, x: Float[np.ndarray, "n ..."], y: Float[np.ndarray, "n C"], cycle: int) -> None:
        """Condition on the labelled inputs."""
        config = self.config
        self.gp = gaussian_process.fit(x, y, infinite=config.infinite, relative_ridge=config.relative_ridge)

    def outputs(self, x: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, "n C"]:
        """The posterior mean."""
        return np.asarray(self.gp.outputs(x))

    def prepare(self, x_l, y_l, x_p, f_p) -> Posterior:
        """The process over the pool."""
        return self.gp.lookahead(x_p)

    def extras(self, x_l, y_l, x_p, f_p) -> dict[str, Any]:
        """Nothing."""
        return {}


def described(model: Model, config: RunConfig, x: Float[np.ndarray, "1 ..."], classes: int) -> str:
    """Say what tells a user's network from others, as far as that can be seen from outside.

    Returns its name, its number of parameters, and what it says of one input before training, to three
    digits; raises a ValueError when it is no :class:`ntkal.models.Model`, or lacks an output for each class.

    Example:
        >>> model = models.mlp((2,), 3, width=4)
        >>> described(model, RunConfig(), np.zeros((1, 2), np.float32), 3)
        'mlp, 47 parameters, outputs 0 0 0'
    """
    if not isinstance(model, Model):
        raise ValueError(f"model: expected a ntkal.models.Model, got {type(model).__name__}.")
    params = model.init(config.key("init", 0))
    outputs = training.predict(model, params, x)
    if outputs.shape != (1, classes):
        wanted, got = f"(n, {classes}), one for each class of the data", f"{outputs.shape} for one input"
        raise ValueError(f"model: expected outputs of shape {wanted}, got shape {got}.")
    count = sum(np.size(leaf) for leaf in jax.tree.leaves(params["weights"]))
    said = " ".join(f"{value:.3g}" for value in outputs[0])
    return f"{model.name}, {count} parameters, outputs {said}"
