"""Acquisition functions and the registry of query strategies.

A score function maps what a model says about a pool of m inputs to m numbers, larger is better. A
:class:`Strategy` turns a :class:`PoolView` into picks: most take the best scores, some pick sets.
"""

from ntkal.acquisition.bald import bald
from ntkal.acquisition.change import emoc, mlmoc, mlmoc_norm, most_likely
from ntkal.acquisition.diversity import badge, coreset
from ntkal.acquisition.expected_error import eer
from ntkal.acquisition.lcmd import lcmd, squared_distances
from ntkal.acquisition.myopic import entropy, least_confident, margin, probabilities
from ntkal.acquisition.pseudo_labels import clusters, coverage
from ntkal.acquisition.registry import PoolView, Strategy, get, names
from ntkal.acquisition.regression import expected_squared_change, variance_reduction
from ntkal.acquisition.risk import DecisionCost, Entropy, expected_risk

__all__ = [
    "DecisionCost",
    "Entropy",
    "PoolView",
    "Strategy",
    "badge",
    "bald",
    "clusters",
    "coreset",
    "coverage",
    "eer",
    "emoc",
    "entropy",
    "expected_risk",
    "expected_squared_change",
    "get",
    "lcmd",
    "least_confident",
    "margin",
    "mlmoc",
    "mlmoc_norm",
    "most_likely",
    "names",
    "probabilities",
    "squared_distances",
    "variance_reduction",
]
