"""From a posterior or probabilities to scores and picks: acquisition functions and query strategies.

In: what a model says about a pool of m inputs. Out: m scores, larger is better, or positions in the pool. A
:class:`Strategy` turns a :class:`PoolView` into picks: most take the best scores, some pick sets.
"""

from ntkal.acquisition.change import emoc, mlmoc, mlmoc_norm, most_likely
from ntkal.acquisition.diversity import badge, coreset, lcmd
from ntkal.acquisition.myopic import bald, entropy, least_confident, margin, probabilities
from ntkal.acquisition.registry import PoolView, Strategy, get, names
from ntkal.acquisition.regression import expected_squared_change, variance_reduction
from ntkal.acquisition.risk import Entropy, eer, expected_risk

__all__ = [
    "Entropy",
    "PoolView",
    "Strategy",
    "badge",
    "bald",
    "coreset",
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
    "variance_reduction",
]
