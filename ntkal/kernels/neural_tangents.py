"""The one door to neural-tangents 0.6.5: infinite-width kernels on today's JAX, without TensorFlow.

neural-tangents had its last release in 2023 and imports, as released, only on a JAX below 0.5. This module
imports it on the JAX versions named by ``JAX_TESTED``, leaves every ``jax`` module as it was, and serves the
part of the library that our tests compare with independent references. What is left out raises
:class:`NotServedError` with the name of what to use instead, rather than return a number nobody has checked.

``nt`` serves ``linearize``, ``taylor_expand``, ``empirical_ntk_fn``, ``empirical_nngp_fn``,
``monte_carlo_kernel_fn``, ``batch`` and, in ``nt.predict``, ``gradient_descent_mse``,
``gradient_descent_mse_ensemble``, ``gradient_descent`` and ``gp_inference``. ``stax`` serves the layers of
``dir(stax)``. Each is the library's own function, with the library's own documentation.

Two conventions to know. ``nt.predict`` divides the squared loss by the number n C of entries of ``y_train``,
so its time t is n C times that of :func:`ntkal.gradient_flow`; and its ``diag_reg`` is relative to the mean
of the kernel's diagonal unless ``diag_reg_absolute_scale=True``, while ``ridge`` in ntkal is absolute.

Example:
    >>> import numpy as np
    >>> from ntkal.neural_tangents import stax
    >>> _, _, kernel_fn = stax.serial(stax.Dense(1), stax.Relu(), stax.Dense(1))
    >>> kernel_fn(np.eye(2), None, "ntk").shape
    (2, 2)
"""

import functools
import types
from collections.abc import Callable

import jax

from ntkal.kernels.neural_tangents_import import JAX_TESTED, NotServedError, check_jax, load

__all__ = ["JAX_TESTED", "NotServedError", "check_jax", "nt", "stax"]


class Served:
    """The tested part of a module; any other name it has raises :class:`NotServedError`.

    Example:
        >>> "Dense" in dir(Served("stax", types.ModuleType("stax"), {"Dense": len}))
        True
    """

    def __init__(self, name: str, module: types.ModuleType, served: dict[str, object]):
        self.__dict__.update(served)
        self.__name__ = name
        self.__doc__ = module.__doc__
        self._module, self._served = module, tuple(sorted(served))

    def __getattr__(self, name: str):
        if name.startswith("_") or not hasattr(self._module, name):
            raise AttributeError(f"{self.__dict__.get('__name__', 'nt')} has no attribute {name!r}.")
        raise NotServedError(
            f"{self.__name__}.{name} is not served: it is wrong or untested on today's JAX. "
            + _INSTEAD.get(name, f"{self.__name__} serves {', '.join(self._served)}.")
        )

    def __dir__(self) -> list[str]:
        return list(self._served)


def _as_it_is(function: Callable) -> Callable:
    return function


def _two_implementations(function: Callable) -> Callable:
    """Serve Jacobian contraction (1) and NTK-vector products (2) only."""

    @functools.wraps(function)
    def wrapped(*args, implementation: int = 1, **kwargs):
        if implementation not in (1, 2):
            raise NotServedError(
                f"implementation={int(implementation)} of the empirical kernel is not served: 0 chooses by a "
                "cost that is false on CPU and GPU, 3 leans on JAX internals that are gone. Use 1 (Jacobian "
                "contraction), 2 (NTK-vector products) or ntkal.empirical_ntk."
            )
        return function(*args, implementation=int(implementation), **kwargs)

    return wrapped


def _concrete_kernel(function: Callable) -> Callable:
    """Serve a predictor whose cached factorisation is of a concrete kernel, not of one traced by jit."""

    @functools.wraps(function)
    def wrapped(k_train_train, y_train, *args, **kwargs):
        if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves((k_train_train, y_train))):
            raise NotServedError(
                f"{function.__name__} caches a factorisation of its kernel, and a kernel traced by a JAX "
                "transformation would escape through that cache. Build the predictor outside jit; its calls "
                "may be inside."
            )
        return function(k_train_train, y_train, *args, **kwargs)

    return wrapped


def _called_outside_jit(function: Callable) -> Callable:
    """Serve an ensemble's predictor, which fills its caches when first called, outside jit only."""

    @functools.wraps(function)
    def wrapped(*args, **kwargs):
        predict = function(*args, **kwargs)

        @functools.wraps(predict)
        def predict_outside_jit(*args, **kwargs):
            # Inside jit even an operation on constants gives a tracer, and so would the cached kernels be.
            if isinstance(jax.numpy.zeros(()) + 0, jax.core.Tracer):
                raise NotServedError(
                    f"The predictor of {function.__name__} caches kernels on its first call; inside jax.jit "
                    "those would be tracers, and every later call would fail. Call it outside jit."
                )
            return predict(*args, **kwargs)

        return predict_outside_jit

    return wrapped


def _arrays_only(batch: Callable) -> Callable:
    """Serve ``nt.batch`` for arrays of inputs and one named kernel."""

    @functools.wraps(batch)
    def wrapped(kernel_fn, *args, **kwargs):
        batched = batch(kernel_fn, *args, **kwargs)

        @functools.wraps(kernel_fn)
        def blocks(x1, x2=None, get=None, *more, **options):
            is_array = isinstance(x1, jax.Array) or type(x1).__module__ == "numpy"
            if not is_array or get is None or (isinstance(get, str) and get not in ("nngp", "ntk")):
                raise NotServedError(
                    "nt.batch is served for an array of inputs with get='nngp' or get='ntk' (or the "
                    "parameters' position, for an empirical kernel). A Kernel object made in blocks carries "
                    "the flag x1_is_x2 of its first block, wrong when only that block coincides. Batch the "
                    "kernel function of the whole network instead of composing batched parts."
                )
            return batched(x1, x2, get, *more, **options)

        return blocks

    return wrapped


_NT = {
    "batch": _arrays_only,
    "empirical_nngp_fn": _as_it_is,
    "empirical_ntk_fn": _two_implementations,
    "linearize": _as_it_is,
    "monte_carlo_kernel_fn": _two_implementations,
    "taylor_expand": _as_it_is,
}
_PREDICT = {
    "gp_inference": _concrete_kernel,
    "gradient_descent": _as_it_is,
    "gradient_descent_mse": _concrete_kernel,
    "gradient_descent_mse_ensemble": _called_outside_jit,
}
_STAX = (
    *("serial", "parallel", "FanOut", "FanInSum", "Identity"),
    *("Dense", "Conv", "AvgPool", "GlobalAvgPool", "Flatten", "LayerNorm"),
    *("Relu", "LeakyRelu", "ABRelu", "Abs", "Erf", "Sigmoid_like", "Gelu", "Sin", "Cos", "Rbf"),
)
_INSTEAD = {
    "max_learning_rate": "Gradient descent on 1/2 |f - y|^2 is stable below 2 / eigvalsh(kernel)[-1].",
    "empirical_kernel_fn": "Use empirical_nngp_fn and empirical_ntk_fn.",
    "empirical_ntk_vp_fn": "Use ntkal.empirical_ntk, or jax.jvp after jax.vjp.",
    "NtkImplementation": "Pass implementation=1 or implementation=2.",
    "experimental": "It needs TensorFlow. Use ntkal.empirical_ntk.",
}


def _serve(name: str, module: types.ModuleType, wrappers: dict[str, Callable], **more) -> Served:
    return Served(name, module, {n: wrap(getattr(module, n)) for n, wrap in wrappers.items()} | more)


_library = load()
nt = _serve("nt", _library, _NT, predict=_serve("nt.predict", _library.predict, _PREDICT))
stax = _serve("stax", _library.stax, dict.fromkeys(_STAX, _as_it_is))
