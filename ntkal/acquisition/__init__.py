"""Acquisition functions and the registry of query strategies.

A score function maps what a model says about a pool of m inputs to m numbers, larger is better. A
:class:`Strategy` turns a :class:`PoolView` into picks: most take the best scores, some pick sets.
"""

from ntkal.acquisition.bald import bald
from ntkal.acquisition.diversity import badge, coreset
from ntkal.acquisition.entropy import eer
from ntkal.acquisition.lookahead import emoc, mlmoc, mlmoc_norm, most_likely
from ntkal.acquisition.myopic import entropy, least_confident, margin, probabilities
from ntkal.acquisition.registry import PoolView, Strategy, get, names
from ntkal.acquisition.regression import expected_squared_change, variance_reduction

__all__ = [
    "PoolView",
    "Strategy",
    "badge",
    "bald",
    "coreset",
    "eer",
    "emoc",
    "entropy",
    "expected_squared_change",
    "get",
    "least_confident",
    "margin",
    "mlmoc",
    "mlmoc_norm",
    "most_likely",
    "names",
    "probabilities",
    "variance_reduction",
]
