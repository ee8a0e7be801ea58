"""Kernels too large for one device or the memory: what chapter 18 teaches and no ordinary run needs.

In: what :mod:`ntkal.kernels` takes. Out: the same kernels over several devices, in blocks on disk made by
workers, or as products with vectors.
"""

from ntkal.scaling.blockwise import BlockedKernel, compute
from ntkal.scaling.conjugate import Product, ntk_product, solve
from ntkal.scaling.sharded import sharded_ntk

__all__ = ["BlockedKernel", "Product", "compute", "ntk_product", "sharded_ntk", "solve"]
