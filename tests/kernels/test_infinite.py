"""Infinite-width kernels against recursions written here, wide networks, and a plain fit."""

import jax
import numpy as np
import pytest

from ntkal import Lookahead, empirical_ntk, mlmoc, mlmoc_norm, models
from ntkal.experiments import rivals
from ntkal.experiments.rivals import kernel_fn
from ntkal.kernels import infinite


def mlp_by_hand(x1, x2):
    """Three hidden layers of rectifiers, sigma_w^2 = 2, sigma_b^2 = 0.01: the arc-cosine recursion."""
    a, b = (0.01 + 2 * (x**2).mean(axis=1) for x in (x1, x2))
    k = 0.01 + 2 * x1 @ x2.T / x1.shape[1]
    theta = k
    for _ in range(3):
        norm = np.sqrt(np.outer(a, b))
        angle = np.arccos(np.clip(k / norm, -1, 1))
        k = 0.01 + norm * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / np.pi
        theta = k + theta * (np.pi - angle) / np.pi
        a, b = 0.01 + a, 0.01 + b
    return theta


def test_mlp_kernel_is_the_arc_cosine_recursion(rng):
    x1, x2 = rng.normal(size=(5, 4)), rng.normal(size=(3, 4))
    np.testing.assert_allclose(kernel_fn("mlp", (4,))(x1, x2), mlp_by_hand(x1, x2), rtol=1e-11)
    np.testing.assert_allclose(kernel_fn("mlp", (4,))(x1), mlp_by_hand(x1, x1), rtol=1e-7)
    np.testing.assert_allclose(
        kernel_fn("mlp", (2, 2, 1))(x1.reshape(5, 2, 2, 1), x2.reshape(3, 2, 2, 1)),
        mlp_by_hand(x1, x2),
        rtol=1e-11,
    )


@pytest.mark.parametrize(
    ("name", "shape", "options", "tolerance"),
    [("mlp", (4,), {"width": 512, "depth": 3}, 0.1), ("cnn", (5, 4, 2), {"width": 96}, 0.1)],
)
def test_wide_networks_of_the_package_come_close(name, shape, options, tolerance, rng):
    """Odd sizes on purpose: means over windows that stick out must agree too."""
    x = rng.normal(size=(4, *shape))
    model = models.get(name, input_shape=shape, classes=1, parameterization="ntk", dtype="float64", **options)
    drawn = [empirical_ntk(model.apply, model.init(jax.random.key(i)), x) for i in range(6)]
    want = np.asarray(kernel_fn(name, shape)(x))
    assert np.abs(np.mean(drawn, axis=0) - want).max() < tolerance * want.max()
    assert np.abs(np.mean(drawn, axis=0) - want).max() > 1e-8 * want.max()


def test_blocks_under_a_small_budget_change_nothing(rng):
    x1, x2 = rng.normal(size=(7, 4)), rng.normal(size=(4, 4))
    whole = kernel_fn("mlp", (4,))
    for pairs in (1, 9, 20):
        part = kernel_fn("mlp", (4,), memory=8 * infinite.ARRAYS * pairs)
        np.testing.assert_allclose(part(x1, x2), whole(x1, x2), rtol=1e-12)
        square = np.asarray(part(x1))
        np.testing.assert_allclose(square, whole(x1), rtol=1e-7)
        np.testing.assert_array_equal(square, square.T)


def test_blocks_of_images_are_smaller(monkeypatch, rng):
    sizes = []
    monkeypatch.setattr(
        infinite,
        "_recursion",
        lambda name: lambda a, b: sizes.append((len(a), len(b))) or a[:, 0, 0] @ b[:, 0, 0].T,
    )
    x = rng.normal(size=(5, 4, 3, 1))
    kernel = kernel_fn("cnn", (4, 3, 1), memory=8 * infinite.ARRAYS * 144 * 4 + 1)
    np.testing.assert_allclose(kernel(x), x[:, 0, 0] @ x[:, 0, 0].T, rtol=1e-12)
    assert set(sizes) == {(2, 2)}


@pytest.mark.parametrize(("name", "shape", "n"), [("mlp", (4,), 100), ("cnn", (6, 6, 1), 8)])
def test_temporaries_of_a_block_stay_below_the_reckoning(name, shape, n):
    x = np.zeros((n, *shape))
    if name == "cnn":
        program = infinite.convolutional.lower(x, x, 2.0, 0.01).compile()
    else:
        program = infinite._recursion(name).lower(x, x).compile()
    pairs = n * n * (np.prod(shape[:2]) ** 2 if name == "cnn" else 1)
    assert program.memory_analysis().temp_size_in_bytes < 8 * infinite.ARRAYS * pairs


def test_split_is_one_kernel_in_blocks(rng):
    x_l, x_p = rng.normal(size=(4, 3)), rng.normal(size=(6, 3))
    k_ll, k_pl, k_pp = infinite.split("mlp", x_l, x_p)
    for have, (a, b) in ((k_ll, (x_l, x_l)), (k_pl, (x_p, x_l)), (k_pp, (x_p, x_p))):
        np.testing.assert_allclose(have, mlp_by_hand(a, b), rtol=1e-7)


def test_the_rival_is_the_lookahead_of_the_networks_outputs_with_the_infinite_kernel(rng):
    model = models.mlp((3,), 3, width=8)
    params = model.init(jax.random.key(0))
    x = rng.normal(size=(20, 3)).astype(np.float32)
    f, y = np.asarray(model.apply(params, x)), np.eye(3)[rng.integers(3, size=8)]
    case = rivals.Situation(model, params, x[:8], y, x[8:], f[:8], f[8:], relative_ridge=0.05)
    rival = rivals.get("infinite")
    post = rival.prepare(case)
    z = x.astype(np.float64)
    blocks = mlp_by_hand(z[:8], z[:8]), mlp_by_hand(z[8:], z[:8]), mlp_by_hand(z[8:], z[8:])
    ridge = 0.05 * np.trace(blocks[0]) / 8
    want = Lookahead.fit(*blocks, f[:8], f[8:], y, ridge=ridge)
    np.testing.assert_allclose(post.mean, want.mean, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(rivals.score(rival, post), mlmoc(want), rtol=1e-5)
    # The scale of the kernel is of no matter, because the ridge goes with it.
    scaled = Lookahead.fit(*(100 * b for b in blocks), f[:8], f[8:], y, ridge=100 * ridge)
    for score in (mlmoc, mlmoc_norm):
        np.testing.assert_allclose(score(scaled), score(want), rtol=1e-9)


def test_bad_arguments_are_named(as_user):
    with pytest.raises(ValueError, match="name: unknown 'vgg'; choose one of cnn, mlp"):
        kernel_fn("vgg", (3,))
    with pytest.raises(ValueError, match=r"input_shape: cnn takes images .* got \(3,\)"):
        kernel_fn("cnn", (3,))
    with pytest.raises(ValueError, match=r"x1: expected shape \(any, 3\), got \(2, 4\)"):
        kernel_fn("mlp", (3,))(np.ones((2, 4)))
    with pytest.raises(ValueError, match="memory: expected a whole number at least 1, got 0"):
        kernel_fn("mlp", (3,), memory=0)


def test_the_recursion_is_the_kernel_of_neural_tangents(rng):
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
    np.testing.assert_allclose(infinite.convolutional(x1, x2, 1.3**2, 0.2**2), want, rtol=1e-12)


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
    np.testing.assert_allclose(infinite._offsets(k), offsets, atol=1e-13)
    np.testing.assert_allclose(infinite._pool(k), pools, atol=1e-13)


def test_the_recursion_is_a_kernel(rng):
    """Symmetric and positive semi-definite, for images in blocks as large as those that are used."""
    x = rng.random((30, 6, 6, 1))
    k = np.asarray(infinite.convolutional(x, x, 2.0, 0.01))
    np.testing.assert_allclose(k, k.T, rtol=1e-13)
    assert np.linalg.eigvalsh(k)[0] > -1e-7 * k.max()
