"""The infinite-width neural tangent kernel in place of the empirical one."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ntkal.inputs import ArrayLike, as_float64, check_choice, check_int

NETWORKS = ("cnn", "mlp")
ARRAYS = 16
"""How many arrays of a block's covariances the recursion is reckoned to hold at once."""
SIGMA_W, SIGMA_B = float(np.sqrt(2)), 0.1

Kernel = Callable[..., Float[Array, "n1 n2"]]
Pixels = Float[ArrayLike, "... h w h w"]
Scalar = Float[Array, ""] | float


def kernel_fn(name: str, input_shape: tuple[int, ...], *, memory: int = 2**30) -> Kernel:
    r"""Return the neural tangent kernel of an infinitely wide network.

    The networks are those of :mod:`ntkal.models` with ``parameterization="ntk"``, whose empirical kernels
    converge to it as the width grows: :math:`\sigma_w = \sqrt 2`, :math:`\sigma_b = 0.1` in each layer.

    ``"mlp"`` has three hidden layers of rectifiers. ``"cnn"`` is :func:`ntkal.models.cnn`; its averages over
    all pixels at the end need the covariance of every pixel of one image with every pixel of the other,
    (h w)^2 numbers for each pair of images: a kernel of 600 digits of 8 x 8 pixels takes a minute on one
    core, one of 4,100 MNIST images days.

    Args:
        name: ``"mlp"`` or ``"cnn"``.
        input_shape: Shape of one input; (h, w, channels) for ``"cnn"``.
        memory: Bytes that the temporaries of one block of pairs may take, roughly.

    Returns:
        ``kernel(x1, x2=None) -> (n1, n2)``, float64; without ``x2`` exactly symmetric. Where two inputs
        coincide its entries are good to about eight digits, elsewhere to more.

    Raises:
        ValueError: For an unknown name, a shape that does not suit it, or inputs of another shape.
        ImportError: For ``"mlp"`` without neural-tangents; the message says how to install it.

    Source:
        Jacot, Gabriel and Hongler (2018), computed by neural-tangents (Novak et al., 2020); for ``"cnn"``
        Arora et al. (2019), computed by :func:`convolutional`.

    Example:
        >>> x = np.array([[1.0, 0.0], [0.0, 2.0]])
        >>> k = kernel_fn("mlp", (2,))(x)
        >>> k.shape, bool(k[0, 1] == k[1, 0]), bool(k[1, 1] > k[0, 0])
        ((2, 2), True, True)
    """
    check_choice("name", name, NETWORKS)
    shape = tuple(check_int("input_shape", size, low=1) for size in input_shape)
    if name == "cnn" and len(shape) != 3:
        raise ValueError(f"input_shape: cnn takes images (height, width, channels), got {shape}.")
    pair = 8 * ARRAYS * ((shape[0] * shape[1]) ** 2 if name == "cnn" else 1)
    largest = max(1, int(np.sqrt(check_int("memory", memory, low=1) / pair)))
    recursion = _recursion(name)

    def kernel(x1: ArrayLike, x2: ArrayLike | None = None) -> Float[Array, "n1 n2"]:
        x1 = as_float64("x1", x1, (None, *shape))
        other = x1 if x2 is None else as_float64("x2", x2, (None, *shape))
        left, right = _blocks(x1, largest), _blocks(other, largest)
        strips = [
            [recursion(a, b) for j, b in enumerate(right) if x2 is not None or j <= i]
            for i, a in enumerate(left)
        ]
        if x2 is None:
            count = len(strips)
            whole = [(strip[-1] + strip[-1].T) / 2 for strip in strips]
            strips = [
                [strips[i][j] if j < i else strips[j][i].T if j > i else whole[i] for j in range(count)]
                for i in range(count)
            ]
        return jnp.block(strips)[: len(x1), : len(other)]

    return kernel


def _blocks(x: jax.Array, largest: int) -> list[jax.Array]:
    """Blocks of one size, so that one program is compiled; the last is filled up with copies of an input."""
    size = -(-len(x) // -(-len(x) // largest))
    x = jnp.concatenate([x, jnp.repeat(x[-1:], -len(x) % size, axis=0)])
    return [x[start : start + size] for start in range(0, len(x), size)]


@functools.cache
def _recursion(name: str):
    if name == "cnn":
        return functools.partial(convolutional, weight=SIGMA_W**2, bias=SIGMA_B**2)

    from ntkal.kernels.neural_tangents import stax

    dense = functools.partial(stax.Dense, 1, W_std=SIGMA_W, b_std=SIGMA_B)
    kernel = stax.serial(
        stax.Flatten(), *(layer for _ in range(3) for layer in (dense(), stax.Relu())), dense()
    )[2]

    @jax.jit
    def recursion(a, b):
        # neural-tangents adds arrays of different ranks, which a caller may have forbidden.
        with jax.numpy_rank_promotion("allow"):
            return kernel(a, b, "ntk")

    return recursion


def split(
    name: str, x_l: ArrayLike, x_p: ArrayLike, **options
) -> tuple[Float[Array, "n n"], Float[Array, "m n"], Float[Array, "m m"]]:
    """Return the kernel blocks k_ll, k_pl and k_pp that a look-ahead needs, by :func:`kernel_fn`."""
    n, shape = len(x_l), np.shape(x_l)[1:]
    x_l, x_p = (as_float64(which, x, (None, *shape)) for which, x in (("x_l", x_l), ("x_p", x_p)))
    kernel = kernel_fn(name, shape, **options)(jnp.concatenate([x_l, x_p]))
    return kernel[:n, :n], kernel[n:, :n], kernel[n:, n:]


@jax.jit
def convolutional(
    x1: Float[ArrayLike, "n1 h w c"], x2: Float[ArrayLike, "n2 h w c"], weight: Scalar, bias: Scalar
) -> Float[Array, "n1 n2"]:
    r"""Return the kernel of :func:`ntkal.models.cnn` between two blocks of images, in plain JAX.

    neural-tangents has it too, and on small blocks of images both agree to rounding; with some hundred pairs
    of 8 x 8 images it crashed the process on the CPU (jaxlib 0.10.2).

    Covariances :math:`\Sigma` and kernels :math:`\Theta` are kept between each pixel of one image and each of
    the other. A convolution takes the mean over its nine offsets, the same for both pixels,

    .. math:: \Sigma \leftarrow \sigma_b^2 + \sigma_w^2 \operatorname{mean}_\delta
              \Sigma_{p + \delta, q + \delta}

    .. math:: \Theta \leftarrow \Sigma + \sigma_w^2 \operatorname{mean}_\delta
              \Theta_{p + \delta, q + \delta} ,

    with zero outside the image; a rectifier the arc-cosine functions of orders 1 and 0; a pooling the mean
    over both windows.

    Args:
        x1: Images, float64.
        x2: Images.
        weight: Variance :math:`\sigma_w^2` of a weight times its fan-in.
        bias: Variance :math:`\sigma_b^2` of a bias, above 0.

    Returns:
        The kernel.

    Source:
        Arora et al. (2019), section 4, with this network's poolings; Cho and Saul (2009) for the rectifier.
    """
    first, second = _variances(x1, weight, bias), _variances(x2, weight, bias)
    sigma = jnp.einsum("ahwc,bijc->abhwij", x1, x2) / x1.shape[-1]
    theta = jnp.zeros_like(sigma)
    for layer in range(3):
        sigma, theta = _convolve(sigma, theta, weight, bias)
        sigma, theta = _rectify(sigma, theta, first[layer][:, None], second[layer][None])
        if layer < 2:
            sigma, theta = _pool(sigma), _pool(theta)
    sigma, theta = (k.mean(axis=(2, 3, 4, 5)) for k in (sigma, theta))
    return bias + weight * (sigma + theta)


def _variances(x, weight, bias):
    """Each pixel's variance before each rectifier; means over windows need the covariances of one image."""
    sigma, found = jnp.einsum("ahwc,aijc->ahwij", x, x) / x.shape[-1], []
    for layer in range(3):
        sigma, _ = _convolve(sigma, sigma, weight, bias)
        variance = jnp.einsum("ahwhw->ahw", sigma)
        found.append(variance)
        sigma, _ = _rectify(sigma, sigma, variance, variance)
        if layer < 2:
            sigma = _pool(sigma)
    return found


def _convolve(sigma: Pixels, theta: Pixels, weight, bias) -> tuple[Pixels, Pixels]:
    sigma = bias + weight * _offsets(sigma)
    return sigma, sigma + weight * _offsets(theta)


def _offsets(k: Pixels) -> Pixels:
    """Mean over the nine offsets of a 3 x 3 window, the same for both pixels, with zero outside."""
    h, w = k.shape[-4:-2]
    wide = jnp.pad(k, [(0, 0)] * (k.ndim - 4) + [(1, 1)] * 4)
    windows = ((slice(i, i + h), slice(j, j + w)) for i in range(3) for j in range(3))
    return sum(wide[(..., *at, *at)] for at in windows) / 9


def _rectify(sigma: Pixels, theta: Pixels, first, second) -> tuple[Pixels, Pixels]:
    norm = jnp.sqrt(first[..., None, None] * second[..., None, None, :, :])
    cosine = jnp.clip(sigma / norm, -1.0, 1.0)
    slope = (jnp.pi - jnp.arccos(cosine)) / (2 * jnp.pi)
    return norm * jnp.sqrt(1 - cosine**2) / (2 * jnp.pi) + sigma * slope, theta * slope


def _pool(k: Pixels) -> Float[Array, "... _ _ _ _"]:
    """Means over 2 x 2 windows of both pixels; an odd last row or column is alone."""
    for axis in range(k.ndim - 4, k.ndim):
        side = k.shape[axis]
        means = np.zeros((-(-side // 2), side))
        means[np.arange(side) // 2, np.arange(side)] = 1
        k = jnp.moveaxis(jnp.tensordot(k, means / means.sum(axis=1, keepdims=True), (axis, 1)), -1, axis)
    return k
