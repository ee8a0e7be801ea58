"""Look-ahead active learning with neural tangent kernels (Mohamadi, Bae and Sutherland, NeurIPS 2022).

The folders are the method in order: :mod:`~ntkal.data`, :mod:`~ntkal.models`, :mod:`~ntkal.training`,
:mod:`~ntkal.kernels`, :mod:`~ntkal.lookahead`, :mod:`~ntkal.acquisition`, :mod:`~ntkal.experiments`; then
:mod:`~ntkal.scaling` for large pools, :mod:`~ntkal.textbook` for the book, :mod:`~ntkal.adapters` for other
people's tools.

Importing the package turns on JAX's 64-bit mode: the kernel solves behind every look-ahead need float64.
Networks stay in float32, because :mod:`ntkal.models` states its own precision.
"""

import importlib
import importlib.abc
import importlib.util
import sys

import jax

jax.config.update("jax_enable_x64", True)

__version__ = "0.1.0"

_NAMES = {
    "data": ("Dataset", "load"),
    "kernels": ("empirical_ntk",),
    "lookahead": ("gradient_flow", "Lookahead", "FactorLookahead", "ImplicitLookahead"),
    "acquisition": ("mlmoc", "mlmoc_norm", "emoc", "eer"),
    "experiments": ("run", "RunConfig"),
    "textbook": ("claim", "answer"),
}
_HOME = {name: package for package, names in _NAMES.items() for name in names}
_PACKAGES = (*_NAMES, "adapters", "models", "scaling", "training")
# Names that modules had before the folders; imports of them go on.
_MOVED = {
    "answers": "textbook.answers",
    "augment": "training.augment",
    "bench": "textbook.bench",
    "blockwise": "scaling.blockwise",
    "calibration": "experiments.statistics.calibration",
    "check": "textbook.check",
    "checkpoint": "experiments.checkpoint",
    "cluster": "experiments.workers",
    "config": "experiments.config",
    "conjugate": "scaling.conjugate",
    "ensemble": "training.ensemble",
    "errors": "inputs",
    "factors": "lookahead.factors",
    "figures": "textbook.figures",
    "gp": "experiments.gaussian_process",
    "implicit": "lookahead.implicit",
    "learners": "experiments.learners",
    "linear": "lookahead.flow",
    "loop": "experiments.loop",
    "looks": "textbook.plots",
    "loss_prediction": "training.loss_prediction",
    "low_rank": "kernels.low_rank",
    "neural_tangents": "kernels.neural_tangents",
    "oracle": "textbook.oracle",
    "oracle_panel": "textbook.oracle_panel",
    "plots": "textbook.plots",
    "posterior": "lookahead.posterior",
    "provenance": "experiments.results",
    "results": "experiments.results",
    "rivals": "experiments.rivals",
    "rivals.base": "experiments.rivals.situation",
    "rivals.infinite": "kernels.infinite",
    "schedule": "training.settings",
    "sequential": "acquisition.sequential",
    "sharded": "scaling.sharded",
    "sketch": "kernels.sketch",
    "solve": "lookahead.solve",
    "statistics": "experiments.statistics",
    "store": "scaling.blockwise",
    "sweep": "experiments.sweep",
    "train": "training",
}

__all__ = sorted([*_HOME, *_PACKAGES])


class _Moved(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Give the module at its new place for an import by its old name."""

    def find_spec(self, name, path=None, target=None):
        new = self._new(name)
        return None if new is None else importlib.util.spec_from_loader(name, self)

    def create_module(self, spec):
        module = importlib.import_module(self._new(spec.name))
        self._own = module.__spec__, module.__loader__
        return module

    def exec_module(self, module):
        module.__spec__, module.__loader__ = self._own

    def get_code(self, name):
        """Of the module at its new place, for ``python -m``."""
        found = importlib.util.find_spec(self._new(name))
        return found.loader.get_code(found.name)

    @staticmethod
    def _new(name):
        package, _, rest = name.partition(".")
        if package != __name__ or not rest:
            return None
        old, below = rest, []
        while old not in _MOVED and "." in old:
            old, _, last = old.rpartition(".")
            below.insert(0, last)
        return ".".join([package, _MOVED[old], *below]) if old in _MOVED else None


sys.meta_path.insert(0, _Moved())


def __getattr__(name: str):
    """Import a public name on first use, so that ``import ntkal`` loads neither Flax nor pandas."""
    if name in _HOME:
        value = getattr(importlib.import_module(f"ntkal.{_HOME[name]}"), name)
    elif name in _PACKAGES or name in _MOVED:
        value = importlib.import_module(f"ntkal.{name}")
    else:
        raise AttributeError(f"module 'ntkal' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
