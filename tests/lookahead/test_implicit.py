from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import problem

from ntkal import ImplicitLookahead, Lookahead, eer, emoc, mlmoc, mlmoc_norm
from ntkal.acquisition import probabilities
from ntkal.lookahead import implicit

SHAPES = [
    {"n": 6, "m": 9, "classes": 4, "parameters": 40, "ridge": 1e-3},
    {"n": 6, "m": 9, "classes": 4, "parameters": 6, "ridge": 2.0},
    {"n": 30, "m": 9, "classes": 4, "parameters": 6, "ridge": 1e-3},
    {"n": 6, "m": 9, "classes": 4, "parameters": 40, "ridge": 0.0},
    {"n": 1, "m": 1, "classes": 2, "parameters": 3, "ridge": 2.0},
]


def fit(case, kernels=None):
    return ImplicitLookahead.fit(*(kernels or case.blocks), case.f_l, case.f_p, case.y_l, ridge=case.ridge)


def close(have, want, rtol=1e-9):
    np.testing.assert_allclose(have, want, rtol=0, atol=rtol * max(np.max(np.abs(want)), 1e-300))


@pytest.mark.parametrize("shape", SHAPES)
def test_covariance_and_every_score_are_those_of_the_dense_look_ahead_before_and_after_reveals(shape):
    case = problem(**shape)
    dense, post = case.fit(), fit(case)
    for c in (0, shape["m"] - 1):
        probs = probabilities(dense.mean)
        close(post.columns(0, shape["m"]), dense.cov)
        close(post.variance, dense.variance)
        close(post.absolute_sums(), np.abs(dense.cov).sum(axis=1))
        for score in (mlmoc_norm, mlmoc, partial(emoc, probs=probs), partial(eer, probs=probs)):
            np.testing.assert_allclose(score(post), score(dense), rtol=1e-6, atol=1e-9)
        if shape["m"] > 1 or case.ridge:
            dense, post = (p.reveal(c, np.ones(shape["classes"])) for p in (dense, post))


def test_a_reveal_leaves_the_look_ahead_before_it_as_it_was_also_when_two_start_from_one():
    case = problem(m=20)
    post = fit(case).reveal(3, np.ones(3))
    before = np.asarray(post.columns(0, 20))
    first, second = post.reveal(1, np.ones(3)), post.reveal(2, np.zeros(3))
    np.testing.assert_array_equal(post.columns(0, 20), before)
    y = np.ones(3)
    close(first.mean, case.refit([(3, y), (1, y)]))
    close(second.mean, case.refit([(3, y), (2, 0 * y)]))


def test_reveals_beyond_the_room_join_the_product_and_two_can_start_from_one(monkeypatch):
    monkeypatch.setattr(implicit, "TOGETHER", 3)
    case, y = problem(m=20), np.eye(3)
    post, pairs = fit(case), [(c, y[c % 3]) for c in range(8)]
    for c, label in pairs:
        post = post.reveal(c, label)
    assert post.half.shape == (20, 6 + 6)
    assert post.with_room(100).recent.shape == (20, 100)
    close(post.with_room(100).columns(0, 20), post.columns(0, 20))
    later, other = post.reveal(11, y[1]), post.reveal(12, y[2])
    close(later.mean, case.refit([*pairs, (11, y[1])]))
    close(other.mean, case.refit([*pairs, (12, y[2])]))


def test_a_traced_loop_without_room_says_nan_and_no_wrong_number(monkeypatch):
    monkeypatch.setattr(implicit, "TOGETHER", 3)
    post = fit(problem(m=20))

    def run(start, count):
        step = lambda p, c: (p.reveal(c, jnp.ones(3)), p.mean)  # noqa: E731
        return jax.lax.scan(step, start, jnp.arange(count))[0]

    assert np.isfinite(run(post, 3).reveal(5, np.ones(3)).variance).all()
    assert np.isnan(run(post, 4).variance).all()
    assert np.isnan(run(post, 5).mean).all()
    assert np.isfinite(run(post.with_room(5), 5).mean).all()


def test_a_duplicate_of_a_labelled_input_scores_nothing():
    case = problem(ridge=0.0).with_copies()
    post = fit(case)
    assert post.variance[8] == 0
    assert mlmoc_norm(post)[8] == 0
    np.testing.assert_array_equal(post.columns(8, 1), np.zeros((9, 1)))
    close(mlmoc_norm(post), mlmoc_norm(case.fit()))


def test_single_precision_kernels_give_the_dense_scores():
    case = problem(m=40, n=20, parameters=60, ridge=1e-4)
    kernels = [k.astype(np.float32) for k in case.blocks]
    kernels[2] = (kernels[2] + kernels[2].T) / 2
    dense = Lookahead.fit(*kernels, case.f_l, case.f_p, case.y_l, ridge=1e-4)
    post = fit(case, kernels)
    assert post.floor == dense.floor
    close(mlmoc_norm(post), mlmoc_norm(dense), 1e-8)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda k: k.at[2, 7].add(0.1), "k_pp: a kernel matrix is symmetric"),
        (lambda k: k.at[4, 4].set(-1.0), "pool point 4 has the negative variance"),
        (lambda k: k.at[2, 7].set(1e3).at[7, 2].set(1e3), "pool points 2 and 7 have the correlation"),
        (lambda k: k.at[2, 7].set(jnp.nan), "1 of 81 entries are NaN or infinite"),
        (lambda k: k[:8], r"k_pp: expected shape \(9, 9\), got \(8, 9\)"),
    ],
)
def test_what_is_no_kernel_is_refused_with_the_words_of_the_dense_one(as_user, spoil, why):
    case = problem()
    k_ll, k_pl, k_pp = (jnp.asarray(k) for k in case.blocks)
    said = []
    for kind in (Lookahead, ImplicitLookahead):
        with pytest.raises(ValueError, match=why) as error:
            kind.fit(k_ll, k_pl, spoil(k_pp), case.f_l, case.f_p, case.y_l, ridge=case.ridge)
        said.append(str(error.value))
    assert said[0] == said[1]


def test_the_norm_form_never_holds_an_m_by_m_array(as_user):
    """Compiled memory analysis at m = 2000: m x m float64 would be 32 MB."""
    post = fit(problem(m=2000, n=5, parameters=10)).reveal(0, np.ones(3))
    compiled = jax.jit(mlmoc_norm).lower(post).compile()
    assert compiled.memory_analysis().temp_size_in_bytes < 2**22
