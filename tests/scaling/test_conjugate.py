import gc
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.linalg import cho_solve
from networks import make as network

from ntkal import empirical_ntk
from ntkal.inputs import SingularKernelError
from ntkal.kernels.low_rank import pivoted_cholesky
from ntkal.lookahead.solve import cholesky
from ntkal.scaling import conjugate
from ntkal.scaling.conjugate import Product, ntk_product, solve


@pytest.fixture(scope="module")
def case():
    """A kernel whose eigenvalues fall from 80 to rounding, and three columns."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(150, 2))
    kernel = np.exp(-0.5 * np.sum((x[:, None] - x[None]) ** 2, axis=2))
    return kernel, rng.normal(size=(150, 3))


def exact(kernel, y, ridge):
    return np.asarray(cho_solve((cholesky("k", kernel, ridge), True), y))


def factor_of(kernel, rank):
    return pivoted_cholesky(np.diag(kernel), lambda i: kernel[:, i], rank)[0]


@pytest.mark.parametrize("rank", [None, 1, 40])
def test_it_is_the_cholesky_solve(case, rank):
    kernel, y = case
    factor = None if rank is None else factor_of(kernel, rank)
    want = exact(kernel, y, 1e-2)
    have = solve(kernel, y, 1e-2, factor=factor, tolerance=1e-12)
    assert have.dtype == np.float64
    np.testing.assert_allclose(have, want, atol=1e-8 * np.abs(want).max())


def test_a_column_of_zeros_is_solved_by_zeros_beside_one_that_takes_steps(case):
    kernel, y = case
    y = np.column_stack([np.zeros(150), y[:, 0], 1e-100 * y[:, 0]])
    have = np.asarray(solve(kernel, y, 0.1))
    assert (have[:, 0] == 0).all()
    np.testing.assert_allclose(1e100 * have[:, 2], have[:, 1], rtol=1e-6)


def test_the_preconditioner_saves_most_steps(case):
    """Eight steps with a factor do what thirty without it do not."""
    kernel, y = case
    want = exact(kernel, y, 1e-3)
    have = solve(kernel, y, 1e-3, factor=factor_of(kernel, 60), tolerance=1e-8, max_steps=8)
    np.testing.assert_allclose(have, want, atol=1e-6 * np.abs(want).max())
    with pytest.raises(SingularKernelError, match=r"after 30 steps .* Raise max_steps"):
        solve(kernel, y, 1e-3, tolerance=1e-8, max_steps=30)


def test_without_a_ridge_and_with_repeated_columns_of_the_factor(case):
    """The preconditioner needs no ridge, and its own rank deficiency does no harm."""
    kernel = case[0] + 0.5 * np.eye(150)
    factor = factor_of(kernel, 30)
    have = solve(kernel, case[1], 0, factor=np.hstack([factor, factor]), tolerance=1e-12)
    np.testing.assert_allclose(have, exact(kernel, case[1], 0.0), atol=1e-10)


@pytest.mark.parametrize("logit", ["first", "mean", "sum", 2])
def test_the_product_is_that_of_the_kernel(rng, logit):
    model = network("cnn")
    params = model.init(jax.random.key(0))
    x, v = rng.uniform(size=(9, 8, 7, 2)), rng.normal(size=9)
    kernel = np.asarray(empirical_ntk(model.apply, params, x, logit=logit))
    have = ntk_product(model.apply, params, x, logit=logit)(jnp.asarray(v))
    np.testing.assert_allclose(have, kernel @ v, atol=1e-10 * np.abs(kernel).max())


def test_a_network_s_solve_needs_no_kernel_matrix(rng):
    model = network("mlp")
    params = model.init(jax.random.key(0))
    x, y = rng.normal(size=(20, 3, 2)), rng.normal(size=(20, 3))
    kernel = np.asarray(empirical_ntk(model.apply, params, x))
    ridge = 0.05 * kernel.diagonal().mean()
    have = solve(ntk_product(model.apply, params, x), y, ridge, factor=factor_of(kernel, 5))
    np.testing.assert_allclose(have, exact(kernel, y, ridge), rtol=1e-6, atol=1e-9)


def test_integers_among_the_parameters_stay_as_they_are():
    x = jnp.array([[1.0, 2.0], [3.0, 4.0]])
    params = {"w": jnp.ones((2, 3)), "steps": np.int32(4)}
    have = ntk_product(lambda p, x: x @ p["w"], params, x)(jnp.array([1.0, 0.0]))
    assert have.tolist() == [5.0, 11.0]


def test_the_product_is_of_the_network_as_it_was_and_says_so_when_it_is_made_again():
    """Whatever the function reads is read when the product is made, never when JAX finds it compiled."""
    x, scale, matrix = jnp.eye(2), {"by": 1.0}, np.eye(2)
    network = lambda w, x: scale["by"] * (x @ w)  # noqa: E731
    one = ntk_product(network, jnp.ones((2, 1)), x)
    first = solve(one, jnp.ones((2, 1)), 1.0)
    scale["by"] = 2.0
    other = ntk_product(network, jnp.ones((2, 1)), x)
    assert (one(jnp.ones(2)).tolist(), other(jnp.ones(2)).tolist()) == ([1.0, 1.0], [4.0, 4.0])
    np.testing.assert_allclose(solve(one, jnp.ones((2, 1)), 1.0), first)
    np.testing.assert_allclose(solve(other, jnp.ones((2, 1)), 1.0), first * 2 / 5)
    product = lambda v: matrix @ v  # noqa: E731
    np.testing.assert_allclose(solve(product, jnp.ones((2, 1)), 1.0), 1 / 2)
    matrix[:] = 3 * np.eye(2)
    np.testing.assert_allclose(solve(product, jnp.ones((2, 1)), 1.0), 1 / 4)


def test_products_of_equal_networks_are_compiled_once_and_given_back():
    def made(seed):
        w = jax.random.normal(jax.random.key(seed), (4, 3))
        return ntk_product(lambda w, x: jnp.tanh(x @ w), w, jnp.ones((5, 4))), weakref.ref(w)

    solve(made(0)[0], jnp.ones((5, 1)), 1.0)
    before = conjugate._solve._cache_size(), conjugate._apply._cache_size()
    made(1)[0](jnp.ones(5))
    kept = [made(seed)[1] for seed in range(2, 5)]
    for seed in range(2, 5):
        product = made(seed)[0]
        solve(product, jnp.ones((5, 1)), 1.0)
        product(jnp.ones(5))
    del product
    gc.collect()
    assert all(ref() is None for ref in kept)
    after = conjugate._solve._cache_size(), conjugate._apply._cache_size()
    assert (after[0] - before[0], after[1] - before[1]) in ((0, 0), (0, 1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": lambda v: v[:2]}, r"k: expected a function from shape \(3,\) to itself"),
        ({"k": Product.trace(lambda v: v, 4)}, r"k: expected a function from shape \(3,\) to itself"),
        ({"tolerance": True}, "tolerance: expected a finite number"),
        ({"max_steps": 1.0}, "max_steps: expected a whole number"),
        ({"k": np.ones((3, 2))}, r"k: expected shape \(3, 3\), got \(3, 2\)"),
        ({"y": np.ones(3)}, r"y: expected shape \(any, any\)"),
        ({"ridge": -1}, "ridge: expected a finite number"),
        ({"factor": np.ones((2, 1))}, r"factor: expected shape \(3, any\), got \(2, 1\)"),
        ({"tolerance": 0.0}, "tolerance: expected a finite number between 2.22.* and 1, got 0.0"),
        ({"max_steps": 0}, "max_steps: expected a whole number at least 1"),
        ({"k": -np.eye(3), "ridge": 1}, "k . ridge.I: after 1000 steps"),
    ],
)
def test_bad_input_is_named(as_user, change, message):
    good = {"k": np.eye(3), "y": np.ones((3, 1)), "ridge": 0.1}
    with pytest.raises(ValueError, match=message):
        solve(**(good | change))
    with pytest.raises(ValueError, match="logit: 'all'"):
        ntk_product(lambda w, x: x @ w, np.ones((2, 3)), np.ones((2, 2)), logit="all")
