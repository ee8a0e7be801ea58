"""From a network, its parameters and inputs to blocks of its neural tangent kernel.

In: an apply function, parameters, inputs; or Jacobians made elsewhere. Out: kernel blocks as arrays, whole,
sketched or of low rank; or the kernel of the infinitely wide network.
"""

from ntkal.kernels.empirical import empirical_ntk, from_jacobians, split_ntk
from ntkal.kernels.infinite import kernel_fn
from ntkal.kernels.low_rank import nystrom, pivoted_cholesky
from ntkal.kernels.network import ApplyFn
from ntkal.kernels.sketch import gradient_sketch, ntk_diagonal

__all__ = [
    "ApplyFn",
    "empirical_ntk",
    "from_jacobians",
    "gradient_sketch",
    "kernel_fn",
    "ntk_diagonal",
    "nystrom",
    "pivoted_cholesky",
    "split_ntk",
]
