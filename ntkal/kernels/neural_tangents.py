"""The one door to neural-tangents 0.6.5: infinite-width kernels on today's JAX, without TensorFlow.

neural-tangents had its last release in 2023 and imports, as released, only on a JAX below 0.5. This module
imports it on the JAX versions named by ``JAX_TESTED``, leaves every ``jax`` module as it was, and serves the
part of the library that our tests compare with independent references. Three things stand in the way. It
imports TensorFlow for its experimental module: a stub takes that module's place. It imports names from where
JAX no longer keeps them: they are supplied meanwhile. And it uses two things when it runs that JAX is
dropping: its own modules get a replacement for each. What is left out raises
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

import contextlib
import functools
import importlib
import re
import sys
import types
import warnings
from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from ntkal.inputs import is_traced

__all__ = ["JAX_TESTED", "NotServedError", "check_jax", "nt", "stax"]

JAX_TESTED = ("0.6", "0.12")
"""The first and the last JAX release series on which the tests of the door were run, both included."""

VERSION = "0.6.5"
HOW_TO_INSTALL = f"pip install --no-deps neural-tangents=={VERSION} frozendict"


class NotServedError(NotImplementedError, AttributeError):
    """A part of neural-tangents that is wrong, broken or untested on the JAX versions of this door.

    It is an :class:`AttributeError` too, so that ``hasattr(nt, name)`` is False for such a part.
    """


def check_jax(version: str) -> None:
    """Raise an ImportError unless the JAX ``version`` lies in the tested range.

    Args:
        version: A release number such as ``"0.10.2"``.

    Raises:
        ImportError: When ``version`` is outside ``JAX_TESTED``; the message names the range and the way out.

    Example:
        >>> check_jax("0.10.2")
    """

    def series(text: str) -> tuple[int, ...]:
        return tuple(int(part) for part in re.findall(r"\d+", text)[:2])

    if not series(JAX_TESTED[0]) <= series(version) <= series(JAX_TESTED[1]):
        raise ImportError(
            f"ntkal.neural_tangents was tested with JAX {JAX_TESTED[0]} to {JAX_TESTED[1]}, and this is JAX "
            f"{version}. Install one of those, for example: pip install 'jax=={JAX_TESTED[1]}.*'. "
            "The rest of ntkal does not need neural-tangents; ntkal.empirical_ntk runs on any recent JAX."
        )


def moved_names() -> dict[str, dict[str, object]]:
    """What neural-tangents imports from places where newer JAX versions no longer keep it.

    The public replacement where there is one. The placeholders are only ever used as type annotations
    or by the structured-derivatives code, which the door does not serve.
    """
    from jax.extend import core

    moved = ("Jaxpr", "JaxprEqn", "Literal", "Var", "Primitive")
    return {
        "jax.core": {name: getattr(core, name) for name in moved}
        | {"Value": object, "AbstractValue": object},
        "jax.interpreters.ad": {"zeros_like_p": object()},
        "jax.util": {
            "safe_map": lambda f, *xs: [f(*x) for x in zip(*xs, strict=True)],
            "safe_zip": lambda *xs: list(zip(*xs, strict=True)),
        },
    }


@contextlib.contextmanager
def supplied(names: dict[str, dict[str, object]]) -> Iterator[None]:
    """Add to each named module the attributes it lacks, and take exactly those away again."""
    with contextlib.ExitStack() as after:
        for path, attributes in names.items():
            try:
                module = importlib.import_module(path)
            except ModuleNotFoundError:
                module = sys.modules[path] = types.ModuleType(path)
                after.callback(sys.modules.pop, path)
            for name, value in attributes.items():
                if not hasattr(module, name):
                    setattr(module, name, value)
                    after.callback(delattr, module, name)
        yield


def _no_tensorflow(name: str):
    if name.startswith("__"):
        raise AttributeError(name)
    raise NotServedError(
        f"neural_tangents.experimental.{name} needs TensorFlow, which ntkal does without; "
        "use ntkal.empirical_ntk for the kernel of any JAX function."
    )


def _standard_basis(outputs):
    """The unit vectors of a tree of outputs known by shape alone, which jnp.size no longer takes."""
    zeros, unravel = ravel_pytree(jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), outputs))
    return jax.vmap(unravel)(jnp.eye(zeros.size, dtype=zeros.dtype))


def load() -> types.ModuleType:
    """Import neural-tangents and return it.

    Raises:
        ImportError: When JAX or neural-tangents is not a tested version, or neural-tangents is not installed;
            the message says what to run.
    """
    check_jax(jax.__version__)
    experimental = "neural_tangents.experimental"
    if "neural_tangents" not in sys.modules:
        stub = types.ModuleType(experimental)
        stub.__getattr__ = _no_tensorflow
        sys.modules[experimental] = stub
    with warnings.catch_warnings():
        # What this unmaintained source provokes, while it is imported and no longer.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", category=SyntaxWarning, module=r"neural_tangents\.")
        try:
            with supplied(moved_names()):
                library = importlib.import_module("neural_tangents")
        except ModuleNotFoundError as error:
            if error.name not in ("neural_tangents", "frozendict"):
                raise
            raise ImportError(
                f"{error.name} is not installed. Run: {HOW_TO_INSTALL} "
                "(--no-deps keeps TensorFlow out; nothing here needs it)."
            ) from error
        finally:
            if "neural_tangents" not in sys.modules:
                del sys.modules[experimental]
    if library.__version__ != VERSION:
        raise ImportError(
            f"ntkal.neural_tangents was tested with neural-tangents {VERSION}, and this is "
            f"{library.__version__}. Run: {HOW_TO_INSTALL}"
        )
    # predict looks up jax.core.eval_context when it runs, which JAX may drop: it gets today's public equal.
    importlib.import_module("neural_tangents._src.predict").jax = types.SimpleNamespace(
        core=types.SimpleNamespace(eval_context=jax.ensure_compile_time_eval),
        default_backend=jax.default_backend,
    )
    importlib.import_module("neural_tangents._src.empirical")._std_basis = _standard_basis
    return library


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


def _guarded(check: Callable, name: str, function: Callable) -> Callable:
    """A function, called ``name`` in errors, whose arguments have to pass a check."""

    @functools.wraps(function)
    def wrapped(*args, **kwargs):
        check(name, *args, **kwargs)
        return function(*args, **kwargs)

    return wrapped


def _result_guarded(check: Callable, name: str, function: Callable) -> Callable:
    """A function that makes another, whose arguments have to pass a check."""
    return functools.wraps(function)(lambda *args, **kwargs: _guarded(check, name, function(*args, **kwargs)))


def _two_implementations(name: str, *args, implementation: int = 1, **kwargs) -> None:
    """Jacobian contraction (1) and NTK-vector products (2) only."""
    if implementation not in (1, 2):
        raise NotServedError(
            f"implementation={int(implementation)} of the empirical kernel is not served: 0 chooses by a "
            "cost that is false on CPU and GPU, 3 leans on JAX internals that are gone. Use 1 (Jacobian "
            "contraction), 2 (NTK-vector products) or ntkal.empirical_ntk."
        )


def _concrete_kernel(name: str, k_train_train, y_train, *args, **kwargs) -> None:
    """No kernel traced by jit, since its factorisation is cached."""
    if is_traced(k_train_train, y_train):
        raise NotServedError(
            f"{name} caches a factorisation of its kernel, and a kernel traced by a JAX transformation would "
            "escape through that cache. Build the predictor outside jit; its calls may be inside."
        )


def _not_in_jit(name: str, *args, **kwargs) -> None:
    """No call inside jit, where even operations on constants are traced, and so would cached kernels be."""
    if is_traced(jnp.zeros(()) + 0):
        raise NotServedError(
            f"The predictor of {name} caches kernels on its first call; inside jax.jit those would be "
            "tracers, and every later call would fail. Call it outside jit."
        )


def _one_named_kernel(name: str, x1, x2=None, get=None, *args, **kwargs) -> None:
    """Arrays of inputs and one named kernel."""
    is_array = isinstance(x1, jax.Array) or type(x1).__module__ == "numpy"
    if not is_array or get is None or (isinstance(get, str) and get not in ("nngp", "ntk")):
        raise NotServedError(
            "nt.batch is served for an array of inputs with get='nngp' or get='ntk' (or the parameters' "
            "position, for an empirical kernel). A Kernel object made in blocks carries the flag x1_is_x2 of "
            "its first block, wrong when only that block coincides. Batch the kernel function of the whole "
            "network instead of composing batched parts."
        )


_NT = {
    "batch": (_result_guarded, _one_named_kernel),
    "empirical_nngp_fn": None,
    "empirical_ntk_fn": (_guarded, _two_implementations),
    "linearize": None,
    "monte_carlo_kernel_fn": (_guarded, _two_implementations),
    "taylor_expand": None,
}
_PREDICT = {
    "gp_inference": (_guarded, _concrete_kernel),
    "gradient_descent": None,
    "gradient_descent_mse": (_guarded, _concrete_kernel),
    "gradient_descent_mse_ensemble": (_result_guarded, _not_in_jit),
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


def _serve(name: str, module: types.ModuleType, guards: dict[str, tuple | None], **more) -> Served:
    for each, guard in guards.items():
        function = getattr(module, each)
        more[each] = function if guard is None else guard[0](guard[1], each, function)
    return Served(name, module, more)


_library = load()
nt = _serve("nt", _library, _NT, predict=_serve("nt.predict", _library.predict, _PREDICT))
stax = _serve("stax", _library.stax, dict.fromkeys(_STAX))
