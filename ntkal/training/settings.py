"""How to train: the settings of :func:`ntkal.training.fit`, and the learning rate of each step."""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ntkal.inputs import check_choice, check_int, check_number
from ntkal.training.augment import Augmentation

SCHEDULES = ("constant", "onecycle")
RISE = 0.3


@dataclass(frozen=True)
class TrainConfig:
    """How to train.

    Attributes:
        steps: Gradient steps, at least 1.
        epochs: Passes over the data, at least 1, in place of ``steps``, which then has no effect; None counts
            steps.
        batch_size: Inputs in a step, at least 1; a smaller data set is used whole in every step.
        learning_rate: Peak of the schedule, positive.
        momentum: From 0 to below 1.
        nesterov: Nesterov's form of momentum.
        weight_decay: At least 0; times the weights, added to the gradient. Running statistics do not decay.
        schedule: ``"onecycle"`` (a cosine up over the first 30% of steps, then down to zero) or
            ``"constant"``.
        shift: Pixels; this and the rest augment images as :class:`ntkal.training.Augmentation` says.
        flip: Mirror images.
        rotate: Degrees.
        zoom: A fraction.
        shear: A fraction.

    Raises:
        ValueError: For a number out of range or an unknown schedule.

    Example:
        >>> TrainConfig(steps=200, learning_rate=0.1).momentum
        0.9
    """

    steps: int = 1500
    batch_size: int = 64
    learning_rate: float = 0.2
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 0.0
    schedule: str = "onecycle"
    shift: int = 0
    flip: bool = False
    rotate: float = 0.0
    zoom: float = 0.0
    shear: float = 0.0
    epochs: int | None = None

    def __post_init__(self):
        for name in ("steps", "batch_size", "epochs"):
            if getattr(self, name) is not None or name != "epochs":
                object.__setattr__(self, name, check_int(name, getattr(self, name), low=1))
        for name, value in vars(self.augmentation).items():  # checked there
            object.__setattr__(self, name, value)
        check_choice("schedule", self.schedule, SCHEDULES)
        for name, high in {"learning_rate": None, "momentum": 1, "weight_decay": None}.items():
            object.__setattr__(self, name, check_number(name, getattr(self, name), low=0, high=high))
        if self.learning_rate == 0:
            raise ValueError(f"learning_rate: expected a positive number, got {self.learning_rate}.")
        if self.momentum == 1:
            raise ValueError(f"momentum: expected a number from 0 to below 1, got {self.momentum}.")
        if not isinstance(self.nesterov, (bool, np.bool_)):
            raise ValueError(f"nesterov: expected True or False, got {self.nesterov!r}.")
        object.__setattr__(self, "nesterov", bool(self.nesterov))

    @property
    def augmentation(self) -> Augmentation:
        """How images are changed in each step."""
        return Augmentation(self.shift, self.flip, self.rotate, self.zoom, self.shear)

    def sized(self, n: int) -> "TrainConfig":
        """The same settings with the steps that ``epochs`` comes to for n inputs."""
        if self.epochs is None:
            return self
        return dataclasses.replace(
            self, steps=math.ceil(self.epochs * n / min(self.batch_size, n)), epochs=None
        )

    def rates(self) -> Float[np.ndarray, " steps"]:
        """The learning rate of each step, float64 (steps,)."""
        if self.schedule == "constant":
            return np.full(self.steps, self.learning_rate)
        time = (np.arange(self.steps) + 0.5) / self.steps
        phase = np.where(time < RISE, 1 - time / RISE, (time - RISE) / (1 - RISE))
        return self.learning_rate * 0.5 * (1 + np.cos(np.pi * phase))
