"""From kernel blocks, outputs and labels to a posterior: the trained linearised network over a pool.

In: kernel blocks, the network's outputs, labels. Out: a :class:`Posterior` with its mean, its variances,
columns of its covariance, and what each further label would make of it.
"""

from ntkal.inputs import SingularKernelError
from ntkal.lookahead.dense import Lookahead
from ntkal.lookahead.factors import FactorLookahead
from ntkal.lookahead.flow import gradient_flow
from ntkal.lookahead.implicit import ImplicitLookahead
from ntkal.lookahead.posterior import Posterior

__all__ = [
    "FactorLookahead",
    "ImplicitLookahead",
    "Lookahead",
    "Posterior",
    "SingularKernelError",
    "gradient_flow",
]
