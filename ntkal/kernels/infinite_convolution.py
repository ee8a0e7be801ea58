"""The neural tangent kernel of :func:`ntkal.models.cnn` at infinite width, in a few lines of plain JAX.

neural-tangents has it too, and on small blocks of images both agree to rounding; with some hundred pairs of
8 x 8 images it crashed the process on the CPU (jaxlib 0.10.2).
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ntkal.inputs import ArrayLike

Pixels = Float[ArrayLike, "... h w h w"]
Scalar = Float[Array, ""] | float


@jax.jit
def kernel(
    x1: Float[ArrayLike, "n1 h w c"], x2: Float[ArrayLike, "n2 h w c"], weight: Scalar, bias: Scalar
) -> Float[Array, "n1 n2"]:
    r"""Return the kernel between two blocks of images.

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

    Example:
        >>> x = jnp.ones((1, 1, 1, 1))
        >>> kernel(x, 2 * x, 9.0, 0.0).tolist()
        [[9.0]]
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
