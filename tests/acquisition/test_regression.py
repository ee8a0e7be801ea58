import jax.numpy as jnp
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from problems import KINDS, problem

from ntkal import Lookahead
from ntkal.acquisition import expected_squared_change, variance_reduction

shapes = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 999),
        "n": st.sampled_from([1, 6]),
        "m": st.sampled_from([1, 9]),
        "classes": st.just(1),
        "ridge": st.sampled_from([0.0, 0.5]),
    }
)


@given(shapes)
def test_the_variance_taken_is_that_of_revealing_any_label(shape):
    post = problem(**shape).fit()
    left = [np.trace(post.reveal(c, np.array([7.0])).cov) for c in range(shape["m"])]
    np.testing.assert_allclose(variance_reduction(post), np.trace(post.cov) - left, rtol=1e-8, atol=1e-10)


@given(shapes)
def test_the_expected_change_is_that_of_refits_at_the_nodes_of_a_quadrature(shape):
    case = problem(**shape)
    post = case.fit()
    before, deviation = case.refit(), np.sqrt(np.diag(post.cov))
    nodes, weights = np.polynomial.hermite_e.hermegauss(3)  # exact for squares
    want = [
        sum(
            w * np.mean((case.refit([(c, before[c] + z * deviation[c])]) - before) ** 2)
            for z, w in zip(nodes, weights / weights.sum(), strict=True)
        )
        for c in range(shape["m"])
    ]
    np.testing.assert_allclose(expected_squared_change(post), want, rtol=1e-8, atol=1e-10)


def test_any_posterior_is_scored_alike_before_and_after_labels():
    case, y = problem(classes=1), np.ones(1)
    for score in (variance_reduction, expected_squared_change):
        want = score(case.fit()), score(case.fit().reveal(3, y).reveal(5, y))
        for kind in KINDS:
            post = case.fit(kind)
            later = post.reveal(3, y).reveal_all(np.array([5]), y[None])
            np.testing.assert_allclose(score(post), want[0], rtol=1e-9)
            np.testing.assert_allclose(score(later), want[1], rtol=1e-9)


def test_a_candidate_that_is_known_scores_zero():
    post = Lookahead(jnp.zeros((2, 1)), jnp.diag(jnp.array([0.0, 4.0])), ridge=0.0)
    assert variance_reduction(post).tolist() == [0.0, 4.0]
    assert expected_squared_change(post).tolist() == [0.0, 2.0]
