"""From a model and labelled inputs to trained parameters.

In: a :class:`ntkal.models.Model`, inputs, label vectors, a :class:`TrainConfig`. Out: parameters; of one
network, of an ensemble, or of a network that predicts its own loss.
"""

from ntkal.training.augment import Augmentation, batches, generator
from ntkal.training.settings import TrainConfig
from ntkal.training.sgd import accuracy, fit, in_batches, predict, train_step

__all__ = [
    "Augmentation",
    "TrainConfig",
    "accuracy",
    "batches",
    "fit",
    "generator",
    "in_batches",
    "predict",
    "train_step",
]
