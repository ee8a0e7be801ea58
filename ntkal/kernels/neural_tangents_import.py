"""Import neural-tangents 0.6.5 on today's JAX: no TensorFlow, and every ``jax`` module left as it was.

Three things stand in the way. neural-tangents imports TensorFlow for its experimental module: a stub takes
that module's place. It imports a few names from where JAX no longer keeps them: they are supplied while the
import runs and taken away afterwards. And it uses two things when it runs that JAX is dropping: its own
modules get a replacement for each. Users meet :mod:`ntkal.kernels.neural_tangents`, which serves the tested
part.
"""

import contextlib
import importlib
import re
import sys
import types
import warnings
from collections.abc import Iterator

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

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
    added, modules = [], []
    try:
        for path, attributes in names.items():
            try:
                module = importlib.import_module(path)
            except ModuleNotFoundError:
                module = types.ModuleType(path)
                sys.modules[path] = module
                modules.append(path)
            for name, value in attributes.items():
                if not hasattr(module, name):
                    setattr(module, name, value)
                    added.append((module, name))
        yield
    finally:
        for module, name in added:
            delattr(module, name)
        for path in modules:
            del sys.modules[path]


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
