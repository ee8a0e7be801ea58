"""What every network shares: the face it shows, its layers, its two parameterisations."""

import functools
import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax import lax

from ntkal.inputs import ArrayLike, as_inputs, check_choice, check_int, check_number, check_x64

Params = dict[str, Any]


@dataclass(frozen=True)
class Model:
    """A network as pure functions; ``params`` is ``{"weights": pytree, "statistics": pytree}``.

    Attributes:
        name: The family, e.g. ``"cnn"``.
        init: ``init(key) -> params``; the same key gives the same bytes.
        apply: ``apply(params, x) -> (n, C)``. Batch norm uses the stored running statistics, as constants:
            the outputs of one input do not depend on the others, and the derivative with respect to the
            statistics is zero, so the empirical NTK of ``apply`` is that of the weights alone.
        features: ``features(params, x) -> (n, d)``, the input of the last dense layer.
        train_apply: ``train_apply(params, x) -> (outputs, params)``. Batch norm uses the batch's statistics
            and the running ones are updated; without batch norm ``params`` comes back as it was.
        stages: ``stages(params, x) -> tuple of (n, d_k)``: what each part of the network computes, first to
            last, averaged over the pixels: the activations of each hidden layer (mlp), of each convolution
            after its rectifier (cnn), or each group's sum of residuals (the residual networks). Batch norm
            as in ``apply``. ``None`` for a model made by hand without it.
        train_stages: ``train_stages(params, x) -> (outputs, stages, params)``: ``train_apply`` and the
            stages of the same pass, so with the batch's statistics.

    Example:
        >>> double = Model("double", lambda key: {"weights": 2.0, "statistics": {}},
        ...                lambda params, x: params["weights"] * x, lambda params, x: x,
        ...                lambda params, x: (params["weights"] * x, params))
        >>> double.apply(double.init(None), np.ones((1, 2))).tolist()
        [[2.0, 2.0]]
    """

    name: str
    init: Callable
    apply: Callable
    features: Callable
    train_apply: Callable
    stages: Callable | None = None
    train_stages: Callable | None = None


class Layers(nn.Module):
    """Shared settings of a network's layers, and the layers themselves."""

    parameterization: str = "standard"
    sigma_w: float = math.sqrt(2)
    sigma_b: float = 0.0
    dtype: Any = jnp.float32

    def affine(self, name: str, shape: tuple[int, ...], act: Callable, bias: bool = True) -> jax.Array:
        r"""Apply ``act(kernel) + bias`` with both scaled as the parameterisation says.

        Standard: :math:`W \sim N(0, \sigma_w^2 / \text{fan-in})` and :math:`b \sim N(0, \sigma_b^2)`.
        NTK: :math:`\sigma_w W / \sqrt{\text{fan-in}} + \sigma_b b` with :math:`W, b \sim N(0, 1)`. Both
        draw the same functions; their gradients, and so their kernels, differ.
        """
        scale_w, scale_b = self.sigma_w / math.sqrt(math.prod(shape[:-1])), self.sigma_b
        ntk = self.parameterization == "ntk"
        # Filled with their standard deviations here; _draw multiplies by normal numbers.
        init_w, init_b = map(nn.initializers.constant, (1.0, 1.0) if ntk else (scale_w, scale_b))
        kernel = self.param(f"{name}_kernel", init_w, shape, self.dtype)
        out = act(kernel * scale_w if ntk else kernel)
        if not bias:
            return out
        offset = self.param(f"{name}_bias", init_b, shape[-1:], self.dtype)
        if ntk:
            offset = offset * scale_b
        return out + offset.reshape((1,) * (out.ndim - 1) + offset.shape)

    def dense(self, name: str, x: jax.Array, width: int) -> jax.Array:
        """A fully connected layer, (n, d) to (n, width)."""
        return self.affine(name, (x.shape[-1], width), lambda kernel: x @ kernel)

    def conv(
        self,
        name: str,
        x: jax.Array,
        width: int,
        stride: int = 1,
        *,
        size: int = 3,
        bias: bool = True,
        centred: bool = False,
    ) -> jax.Array:
        """A convolution with zero padding, (n, h, w, c) to (n, h / stride, w / stride, width), rounded up.

        Its windows of ``size`` x ``size`` pixels cover the image evenly; with ``centred`` the first one is
        centred on the first pixel, so that convolutions of two sizes look at the same places.
        """
        padding = [(size // 2, size // 2)] * 2 if centred else "SAME"

        def act(kernel):
            return lax.conv_general_dilated(
                x, kernel, (stride, stride), padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
            )

        return self.affine(name, (size, size, x.shape[-1], width), act, bias)


ACTIVATIONS = {
    "relu": jax.nn.relu,
    "erf": jax.scipy.special.erf,
    "gelu": functools.partial(jax.nn.gelu, approximate=False),
    "tanh": jnp.tanh,
    "identity": lambda x: x,
}


def family(build: Callable[..., nn.Module]) -> Callable[..., Model]:
    """Make a family of models from a function that checks its arguments and builds its network from them.

    The network's ``__call__(x, train)`` returns ``(outputs, features, stages)``. Models are kept: equal
    networks give the same object, and so JAX finds what it compiled for it.
    """

    @functools.wraps(build)
    def make(input_shape, classes, *, dtype="float32", **options) -> Model:
        shape = _shape(input_shape)
        network = build(shape, check_int("classes", classes, low=1), dtype=_dtype(dtype), **options)
        return _model(build.__name__, network, shape)

    make.options = tuple(inspect.signature(build).parameters)[2:]
    return make


@functools.lru_cache(maxsize=64)
def _model(name: str, network: nn.Module, input_shape: tuple[int, ...]) -> Model:
    dtype = network.dtype

    def check_precision():
        if dtype == np.float64:
            check_x64()

    def variables(params):
        return {"params": params["weights"], "batch_stats": lax.stop_gradient(params["statistics"])}

    def prepare(x):
        check_precision()
        x = as_inputs("x", x).astype(dtype)
        if x.shape[1:] != input_shape or x.ndim != len(input_shape) + 1:
            wanted = ", ".join(str(s) for s in input_shape)
            raise ValueError(f"x: expected inputs of shape (n, {wanted}) for this {name}, got {x.shape}.")
        return x

    def on_inputs(function):
        # Compiled whole: run one operation at a time, a network takes longer to start than to train.
        compiled = jax.jit(function)
        return lambda params, x: compiled(params, prepare(x))

    @jax.jit
    def draw(key):
        made = network.init(key, jnp.zeros((1, *input_shape), dtype))
        return {"weights": _draw(key, made["params"]), "statistics": made.get("batch_stats", {})}

    def init(key):
        check_precision()
        return draw(random_key(key))

    def train_stages(params, x):
        (outputs, _, stages), new = network.apply(variables(params), x, train=True, mutable=["batch_stats"])
        return outputs, stages, {"weights": params["weights"], "statistics": new.get("batch_stats", {})}

    def train_apply(params, x):
        outputs, _, params = train_stages(params, x)
        return outputs, params

    return Model(
        name,
        init,
        apply=on_inputs(lambda params, x: network.apply(variables(params), x)[0]),
        features=on_inputs(lambda params, x: network.apply(variables(params), x)[1]),
        train_apply=on_inputs(train_apply),
        stages=on_inputs(lambda params, x: network.apply(variables(params), x)[2]),
        train_stages=on_inputs(train_stages),
    )


def _draw(key: jax.Array, scales: Params) -> Params:
    # One draw for all leaves: a generator for each shape takes seconds to compile.
    leaves, tree = jax.tree_util.tree_flatten_with_path(scales)
    drawn = [path[-1].key.endswith(("_kernel", "_bias")) for path, _ in leaves]
    sizes = [leaf.size * random for (_, leaf), random in zip(leaves, drawn, strict=True)]
    normal = jax.random.normal(key, (sum(sizes),), leaves[0][1].dtype)
    parts = jnp.split(normal, np.cumsum(sizes)[:-1])
    made = [
        leaf * part.reshape(leaf.shape) if random else leaf
        for (_, leaf), part, random in zip(leaves, parts, drawn, strict=True)
    ]
    return jax.tree_util.tree_unflatten(tree, made)


def average_pool(x: jax.Array) -> jax.Array:
    """Means over 2 x 2 pixels, (n, h, w, c) to (n, h / 2, w / 2, c); an odd last row or column is alone."""
    sums = lax.reduce_window(x, np.zeros((), x.dtype), lax.add, (1, 2, 2, 1), (1, 2, 2, 1), "SAME")
    tall, broad = (np.minimum(2, size - np.arange(0, size, 2)) for size in x.shape[1:3])
    return sums / np.outer(tall, broad)[None, :, :, None].astype(x.dtype)


def check_layers(parameterization: str, sigma_w: float | None, sigma_b: float | None) -> dict[str, Any]:
    """Check the options of the two parameterisations and fill in their defaults."""
    check_choice("parameterization", parameterization, ("standard", "ntk"))
    sigma_w = math.sqrt(2) if sigma_w is None else check_number("sigma_w", sigma_w, low=0)
    bias = 0.1 if parameterization == "ntk" else 0.0
    sigma_b = bias if sigma_b is None else check_number("sigma_b", sigma_b, low=0)
    if sigma_w == 0:
        raise ValueError(f"sigma_w: expected a positive number, got {sigma_w}.")
    return {"parameterization": parameterization, "sigma_w": sigma_w, "sigma_b": sigma_b}


def check_image(name: str, input_shape: tuple[int, ...]) -> None:
    """Refuse inputs that are not images with channels last."""
    if len(input_shape) != 3:
        raise ValueError(f"input_shape: {name} takes images (height, width, channels), got {input_shape}.")


def random_key(key: Any) -> jax.Array:
    """A JAX random key in its new form, made from either."""
    kind = getattr(key, "dtype", None)
    if isinstance(key, ArrayLike) and kind == np.uint32 and key.ndim:
        key = jax.random.wrap_key_data(key)
    elif kind is None or not jnp.issubdtype(kind, jax.dtypes.prng_key):
        raise ValueError(f"key: expected a JAX random key, such as jax.random.key(0), got {key!r}.")
    if key.shape:
        raise ValueError(f"key: expected one JAX random key, got {key.shape[0]} of them.")
    return key


def _shape(input_shape: Sequence[int]) -> tuple[int, ...]:
    sizes = tuple(input_shape) if isinstance(input_shape, Sequence | np.ndarray) else ()
    if not sizes:
        raise ValueError(f"input_shape: expected a tuple such as (28, 28, 1), got {input_shape!r}.")
    return tuple(check_int("input_shape", size, low=1) for size in sizes)


def _dtype(dtype: Any) -> np.dtype:
    try:
        name = "None" if dtype is None else np.dtype(dtype).name
    except TypeError:
        name = str(dtype)
    return np.dtype(check_choice("dtype", name, ("float32", "float64")))
