"""Look-ahead active learning with neural tangent kernels (Mohamadi, Bae and Sutherland, NeurIPS 2022).

Importing the package turns on JAX's 64-bit mode: the kernel solves behind every look-ahead need float64.
Networks stay in float32, because :mod:`ntkal.models` states its own precision.

Idle threads of OpenBLAS are told to sleep soon (``OPENBLAS_THREAD_TIMEOUT``, unless you have set it), since
they take the cores from JAX while they wait. It has an effect where NumPy has not been imported before.
"""

import importlib
import os

os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")

import jax

jax.config.update("jax_enable_x64", True)

__version__ = "0.1.0"

_HOME = {
    "Dataset": "data",
    "load": "data",
    "empirical_ntk": "kernels",
    "gradient_flow": "linear",
    "Lookahead": "lookahead",
    "FactorLookahead": "factors",
    "ImplicitLookahead": "implicit",
    "mlmoc": "acquisition",
    "mlmoc_norm": "acquisition",
    "emoc": "acquisition",
    "eer": "acquisition",
    "run": "loop",
    "RunConfig": "config",
    "claim": "check",
    "answer": "check",
}
_MODULES = (
    "acquisition",
    "check",
    "config",
    "data",
    "figures",
    "gp",
    "kernels",
    "linear",
    "loop",
    "models",
    "plots",
    "provenance",
    "results",
    "rivals",
    "schedule",
    "sequential",
    "statistics",
    "sweep",
    "train",
)

__all__ = sorted([*_HOME, *_MODULES])


def __getattr__(name: str):
    """Import a public name on first use, so that ``import ntkal`` loads neither Flax nor pandas."""
    if name in _HOME:
        value = getattr(importlib.import_module(f"ntkal.{_HOME[name]}"), name)
    elif name in _MODULES:
        value = importlib.import_module(f"ntkal.{name}")
    else:
        raise AttributeError(f"module 'ntkal' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
