import jax
import jax.numpy as jnp
import numpy as np
import pytest
from networks import make as network

from ntkal import empirical_ntk
from ntkal.kernels.gradients import gradients
from ntkal.kernels.network import trace_network
from ntkal.kernels.sketch import gradient_sketch, ntk_diagonal

KINDS = ["count", "gaussian", "rademacher"]


@pytest.fixture(scope="module")
def case():
    """A small network of 8,000 parameters, so that R is drawn in more than one piece."""
    model = network("mlp", width=80, depth=2)
    params = model.init(jax.random.key(1))
    x = np.random.default_rng(0).normal(size=(24, 3, 2))
    return model.apply, params, x, np.asarray(empirical_ntk(model.apply, params, x))


def error(case, rank, kind, draws):
    apply, params, x, exact = case
    each = []
    for draw in range(draws):
        phi = np.asarray(gradient_sketch(apply, params, x, rank=rank, key=jax.random.key(draw), kind=kind))
        each.append(np.linalg.norm(phi @ phi.T - exact) / np.linalg.norm(exact))
    return np.sqrt(np.mean(np.square(each)))


@pytest.mark.parametrize("kind", KINDS)
def test_the_error_against_the_exact_kernel_falls_like_one_over_the_root_of_the_rank(case, kind):
    assert sum(leaf.size for leaf in jax.tree.leaves(case[1])) > 4096
    errors = [error(case, rank, kind, draws=12) for rank in (32, 512)]
    assert errors[0] < 2 * np.sqrt(2 / 32)
    # Sixteen times the features, a quarter of the error.
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.3)


@pytest.mark.parametrize("kind", KINDS)
def test_it_has_no_bias(case, kind):
    apply, params, x, exact = case
    phis = [
        np.asarray(gradient_sketch(apply, params, x, rank=64, key=jax.random.key(i), kind=kind))
        for i in range(60)
    ]
    mean = np.mean([phi @ phi.T for phi in phis], axis=0)
    scale = np.sqrt(np.outer(np.diag(exact), np.diag(exact)))
    assert np.max(np.abs(mean - exact) / scale) < 5 * np.sqrt(2 / (64 * 60))


@pytest.mark.parametrize("kind", KINDS)
def test_batches_memory_and_separate_calls_change_nothing(case, kind):
    apply, params, x, _ = case
    options = {"rank": 40, "key": jax.random.key(3), "kind": kind, "logit": "sum"}
    whole = gradient_sketch(apply, params, x, **options)
    row = 8 * sum(leaf.size for leaf in jax.tree.leaves(params))
    for how in ({"batch_size": 7}, {"memory": 5 * row}):
        np.testing.assert_allclose(
            gradient_sketch(apply, params, x, **options, **how), whole, rtol=1e-10, atol=1e-12
        )
    parts = [gradient_sketch(apply, params, part, **options) for part in (x[:5], x[5:])]
    np.testing.assert_allclose(jnp.concatenate(parts), whole, rtol=1e-10, atol=1e-12)
    other = gradient_sketch(apply, params, x, **(options | {"key": jax.random.key(4)}))
    assert np.max(np.abs(other - whole)) > 0.1 * np.max(np.abs(whole))


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_product_of_the_gradients_with_one_matrix(case, kind):
    """R itself, column by column, from a linear model whose gradients are the unit vectors."""
    options = {"rank": 6, "key": jax.random.key(0), "kind": kind}
    p = 70
    apply = lambda w, x: x @ w[:, None]  # noqa: E731
    matrix = np.asarray(gradient_sketch(apply, jnp.ones(p), np.eye(p), **options))
    x = np.random.default_rng(1).normal(size=(9, p))
    np.testing.assert_allclose(gradient_sketch(apply, jnp.ones(p), x, **options), x @ matrix, atol=1e-12)
    if kind == "count":
        assert (np.abs(matrix).sum(axis=1) == 1).all()
    elif kind == "rademacher":
        np.testing.assert_allclose(np.abs(matrix), 1 / np.sqrt(6))
        assert 0.3 < (matrix > 0).mean() < 0.7
    else:
        assert np.std(matrix * np.sqrt(6)) == pytest.approx(1.0, abs=0.15)


def test_no_array_is_as_large_as_all_gradients(case):
    """The compiled projection keeps one piece of R and one batch, not p x r (5 MB here)."""
    from ntkal.kernels.sketch import _project

    apply, params, x, _ = case
    network = trace_network(apply, params, x=x)
    rows = gradients(network, 0, network.moving)(jnp.asarray(x[:4]))[0][:, 0]
    compiled = _project.lower(rows, key=jax.random.key(0), rank=64, kind="rademacher").compile()
    batch, piece = 4 * rows.shape[1] * 8, 4096 * 64 * 8
    assert compiled.memory_analysis().temp_size_in_bytes < 3 * (batch + piece)
    assert rows.shape[1] > 4096


@pytest.mark.parametrize("logit", ["first", "mean", 2])
def test_the_diagonal_is_that_of_the_kernel(case, logit):
    apply, params, x, _ = case
    want = np.diag(empirical_ntk(apply, params, x, logit=logit))
    np.testing.assert_allclose(ntk_diagonal(apply, params, x, logit=logit, batch_size=7), want, rtol=1e-10)


def test_the_precision_is_the_network_s(case):
    model = network("cnn", "float32")
    x = np.ones((2, 8, 7, 2), np.float32)
    options = {"rank": 3, "key": jax.random.key(0)}
    for kind in KINDS:
        phi = gradient_sketch(model.apply, model.init(jax.random.key(0)), x, kind=kind, **options)
        assert phi.dtype == np.float32


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rank": 0}, "rank: expected a whole number at least 1, got 0"),
        ({"kind": "fft"}, "kind: unknown 'fft'; choose one of count, gaussian, rademacher"),
        ({"logit": "all"}, "logit: 'all' has no single kernel"),
        ({"logit": 4}, "logit: expected a whole number between 0 and 2, got 4"),
        ({"x": np.ones((0, 3, 2))}, "x: expected inputs of shape"),
        ({"x": np.ones(3)}, r"x: expected inputs of shape .* got \(3,\)"),
        ({"x": np.full((2, 3, 2), np.nan)}, "x: some entries are NaN or infinite"),
        ({"memory": 10}, "memory: 10 bytes cannot hold one gradient"),
        ({"batch_size": 0}, "batch_size: expected a whole number at least 1"),
    ],
)
def test_bad_input_is_named(as_user, case, change, message):
    given = {"x": case[2], "rank": 2, "key": jax.random.key(0)} | change
    with pytest.raises(ValueError, match=message):
        gradient_sketch(case[0], case[1], **given)
