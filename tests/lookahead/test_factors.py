import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import problem

from ntkal import FactorLookahead, Lookahead, mlmoc, mlmoc_norm
from ntkal.acquisition import candidates as blocks
from ntkal.acquisition import most_likely
from ntkal.inputs import SingularKernelError
from ntkal.kernels.low_rank import nystrom


def close(have, want, rtol=1e-9):
    np.testing.assert_allclose(have, want, rtol=0, atol=rtol * np.max(np.abs(want)))


def by_factors(case, **options):
    outputs = case.f_l, case.f_p, case.y_l
    return FactorLookahead.fit(case.phi_l, case.phi_p, *outputs, ridge=case.ridge, **options)


# Fewer, as many and more labelled inputs than features; a single candidate; a single class.
SHAPES = [
    {"n": 6, "m": 9, "classes": 4, "parameters": 40, "ridge": 1e-3},
    {"n": 6, "m": 9, "classes": 4, "parameters": 6, "ridge": 2.0},
    {"n": 30, "m": 9, "classes": 4, "parameters": 6, "ridge": 1e-3},
    {"n": 1, "m": 1, "classes": 1, "parameters": 3, "ridge": 2.0},
]


@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_the_look_ahead_of_its_kernel_before_and_after_reveals(shape):
    case = problem(**shape)
    rng = np.random.default_rng(5)
    dense, post = case.fit(), by_factors(case)
    for c in rng.integers(shape["m"], size=3).tolist():
        y = rng.normal(size=shape["classes"])
        close(post.after(c, y), dense.after(c, y), 1e-8)
        dense, post = dense.reveal(c, y), post.reveal(c, y)
    close(post.mean, dense.mean, 1e-8)
    scale = np.max(case.phi_p**2) * shape["parameters"]
    np.testing.assert_allclose(post.columns(0, shape["m"]), dense.cov, atol=1e-11 * scale)
    np.testing.assert_allclose(post.variance, np.diag(dense.cov), atol=1e-11 * scale)


@pytest.mark.parametrize("n", [3, 40])
def test_without_a_ridge_it_is_refitting_on_the_features(n):
    case = problem(n=n, ridge=0.0)
    post = by_factors(case)
    y = np.eye(3)[1]
    close(post.mean, case.refit())
    if n < 40:
        close(post.after(4, y), case.refit([(4, y)]))
    else:  # as many labelled inputs as features: nothing is left to learn
        assert float(post.variance.max()) <= post.floor
        np.testing.assert_array_equal(mlmoc_norm(post), np.zeros(9))


@pytest.mark.parametrize("memory", [1, 5000])
def test_the_block_size_changes_no_score(monkeypatch, memory):
    post = by_factors(problem(m=23, n=5))
    whole = mlmoc(post)
    monkeypatch.setattr(blocks, "MEMORY", memory)
    np.testing.assert_allclose(mlmoc(post), whole, rtol=1e-12)


@pytest.mark.parametrize(("score", "arrays"), [("_flips", 4), ("_spread", 1)])
def test_memory_is_that_of_the_factor_and_one_block_never_m_by_m(as_user, monkeypatch, score, arrays):
    """Compiled memory analysis at m = 4000, r = 10: m x m float64 would be 128 MB."""
    import ntkal.acquisition.change as scores

    post = by_factors(problem(m=4000, n=5, parameters=10))
    monkeypatch.setattr(blocks, "MEMORY", 2**20)
    surprise = [most_likely(post) - post.mean] if score == "_flips" else []
    of_pool = partial(blocks.over_candidates, getattr(scores, score), arrays=arrays)
    compiled = jax.jit(of_pool).lower(post, *surprise).compile()
    assert compiled.memory_analysis().temp_size_in_bytes < 3 * blocks.MEMORY


def test_float32_halves_the_factor_and_keeps_six_digits_of_the_scores():
    case = problem(m=200, n=20, ridge=1e-4)
    double, single = by_factors(case), by_factors(case, dtype="float32")
    assert single.factor.dtype == np.float32
    assert single.factor.nbytes * 2 == double.factor.nbytes
    np.testing.assert_array_equal(single.mean, double.mean)
    np.testing.assert_allclose(mlmoc_norm(single), mlmoc_norm(double), rtol=1e-6)
    y = np.ones(3)
    close(single.after(3, y), double.after(3, y), 1e-6)


def test_a_candidate_that_is_already_determined_scores_nothing():
    scores = np.asarray(mlmoc(problem(ridge=0.0).with_copies().fit(FactorLookahead)))
    assert scores[8] == 0
    assert scores[:8].min() > 0


@pytest.mark.parametrize("ridge", [0.0, 1e-9])
def test_a_small_kernel_takes_labels_as_a_large_one_does(ridge):
    """The same network in other units: variances of 1e-8 are no rounding beside features of 1e-4."""
    case, small = problem(n=6, m=9, parameters=40, ridge=0.0), 1e-4
    outputs = case.f_l, case.f_p, case.y_l
    post = FactorLookahead.fit(small * case.phi_l, small * case.phi_p, *outputs, ridge=small**2 * ridge)
    want = FactorLookahead.fit(case.phi_l, case.phi_p, *outputs, ridge=ridge)
    assert float(post.floor) < 1e-6 * float(post.variance.min())
    close(post.after(4, np.eye(3)[1]), want.after(4, np.eye(3)[1]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_duplicates_without_a_ridge_are_refused_whatever_the_precision(dtype):
    case = problem()
    phi_l = np.vstack([case.phi_l, case.phi_l[2]]).astype(dtype)
    with pytest.raises(SingularKernelError, match="inputs 2 and 6 are duplicates"):
        FactorLookahead.fit(phi_l, case.phi_p.astype(dtype), np.zeros((7, 3)), case.f_p, np.zeros((7, 3)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_candidate_determined_through_large_weights_is_rounding_and_counts_as_determined(dtype):
    """b = (a + small b) / small - a / small: what rounding leaves of it grows with the weights."""
    small = {"float32": 1e-3, "float64": 1e-7}[dtype]
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 50)).astype(dtype)
    phi_l = np.stack([a, (a + small * b).astype(dtype)])
    phi_p = np.stack([b, *rng.normal(size=(6, 50))]).astype(dtype)
    given = {"f_l": np.zeros((2, 3)), "f_p": np.zeros((7, 3)), "y_l": np.eye(3)[:2]}
    post = FactorLookahead.fit(phi_l, phi_p, **given)
    scores = np.asarray(mlmoc_norm(post))
    assert scores[0] == 0 < scores[1:].min()
    with pytest.raises(SingularKernelError, match="determine pool point 0 already"):
        post.after(0, np.ones(3))
    without = FactorLookahead.fit(phi_l, phi_p[1:], **(given | {"f_p": np.zeros((6, 3))}))
    np.testing.assert_allclose(scores[1:], mlmoc_norm(without), rtol=1e-6)


def nearly(case, rng, rank):
    """Features of the case's kernel that miss some of it, as low-rank features do."""
    phi = np.vstack([case.phi_l, case.phi_p]) @ rng.normal(size=(case.phi_l.shape[1], rank)) / rank**0.5
    return phi[: len(case.phi_l)], phi[len(case.phi_l) :]


@pytest.mark.parametrize("ridge", [0.0, 0.5])
def test_with_the_labelled_kernel_the_mean_is_exact_and_the_covariance_that_of_the_features(rng, ridge):
    case = problem(m=20, ridge=ridge)
    phi_l, phi_p = nearly(case, rng, 15)
    outputs = (case.f_l, case.f_p, case.y_l)
    k_ll, k_pl, _ = case.blocks
    plain = FactorLookahead.fit(phi_l, phi_p, *outputs, ridge=ridge)
    post = FactorLookahead.fit(phi_l, phi_p, *outputs, ridge=ridge, k_ll=k_ll, k_pl=k_pl)
    close(post.mean, case.refit())
    assert np.abs(plain.mean - case.refit()).max() > 0.1
    np.testing.assert_array_equal(post.factor, plain.factor)
    y = np.eye(3)[2]
    dense = Lookahead(post.mean, post.columns(0, 20), ridge)
    close(post.after(3, y), dense.after(3, y))
    np.testing.assert_allclose(mlmoc(post), mlmoc(dense), rtol=1e-6)


def test_features_that_span_the_labelled_kernel_need_no_help_with_the_mean():
    """Nyström features whose landmarks hold the labelled inputs."""
    case = problem(m=20, parameters=60)
    phi = np.vstack([case.phi_l, case.phi_p])
    features = nystrom(lambda a, b=None: a @ (a if b is None else b).T, phi[:9])(phi)
    post = FactorLookahead.fit(features[:6], features[6:], case.f_l, case.f_p, case.y_l, ridge=case.ridge)
    close(post.mean, case.refit(), 1e-8)
    assert np.max(np.abs(post.variance - np.diag(case.fit().cov))[3:]) > 1


def test_a_labelled_kernel_that_cannot_be_inverted_is_refused():
    case = problem(ridge=0.0)
    k_ll, k_pl, _ = case.blocks
    with pytest.raises(SingularKernelError, match="k_ll .* cannot be inverted"):
        by_factors(case, k_ll=np.ones_like(k_ll), k_pl=k_pl)


def test_the_whole_pool_as_one_block_is_no_slower_than_two_halves():
    """XLA can turn both products and the sum into one loop that is ten times slower."""
    m = 1200
    factor = jnp.asarray(np.random.default_rng(0).normal(size=(m, 512)))
    post = FactorLookahead(jnp.zeros((m, 2)), factor, jnp.eye(512), 1.0)

    def seconds(block):
        score = jax.jit(
            lambda post: jax.lax.map(
                lambda start: jnp.sum(jnp.abs(post.columns(start, block)), axis=0), jnp.arange(0, m, block)
            )
        )
        score(post).block_until_ready()
        taken = []
        for _ in range(3):
            began = time.process_time()
            score(post).block_until_ready()
            taken.append(time.process_time() - began)
        return min(taken)

    assert seconds(m) < 5 * seconds(m // 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"phi_l": np.ones(2)}, r"phi_l: expected shape \(any, any\), got \(2,\)"),
        ({"phi_p": np.ones((4, 2))}, r"phi_p: expected shape \(any, 3\), got \(4, 2\)"),
        ({"phi_p": np.ones((0, 3))}, "phi_p: shape .* has an empty axis"),
        ({"phi_p": np.full((4, 3), np.nan)}, "phi_p: 12 of 12 entries are NaN"),
        ({"f_p": np.ones((3, 1))}, r"f_p: expected shape \(4, 1\)"),
        ({"y_l": np.ones((2, 2))}, r"y_l: expected shape \(2, 1\)"),
        ({"ridge": -1.0}, "ridge: expected a finite number"),
        ({"dtype": "float16"}, "dtype: unknown 'float16' .* choose one of float32, float64"),
        ({"k_ll": np.eye(2)}, "k_ll, k_pl: one came without the other"),
        ({"k_ll": np.eye(2), "k_pl": np.ones((3, 2))}, r"k_pl: expected shape \(4, 2\), got \(3, 2\)"),
        ({"k_ll": np.eye(3), "k_pl": np.ones((4, 2))}, r"k_ll: expected shape \(2, 2\), got \(3, 3\)"),
        (
            {"phi_l": np.ones((4, 3)) + np.eye(4, 3), "f_l": np.zeros((4, 1)), "y_l": np.zeros((4, 1))},
            "more inputs .n=4. than parameters",
        ),
    ],
)
def test_bad_input_is_named(as_user, change, message):
    good = {
        "phi_l": np.eye(2, 3),
        "phi_p": jnp.ones((4, 3)),
        "f_l": np.zeros((2, 1)),
        "f_p": np.zeros((4, 1)),
        "y_l": np.ones((2, 1)),
    }
    with pytest.raises(ValueError, match=message):
        FactorLookahead.fit(**(good | change))
