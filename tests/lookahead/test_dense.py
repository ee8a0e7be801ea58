import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import problem

from ntkal import Lookahead


def close(have, want, rtol=1e-10):
    np.testing.assert_allclose(have, want, rtol=0, atol=rtol * np.max(np.abs(want)))


shapes = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 999),
        "n": st.sampled_from([1, 12]),
        "m": st.sampled_from([1, 7]),
        "classes": st.sampled_from([1, 4]),
        "ridge": st.sampled_from([0.0, 1e-3, 2.0]),
    }
)


@given(shape=shapes, label_seed=st.integers(0, 99))
def test_after_is_refitting_on_the_labelled_set_and_the_candidate(shape, label_seed):
    case = problem(**shape)
    post = case.fit()
    assert post.mean.dtype == post.cov.dtype == "float64"
    close(post.mean, case.refit())
    y = np.random.default_rng(label_seed).normal(size=shape["classes"])
    for c in range(shape["m"]):
        close(post.after(c, y), case.refit([(c, y)]))


@given(shape=shapes, count=st.integers(1, 4))
def test_reveals_in_any_order_are_refitting_on_all_of_them(shape, count):
    case = problem(**shape)
    rng = np.random.default_rng(shape["seed"])
    chosen = rng.permutation(shape["m"])[:count].tolist()
    pairs = [(c, rng.normal(size=shape["classes"])) for c in chosen]
    for order in (pairs, pairs[::-1]):
        post = case.fit()
        for c, y in order:
            step = post.after(c, y)
            post = post.reveal(c, y)
            np.testing.assert_array_equal(post.mean, step)
        close(post.mean, case.refit(pairs))


@pytest.mark.parametrize(("ridge", "decay"), [(1e-3, 0.0), (1e-6, 0.0), (1e-3, 3.0), (1e-6, 1.5)])
def test_hundreds_of_reveals_do_not_drift_from_a_refit(ridge, decay):
    """Each takes a positive semi-definite term away, so that S shrinks and so does the rounding in it."""
    rng = np.random.default_rng(0)
    scale = np.arange(1, 601.0) ** -decay
    phi = rng.normal(size=(320, 600)) * scale / np.linalg.norm(scale)
    y = np.eye(3)[rng.integers(3, size=320)]
    k = phi @ phi.T
    post = Lookahead.fit(k[:20, :20], k[20:, :20], k[20:, 20:], 0 * y[:20], 0 * y[20:], y[:20], ridge=ridge)
    order = rng.permutation(300)[:250]
    steps = order, y[20 + order]
    post = jax.jit(lambda p: jax.lax.scan(lambda p, cy: (p.reveal(*cy), None), p, steps)[0])(post)
    at = np.concatenate([np.arange(20), 20 + order])
    fresh = Lookahead.fit(
        k[np.ix_(at, at)], k[20:, at], k[20:, 20:], 0 * y[at], 0 * y[20:], y[at], ridge=ridge
    )
    np.testing.assert_allclose(post.mean, fresh.mean, rtol=0, atol=1e-8)
    np.testing.assert_allclose(post.cov, fresh.cov, rtol=0, atol=1e-8)


def test_covariance_is_the_schur_complement_of_the_labelled_block():
    case = problem(ridge=0.2)
    k_ll, k_pl, k_pp = case.blocks
    close(case.fit().cov, k_pp - k_pl @ np.linalg.inv(k_ll + 0.2 * np.eye(6)) @ k_pl.T)


def test_reveal_updates_the_covariance_as_a_fit_with_the_candidate_does():
    case = problem(ridge=0.2)
    y = np.eye(3)[1]
    moved = Lookahead.fit(
        *type(case)(
            np.vstack([case.phi_l, case.phi_p[4]]), case.phi_p, case.f_l, case.f_p, case.y_l, 0.2
        ).blocks,
        np.vstack([case.f_l, case.f_p[4]]),
        case.f_p,
        np.vstack([case.y_l, y]),
        ridge=0.2,
    )
    later = case.fit().reveal(4, y)
    close(later.cov, moved.cov)
    close(later.mean, moved.mean)
    assert (later.ridge, later.floor) == (0.2, case.fit().floor)


def test_the_corrected_equation_12_gives_the_same_outputs():
    """Block inverse with v = K^-1 k, the inverse that the printed (12) omits."""
    case = problem(n=7, ridge=0.0)
    k_ll, k_pl, k_pp = case.blocks
    inverse, residual = np.linalg.inv(k_ll), case.y_l - case.f_l
    y = np.eye(3)[2]
    for c in range(9):
        v = inverse @ k_pl[c]
        s = k_pp[c, c] - k_pl[c] @ v
        block = np.block(
            [[inverse + np.outer(v, v) / s, -v[:, None] / s], [-v[None] / s, np.array([[1 / s]])]]
        )
        k_plus = np.hstack([k_pl, k_pp[:, [c]]])
        want = case.f_p + k_plus @ block @ np.vstack([residual, y - case.f_p[c]])
        close(case.fit().after(c, y), want)


def test_float32_kernels_are_solved_in_float64():
    case = problem(ridge=0.5)
    single = [block.astype(np.float32) for block in case.blocks]
    exact = [block.astype(np.float64) for block in single]
    rest = (case.f_l, case.f_p, case.y_l)
    np.testing.assert_array_equal(
        Lookahead.fit(*single, *rest, ridge=0.5).cov, Lookahead.fit(*exact, *rest, ridge=0.5).cov
    )


def test_non_contiguous_and_integer_arrays_are_taken():
    case = problem()
    blocks = [np.asfortranarray(np.repeat(block, 2, axis=0))[::2] for block in case.blocks]
    labels = case.y_l.astype(int)
    have = Lookahead.fit(*blocks, case.f_l, case.f_p, labels, ridge=case.ridge)
    np.testing.assert_array_equal(have.mean, case.fit().mean)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k_ll": np.ones((2, 3))}, r"k_ll: expected shape \(2, 2\), got \(2, 3\)"),
        ({"k_pl": np.ones((0, 2))}, "k_pl: shape .* has an empty axis"),
        ({"k_pp": np.ones((2, 2))}, r"k_pp: expected shape \(3, 3\)"),
        ({"k_pp": np.triu(np.ones((3, 3)))}, "k_pp: a kernel matrix is symmetric"),
        ({"k_pp": -np.eye(3)}, "k_pp: given the labelled inputs, pool point . has the negative variance"),
        ({"f_l": np.ones(2)}, r"f_l: expected shape \(2, any\)"),
        ({"f_p": np.ones((3, 2))}, r"f_p: expected shape \(3, 1\)"),
        ({"y_l": np.array([[1.0], [np.nan]])}, "y_l: 1 of 2 entries are NaN"),
        ({"ridge": -0.1}, "ridge: expected a finite number"),
        ({"k_ll": np.ones((2, 2)), "ridge": 0.0}, "k_ll .* inputs 0 and 1 are duplicates"),
    ],
)
def test_bad_input_is_named(as_user, change, message):
    good = {
        "k_ll": 2 * np.eye(2),
        "k_pl": np.full((3, 2), 0.1),
        "k_pp": np.eye(3),
        "f_l": np.zeros((2, 1)),
        "f_p": np.zeros((3, 1)),
        "y_l": np.ones((2, 1)),
    }
    with pytest.raises(ValueError, match=message):
        Lookahead.fit(**(good | change))
