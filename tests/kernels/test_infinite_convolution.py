"""The convolutional recursion against neural-tangents, and against sums over pixels by hand."""

import jax
import numpy as np

from ntkal.kernels import infinite_convolution as convolutional


def test_it_is_the_kernel_of_neural_tangents(rng):
    """On a block small enough for it; an odd side on purpose."""
    from ntkal.kernels.neural_tangents import stax

    sigmas = {"W_std": 1.3, "b_std": 0.2}
    layers = []
    for layer in range(3):
        layers += [stax.Conv(1, (3, 3), padding="SAME", **sigmas), stax.Relu()]
        if layer < 2:
            layers.append(stax.AvgPool((2, 2), (2, 2), padding="SAME", normalize_edges=True))
    theirs = stax.serial(*layers, stax.GlobalAvgPool(), stax.Dense(1, **sigmas))[2]
    x1, x2 = rng.random((2, 3, 2, 2)), rng.random((3, 3, 2, 2))
    with jax.numpy_rank_promotion("allow"):
        want = jax.jit(lambda a, b: theirs(a, b, "ntk"))(x1, x2)
    np.testing.assert_allclose(convolutional.kernel(x1, x2, 1.3**2, 0.2**2), want, rtol=1e-12)


def test_offsets_and_pools_are_sums_over_pixels(rng):
    k = rng.normal(size=(2, 3, 5, 3, 5))
    offsets, pools = np.zeros_like(k), np.zeros((2, 2, 3, 2, 3))
    for *at, i, j in np.ndindex(3, 5, 3, 5, 3, 3):
        there = np.array(at) + np.array([i, j, i, j]) - 1
        if ((there >= 0) & (there < (3, 5, 3, 5))).all():
            offsets[(slice(None), *at)] += k[(slice(None), *there)] / 9
    for a, b, c, d in np.ndindex(2, 3, 2, 3):
        window = k[:, 2 * a : 2 * a + 2, 2 * b : 2 * b + 2, 2 * c : 2 * c + 2, 2 * d : 2 * d + 2]
        pools[:, a, b, c, d] = window.mean(axis=(1, 2, 3, 4))
    np.testing.assert_allclose(convolutional._offsets(k), offsets, atol=1e-13)
    np.testing.assert_allclose(convolutional._pool(k), pools, atol=1e-13)


def test_it_is_a_kernel(rng):
    """Symmetric and positive semi-definite, for images in blocks as large as those that are used."""
    x = rng.random((30, 6, 6, 1))
    k = np.asarray(convolutional.kernel(x, x, 2.0, 0.01))
    np.testing.assert_allclose(k, k.T, rtol=1e-13)
    assert np.linalg.eigvalsh(k)[0] > -1e-7 * k.max()
