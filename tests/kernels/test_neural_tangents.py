"""The door to neural-tangents against independent references, in float64, and what it refuses."""

import itertools
import subprocess
import sys
import textwrap

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import erf

import ntkal
from ntkal.kernels import neural_tangents as door
from ntkal.kernels.neural_tangents import NotServedError, nt, stax


@pytest.fixture(autouse=True)
def _library_rules():
    """neural-tangents promotes ranks freely; our own files do not."""
    with jax.numpy_rank_promotion("allow"):
        yield


@pytest.fixture
def x(rng):
    return rng.normal(size=(5, 4))


@pytest.fixture
def x_test(rng):
    return rng.normal(size=(3, 4))


# --- references ------------------------------------------------------------------------------------------


def relu_expectations(k12, k11, k22):
    """E[relu(u) relu(v)] and E[1(u > 0) 1(v > 0)] for a Gaussian pair: the arc-cosine kernels."""
    norm = np.sqrt(k11 * k22)
    angle = np.arccos(np.clip(k12 / norm, -1.0, 1.0))
    value = norm * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi)
    return value, (np.pi - angle) / (2 * np.pi)


def erf_expectations(k12, k11, k22):
    """E[erf(u) erf(v)] and E[erf'(u) erf'(v)] for a Gaussian pair (Williams 1997)."""
    scale = (1 + 2 * k11) * (1 + 2 * k22)
    value = 2 / np.pi * np.arcsin(2 * k12 / np.sqrt(scale))
    return value, 4 / np.pi / np.sqrt(scale - 4 * k12**2)


def dense_recursion(expectations, x1, x2, depth, w2, b2):
    """NNGP and NTK of a network with `depth` hidden layers, W ~ w2 / fan-in, b ~ b2, NTK parameterisation."""
    inner, left, right = x1 @ x2.T, np.sum(x1**2, 1)[:, None], np.sum(x2**2, 1)[None, :]
    k12, k11, k22 = (b2 + w2 * k / x1.shape[1] for k in (inner, left, right))
    theta = k12
    for _ in range(depth):
        value, slope = expectations(k12, k11, k22)
        diagonal1 = expectations(k11, k11, k11)[0]
        diagonal2 = expectations(k22, k22, k22)[0]
        k12, k11, k22 = (b2 + w2 * k for k in (value, diagonal1, diagonal2))
        theta = k12 + w2 * slope * theta
    return k12, theta


def network(activation, depth, w2, b2, width=8, outputs=1, **options):
    layer = {"W_std": np.sqrt(w2), "b_std": np.sqrt(b2), **options}
    hidden = [f for _ in range(depth) for f in (stax.Dense(width, **layer), activation)]
    return stax.serial(*hidden, stax.Dense(outputs, **layer))


def homogeneous_expectation(f, g, angle, power):
    """E[f(u) g(v)] at unit variances and correlation cos(angle); f g is homogeneous of degree 0 or 2."""
    radial = {2: 2.0, 0: 1.0}[power]
    kinks = [
        np.pi / 2,
        3 * np.pi / 2,
        (angle + np.pi / 2) % (2 * np.pi),
        (angle + 3 * np.pi / 2) % (2 * np.pi),
    ]
    ends = np.sort([0.0, 2 * np.pi, *kinks])
    pieces = itertools.pairwise(ends)
    total = sum(quad(lambda s: f(np.cos(s)) * g(np.cos(s - angle)), a, b, epsabs=1e-13)[0] for a, b in pieces)
    return radial * total / (2 * np.pi)


def smooth_expectation(f, g, cov, nodes=120):
    """E[f(u) g(v)] by Gauss-Hermite quadrature in two dimensions."""
    points, weights = np.polynomial.hermite_e.hermegauss(nodes)
    weights = weights / np.sqrt(2 * np.pi)
    root = np.linalg.cholesky(cov)
    u = root[0, 0] * points[:, None]
    v = root[1, 0] * points[:, None] + root[1, 1] * points[None, :]
    return np.sum(weights[:, None] * weights[None, :] * f(u) * g(v))


# --- infinite-width kernels ------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "reference"), [("Relu", relu_expectations), ("Erf", erf_expectations)])
@pytest.mark.parametrize("depth", [1, 3])
def test_dense_kernels_equal_the_numpy_recursion(name, reference, depth, x, x_test):
    _, _, kernel_fn = network(getattr(stax, name)(), depth, 1.7, 0.3)
    nngp, theta = dense_recursion(reference, x_test, x, depth, 1.7, 0.3)
    np.testing.assert_allclose(kernel_fn(x_test, x, "nngp"), nngp, rtol=1e-12)
    np.testing.assert_allclose(kernel_fn(x_test, x, "ntk"), theta, rtol=1e-12)


@pytest.mark.parametrize(
    ("layer", "slopes"),
    [
        (stax.LeakyRelu(0.2), (0.2, 1.0)),
        (stax.ABRelu(-0.5, 1.5), (-0.5, 1.5)),
        (stax.Abs(), (-1.0, 1.0)),
    ],
    ids=["LeakyRelu", "ABRelu", "Abs"],
)
def test_piecewise_linear_kernels_equal_an_angular_integral(layer, slopes):
    low, high = slopes
    f = lambda z: np.where(z < 0, low * z, high * z)  # noqa: E731
    df = lambda z: np.where(z < 0, low, high)  # noqa: E731
    angle = 1.1
    x = np.sqrt(2) * np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])
    _, _, kernel_fn = stax.serial(stax.Dense(1), layer, stax.Dense(1))
    value = homogeneous_expectation(f, f, angle, 2)
    slope = homogeneous_expectation(df, df, angle, 0)
    np.testing.assert_allclose(kernel_fn(x, None, "nngp")[0, 1], value, rtol=1e-10)
    np.testing.assert_allclose(kernel_fn(x, None, "ntk")[0, 1], value + slope * np.cos(angle), rtol=1e-10)


SMOOTH = {
    "Sin": (stax.Sin(), np.sin, np.cos),
    "Cos": (stax.Cos(), np.cos, lambda z: -np.sin(z)),
    "Rbf": (
        stax.Rbf(0.7),
        lambda z: np.sqrt(2) * np.sin(np.sqrt(1.4) * z + np.pi / 4),
        lambda z: np.sqrt(2.8) * np.cos(np.sqrt(1.4) * z + np.pi / 4),
    ),
    "Sigmoid_like": (
        stax.Sigmoid_like(),
        lambda z: 0.5 * erf(z / 2.4020563531719796) + 0.5,
        lambda z: np.exp(-((z / 2.4020563531719796) ** 2)) / np.sqrt(np.pi) / 2.4020563531719796,
    ),
    "Gelu": (
        stax.Gelu(),
        lambda z: z * 0.5 * (1 + erf(z / np.sqrt(2))),
        lambda z: 0.5 * (1 + erf(z / np.sqrt(2))) + z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi),
    ),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_kernels_equal_gauss_hermite_quadrature(name):
    layer, f, df = SMOOTH[name]
    x = np.array([[1.0, 0.3], [-0.4, 0.9]])
    cov = x @ x.T / 2
    _, _, kernel_fn = stax.serial(stax.Dense(1), layer, stax.Dense(1))
    value, slope = smooth_expectation(f, f, cov), smooth_expectation(df, df, cov)
    np.testing.assert_allclose(kernel_fn(x, None, "nngp")[0, 1], value, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(kernel_fn(x, None, "ntk")[0, 1], value + slope * cov[0, 1], rtol=1e-9)


def test_standard_parameterisation_weighs_each_layer_by_its_width(x, x_test):
    """With W ~ w2 / fan-in held in the weights, a layer's own share of the NTK grows with its fan-in."""
    width, w2, b2 = 32, 1.7, 0.3
    _, _, kernel_fn = network(stax.Relu(), 1, w2, b2, width=width, parameterization="standard")
    k12 = b2 + w2 * x_test @ x.T / 4
    k11, k22 = (b2 + w2 * np.sum(z**2, 1) / 4 for z in (x_test, x))
    value, slope = relu_expectations(k12, k11[:, None], k22[None, :])
    theta = width * value + 1 + w2 * slope * (x_test @ x.T + 1)
    np.testing.assert_allclose(kernel_fn(x_test, x, "nngp"), b2 + w2 * value, rtol=1e-12)
    np.testing.assert_allclose(kernel_fn(x_test, x, "ntk"), theta, rtol=1e-12)


@pytest.mark.filterwarnings("ignore:`FanIn` layers assume independent inputs:UserWarning")
def test_residual_sum_and_parallel_branches(x):
    branch = stax.serial(stax.Dense(8), stax.Relu(), stax.Dense(8))
    shortcut = stax.serial(stax.Identity(), stax.Dense(8))
    block = stax.serial(stax.FanOut(2), stax.parallel(branch, shortcut), stax.FanInSum())
    _, _, kernel_fn = stax.serial(stax.Dense(8), block, stax.Dense(1))
    k = x @ x.T / 4
    d = np.diag(k)
    value, slope = relu_expectations(k, d[:, None], d[None, :])
    # After the first layer NNGP and NTK are both k; a Dense layer keeps the NNGP and adds it to the NTK.
    theta_branch, theta_shortcut = value + slope * (k + k), k + k
    np.testing.assert_allclose(kernel_fn(x, None, "nngp"), value + k, rtol=1e-7)
    expected = (value + k) + (theta_branch + theta_shortcut)
    np.testing.assert_allclose(kernel_fn(x, None, "ntk"), expected, rtol=1e-7)


def test_layer_norm_divides_by_the_standard_deviations(x, x_test):
    _, _, kernel_fn = stax.serial(stax.Dense(8), stax.LayerNorm(eps=0.0), stax.Dense(1))
    norm = np.linalg.norm(x_test, axis=1)[:, None] * np.linalg.norm(x, axis=1)[None, :]
    np.testing.assert_allclose(kernel_fn(x_test, x, "nngp"), x_test @ x.T / norm, rtol=1e-12)


def conv_reference(x1, x2, depth, readout):
    """NNGP and NTK of `depth` 3 x 3 SAME convolutions with ReLU, by loops over pairs of pixels.

    Every kernel is held for all pairs of pixels, shape (n1, n2, H, W, H, W). The readout is "flatten", "pool"
    or "avg2" (average pooling of 2 x 2 blocks, then flatten).
    """

    def window(k):
        height, width = k.shape[2:4]
        out = np.zeros_like(k)
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                ys = [y for y in range(height) if 0 <= y + dy < height]
                xs = [c for c in range(width) if 0 <= c + dx < width]
                to = np.ix_(range(k.shape[0]), range(k.shape[1]), ys, xs, ys, xs)
                sy, sx = [y + dy for y in ys], [c + dx for c in xs]
                out[to] += k[np.ix_(range(k.shape[0]), range(k.shape[1]), sy, sx, sy, sx)]
        return out / 9

    def pairs(a, b):
        return np.einsum("iabc,jdec->ijabde", a, b) / a.shape[-1]

    def variances(a):
        return window(pairs(a, a))

    def diagonal(k):
        return np.einsum("iiabab->iab", k)

    k12, k11, k22 = window(pairs(x1, x2)), variances(x1), variances(x2)
    theta = k12
    for layer in range(depth):
        new = []
        for k, left, right in ((k12, k11, k22), (k11, k11, k11), (k22, k22, k22)):
            s1, s2 = diagonal(left), diagonal(right)
            new.append(relu_expectations(k, s1[:, None, :, :, None, None], s2[None, :, None, None, :, :]))
        (value, slope), (v1, _), (v2, _) = new
        theta_hidden = slope * theta
        if layer < depth - 1:
            k12, k11, k22 = window(value), window(v1), window(v2)
            theta = k12 + window(theta_hidden)
    if readout == "flatten":
        take = lambda k: np.einsum("ijabab->ij", k) / (k.shape[2] * k.shape[3])  # noqa: E731
    elif readout == "pool":
        take = lambda k: k.mean((2, 3, 4, 5))  # noqa: E731
    else:

        def take(k):
            n1, n2, h, w = k.shape[:4]
            blocks = k.reshape(n1, n2, h // 2, 2, w // 2, 2, h // 2, 2, w // 2, 2).mean((3, 5, 7, 9))
            return np.einsum("ijabab->ij", blocks) / (h // 2 * (w // 2))

    return take(value), take(value) + take(theta_hidden)


@pytest.mark.parametrize("readout", ["flatten", "pool", "avg2"])
def test_convolutional_kernels_equal_a_recursion_over_pairs_of_pixels(readout, rng):
    a, b = rng.normal(size=(2, 4, 4, 2)), rng.normal(size=(3, 4, 4, 2))
    head = {
        "flatten": [stax.Flatten()],
        "pool": [stax.GlobalAvgPool()],
        "avg2": [stax.AvgPool((2, 2), (2, 2)), stax.Flatten()],
    }[readout]
    layers = [stax.Conv(8, (3, 3), padding="SAME"), stax.Relu()] * 2
    _, _, kernel_fn = stax.serial(*layers, *head, stax.Dense(1))
    nngp, theta = conv_reference(a, b, 2, readout)
    np.testing.assert_allclose(kernel_fn(a, b, "nngp"), nngp, rtol=1e-11)
    np.testing.assert_allclose(kernel_fn(a, b, "ntk"), theta, rtol=1e-11)


def test_batch_equals_the_whole_kernel(rng):
    a, b = rng.normal(size=(6, 4)), rng.normal(size=(4, 4))
    _, _, kernel_fn = network(stax.Relu(), 2, 2.0, 0.1)
    for kernel in ("nngp", "ntk"):
        blocks = nt.batch(kernel_fn, batch_size=2, device_count=0)(a, b, kernel)
        np.testing.assert_allclose(blocks, kernel_fn(a, b, kernel), rtol=1e-13)


# --- finite networks -------------------------------------------------------------------------------------


def explicit_ntk(apply_fn, params, x1, x2):
    def rows(z):
        leaves = jax.tree.leaves(jax.jacobian(lambda p: apply_fn(p, z))(params))
        return np.concatenate([np.asarray(leaf).reshape(*leaf.shape[:2], -1) for leaf in leaves], axis=2)

    return np.einsum("icp,jdp->ijcd", rows(x1), rows(x2))


@pytest.mark.parametrize("implementation", [1, 2])
@pytest.mark.parametrize("vmap_axes", [None, 0])
def test_empirical_ntk_equals_the_explicit_jacobian(implementation, vmap_axes, x, x_test):
    init_fn, apply_fn, _ = network(stax.Erf(), 2, 1.7, 0.3, outputs=2)
    params = init_fn(jax.random.key(0), (-1, 4))[1]
    reference = explicit_ntk(apply_fn, params, x_test, x)
    options = {"vmap_axes": vmap_axes, "implementation": implementation}
    full = nt.empirical_ntk_fn(apply_fn, trace_axes=(), **options)(x_test, x, params)
    np.testing.assert_allclose(full, reference, rtol=1e-11, atol=1e-13)
    mean = nt.empirical_ntk_fn(apply_fn, **options)(x_test, x, params)
    np.testing.assert_allclose(mean, np.trace(reference, axis1=2, axis2=3) / 2, rtol=1e-11)
    np.testing.assert_allclose(
        ntkal.empirical_ntk(apply_fn, params, x_test, x, logit="all"), reference, rtol=1e-11, atol=1e-13
    )


def test_empirical_nngp_is_the_outer_product_of_the_outputs(x, x_test):
    init_fn, apply_fn, _ = network(stax.Erf(), 1, 1.7, 0.3, outputs=2)
    params = init_fn(jax.random.key(0), (-1, 4))[1]
    outer = np.asarray(apply_fn(params, x_test)) @ np.asarray(apply_fn(params, x)).T
    np.testing.assert_allclose(nt.empirical_nngp_fn(apply_fn)(x_test, x, params), outer / 2, rtol=1e-12)


@pytest.mark.parametrize("implementation", [1, 2])
def test_monte_carlo_agrees_with_the_closed_form_within_its_standard_error(implementation, x):
    """The NTK of one hidden layer has no bias at finite width: only the sampling error is left."""
    samples = 60
    init_fn, apply_fn, kernel_fn = network(stax.Relu(), 1, 2.0, 0.1, width=128, outputs=1)
    sampler = nt.monte_carlo_kernel_fn(
        init_fn,
        apply_fn,
        jax.random.PRNGKey(3),
        range(1, samples + 1),
        device_count=0,
        vmap_axes=0,
        implementation=implementation,
    )
    running = np.array([n * np.asarray(mean) for n, mean in enumerate(sampler(x, None, "ntk"), start=1)])
    single = np.diff(running, axis=0, prepend=0)
    error = single.std(0, ddof=1) / np.sqrt(samples)
    z = (single.mean(0) - np.asarray(kernel_fn(x, None, "ntk"))) / error
    assert np.abs(z).max() < 4.0
    assert error.max() < 0.05 * np.asarray(kernel_fn(x, None, "ntk")).max()


def test_linearize_is_the_jvp_and_taylor_expand_the_series(x):
    init_fn, apply_fn, _ = network(stax.Erf(), 2, 1.7, 0.3)
    start, end = (init_fn(jax.random.key(seed), (-1, 4))[1] for seed in (0, 1))
    step = jax.tree.map(lambda a, b: a - b, end, start)
    along = lambda t: apply_fn(jax.tree.map(lambda p, s: p + t * s, start, step), x)  # noqa: E731
    value, first = jax.jvp(along, (0.0,), (1.0,))
    second = jax.jacfwd(jax.jacfwd(along))(0.0)
    np.testing.assert_allclose(nt.linearize(apply_fn, start)(end, x), value + first, rtol=1e-12)
    np.testing.assert_allclose(nt.taylor_expand(apply_fn, start, 1)(end, x), value + first, rtol=1e-12)
    quadratic = nt.taylor_expand(apply_fn, start, 2)(end, x)
    np.testing.assert_allclose(quadratic, value + first + second / 2, rtol=1e-12)


# --- predict ---------------------------------------------------------------------------------------------


@pytest.fixture
def problem(x, x_test, rng):
    """A kernel function, its blocks, targets and starting outputs."""
    _, _, kernel_fn = network(stax.Relu(), 2, 2.0, 0.1)
    k, k_test = (np.asarray(kernel_fn(z, x, "ntk")) for z in (x, x_test))
    y, f, f_test = rng.normal(size=(5, 2)), rng.normal(size=(5, 2)), rng.normal(size=(3, 2))
    return kernel_fn, k, k_test, y, f, f_test


def flow(k, k_test, y, f, f_test, t):
    """Equation (5), from the eigenvectors of the kernel."""
    values, vectors = np.linalg.eigh(k)
    gain = -np.expm1(-t * values) / values
    return f_test + k_test @ vectors @ (gain[:, None] * (vectors.T @ (y - f)))


def test_gradient_descent_mse_is_equation_5_in_units_of_the_number_of_targets(problem):
    _, k, k_test, y, f, f_test = problem
    predict = nt.predict.gradient_descent_mse(jnp.asarray(k), jnp.asarray(y))
    for t in (0.3, 40.0):
        f_t, f_test_t = predict(t, f, f_test, k_test)
        np.testing.assert_allclose(f_test_t, flow(k, k_test, y, f, f_test, t / y.size), rtol=1e-10)
        np.testing.assert_allclose(f_t, flow(k, k, y, f, f, t / y.size), rtol=1e-10)
        jitted = jax.jit(lambda s: predict(s, f, f_test, k_test)[1])(t)
        np.testing.assert_allclose(jitted, f_test_t, rtol=1e-10)
    np.testing.assert_allclose(
        predict(None, f, f_test, k_test)[1], f_test + k_test @ np.linalg.solve(k, y - f), rtol=1e-10
    )


def test_gradient_descent_mse_agrees_with_ntkal_gradient_flow(problem):
    _, k, k_test, y, f, f_test = problem
    predict = nt.predict.gradient_descent_mse(jnp.asarray(k), jnp.asarray(y))
    for t in (0.05, 4.0, None):
        theirs = predict(None if t is None else t * y.size, f, f_test, k_test)[1]
        np.testing.assert_allclose(ntkal.gradient_flow(k, y, f, k_test, f_test, t), theirs, rtol=1e-8)


def test_gradient_descent_integrates_the_same_flow(problem):
    _, k, k_test, y, f, f_test = problem
    loss = lambda a, b: 0.5 * jnp.sum((a - b) ** 2)  # noqa: E731
    predict = nt.predict.gradient_descent(loss, jnp.asarray(k), jnp.asarray(y))
    np.testing.assert_allclose(
        predict(2.0, f, f_test, k_test)[1], flow(k, k_test, y, f, f_test, 2.0), atol=1e-6
    )


def test_ensemble_mean_and_covariance_are_the_closed_forms(problem, x, x_test):
    """Lee et al. 2019, equations (14) to (16): networks drawn from the NNGP, each trained by its NTK."""
    kernel_fn, k, k_test, y, _, _ = problem
    nngp, nngp_test, nngp_tt = (
        np.asarray(kernel_fn(a, b, "nngp")) for a, b in ((x, x), (x_test, x), (x_test, x_test))
    )
    predict = nt.predict.gradient_descent_mse_ensemble(kernel_fn, x, y)
    values, vectors = np.linalg.eigh(k)
    for t in (30.0, None):
        gain = 1 / values if t is None else -np.expm1(-t * values / y.size) / values
        a = k_test @ vectors @ np.diag(gain) @ vectors.T
        mean, cov = predict(t=t, x_test=x_test, get="ntk", compute_cov=True)
        np.testing.assert_allclose(mean, a @ y, rtol=1e-8)
        expected = nngp_tt + a @ nngp @ a.T - a @ nngp_test.T - nngp_test @ a.T
        np.testing.assert_allclose(cov, expected, rtol=1e-7, atol=1e-9)


def test_gp_inference_is_the_posterior_with_an_absolute_ridge(problem, x, x_test):
    kernel_fn, *_ = problem
    y = problem[3]
    k, k_test, k_tt = (
        np.asarray(kernel_fn(a, b, "nngp")) for a, b in ((x, x), (x_test, x), (x_test, x_test))
    )
    predict = nt.predict.gp_inference(
        jnp.asarray(k), jnp.asarray(y), diag_reg=0.1, diag_reg_absolute_scale=True
    )
    mean, cov = predict(get="nngp", k_test_train=k_test, k_test_test=k_tt)
    gain = k_test @ np.linalg.inv(k + 0.1 * np.eye(5))
    np.testing.assert_allclose(mean, gain @ y, rtol=1e-10)
    np.testing.assert_allclose(cov, k_tt - gain @ k_test.T, rtol=1e-9, atol=1e-12)


def test_lookahead_takes_infinite_width_kernels(problem, x, rng):
    """The infinite-width variant of figure 1b: the same posterior as refitting with the candidate's label."""
    kernel_fn, _, _, y, _, _ = problem
    pool = rng.normal(size=(7, 4))
    blocks = [kernel_fn(a, b, "ntk") for a, b in ((x, x), (pool, x), (pool, pool))]
    post = ntkal.Lookahead.fit(*blocks, np.zeros((5, 2)), np.zeros((7, 2)), y)
    label = np.array([1.0, -1.0])
    joint = np.concatenate([x, pool[2:3]])
    theta = np.asarray(kernel_fn(joint, None, "ntk"))
    refitted = np.asarray(kernel_fn(pool, joint, "ntk")) @ np.linalg.solve(theta, np.vstack([y, label]))
    # The kernel itself is good to 1e-8 where a pool point meets its own copy (an arc-cosine at zero angle).
    np.testing.assert_allclose(post.after(2, label), refitted, rtol=1e-6, atol=1e-7)


# --- what is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize("implementation", [0, 3])
@pytest.mark.parametrize(
    "maker", [nt.empirical_ntk_fn, lambda **o: nt.monte_carlo_kernel_fn(None, None, None, 1, **o)]
)
def test_wrong_implementations_of_the_empirical_kernel_are_refused(implementation, maker):
    options = {"f": None} if maker is nt.empirical_ntk_fn else {}
    with pytest.raises(NotImplementedError, match=rf"implementation={implementation}.*ntkal\.empirical_ntk"):
        maker(implementation=implementation, **options)


@pytest.mark.parametrize(
    ("owner", "name", "instead"),
    [
        (nt.predict, "max_learning_rate", "eigvalsh"),
        (nt, "empirical_kernel_fn", "empirical_ntk_fn"),
        (nt, "NtkImplementation", "implementation=1"),
        (nt, "experimental", "TensorFlow"),
        (stax, "GlobalSelfAttention", "stax serves"),
    ],
)
def test_parts_that_are_not_served_name_what_to_use(owner, name, instead):
    with pytest.raises(NotServedError, match=instead):
        getattr(owner, name)
    assert not hasattr(owner, name)
    assert name not in dir(owner)


def test_unknown_names_are_plain_attribute_errors():
    with pytest.raises(AttributeError, match="no attribute 'Danse'") as caught:
        stax.Danse  # noqa: B018
    assert not isinstance(caught.value, NotImplementedError)


def test_batch_refuses_what_carries_a_wrong_flag(x):
    """The reason for the refusal: the flag of the first block would stand for the whole kernel."""
    _, _, kernel_fn = stax.serial(stax.Dense(8), stax.Relu(), stax.Dense(8))
    batched = nt.batch(kernel_fn, batch_size=2, device_count=0)
    other = np.vstack([x[:2], -x[2:4]])
    for ask in (lambda: batched(x[:4], other), lambda: batched(kernel_fn(x[:4], other), None, "ntk")):
        with pytest.raises(NotServedError, match="x1_is_x2"):
            ask()


def test_predictors_refuse_tracers_that_would_escape_through_their_caches(problem, x, x_test):
    kernel_fn, k, _, y, _, _ = problem
    with pytest.raises(NotServedError, match="outside jit"):
        jax.jit(lambda a: nt.predict.gradient_descent_mse(a, jnp.asarray(y))(1.0))(k)
    with pytest.raises(NotServedError, match="outside jit"):
        jax.jit(lambda a: nt.predict.gp_inference(a, jnp.asarray(y))("nngp"))(k)
    predict = nt.predict.gradient_descent_mse_ensemble(kernel_fn, x, y)
    with pytest.raises(NotServedError, match="outside jit"):
        jax.jit(lambda t: predict(t=t, x_test=x_test, get="ntk"))(3.0)
    assert predict(t=3.0, x_test=x_test, get="ntk").shape == (3, 2)


# --- the import ------------------------------------------------------------------------------------------

CLEAN_IMPORT = """
    import importlib, sys, types, warnings
    import jax
    import ntkal
    # Genuine parts of JAX that neural-tangents imports; anything else that appears was left behind.
    for name in ("experimental.ode", "example_libraries.stax", "extend.core", "extend.linear_util"):
        importlib.import_module("jax." + name)

    def namespaces():
        names = [n for n in sys.modules if n.split(".")[0] == "jax"]
        return {n: dict(vars(sys.modules[n])) for n in names}

    before = namespaces()
    filters = list(warnings.filters)
    import ntkal.kernels.neural_tangents
    after = namespaces()
    assert warnings.filters == filters
    strange = [n for n in set(after) - set(before) if sys.modules[n].__spec__ is None]
    assert not strange, strange
    assert not set(before) - set(after), set(before) - set(after)
    for module, old in before.items():
        for name in set(old) | set(after[module]):
            genuine = sys.modules.get(f"{module}.{name}")
            if name not in old and genuine is not None and genuine is after[module][name]:
                continue
            assert name in old and after[module].get(name) is old[name], (module, name)
    heavy = [n for n in sys.modules if n.split(".")[0] in ("tensorflow", "tf2jax")]
    assert not heavy, heavy
"""


def test_import_leaves_jax_as_it_was_found_and_brings_no_tensorflow():
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(CLEAN_IMPORT)], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


def test_supplied_names_are_taken_away_also_after_an_error():
    names = {"jax.core": {"a_moved_name": 1}, "jax.a_moved_module": {"name": 2}}

    def fail_inside():
        with door.supplied(names):
            assert jax.core.a_moved_name == 1
            assert sys.modules["jax.a_moved_module"].name == 2
            raise KeyError

    with pytest.raises(KeyError):
        fail_inside()
    assert not hasattr(jax.core, "a_moved_name")
    assert "jax.a_moved_module" not in sys.modules


def test_supplied_never_replaces_what_jax_has():
    found = jax.core.ShapedArray
    with door.supplied({"jax.core": {"ShapedArray": None}}):
        assert jax.core.ShapedArray is found
    assert jax.core.ShapedArray is found


@pytest.mark.parametrize("version", [door.JAX_TESTED[0] + ".0", door.JAX_TESTED[1] + ".99", "0.8.3.dev1"])
def test_versions_in_the_tested_range_pass(version):
    door.check_jax(version)


@pytest.mark.parametrize("version", ["0.5.3", "0.4.38", "0.99.0", "1.0"])
def test_versions_outside_it_are_told_the_range(version):
    with pytest.raises(
        ImportError, match=rf"{door.JAX_TESTED[0]} to {door.JAX_TESTED[1]}, and this is JAX {version}"
    ):
        door.check_jax(version)


def test_a_missing_library_gives_the_command_that_installs_it(monkeypatch):
    class Hide:
        def find_spec(self, name, path=None, target=None):
            if name == "neural_tangents":
                raise ModuleNotFoundError("hidden by this test", name=name)

    for name in [n for n in sys.modules if n.split(".")[0] == "neural_tangents"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Hide(), *sys.meta_path])
    with pytest.raises(ImportError, match=r"pip install --no-deps neural-tangents==0\.6\.5"):
        door.load()
    assert "neural_tangents.experimental" not in sys.modules


def test_another_release_of_the_library_is_refused(monkeypatch):
    monkeypatch.setattr(door.load(), "__version__", "0.7.0")
    with pytest.raises(ImportError, match=r"tested with neural-tangents 0\.6\.5, and this is 0\.7\.0"):
        door.load()


def test_the_stub_says_why_the_experimental_module_is_not_there():
    with pytest.raises(NotImplementedError, match="TensorFlow"):
        door.load().experimental.empirical_ntk_fn_tf  # noqa: B018
