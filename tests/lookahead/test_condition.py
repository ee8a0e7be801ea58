import jax.numpy as jnp
import numpy as np
import pytest

from ntkal import Lookahead
from ntkal.inputs import SingularKernelError
from ntkal.lookahead.condition import TOGETHER, check_semidefinite


@pytest.mark.parametrize("seed", range(10))
def test_a_candidate_in_the_span_of_nearly_parallel_labelled_inputs_is_determined(seed):
    """In the plane two inputs determine all others, with large weights that magnify the kernel's rounding."""
    rng = np.random.default_rng(seed)
    one = rng.normal(size=2)
    x, u = np.array([one, one + 1e-4 * rng.normal(size=2)]), rng.normal(size=(6, 2))
    post = Lookahead.fit(x @ x.T, u @ x.T, u @ u.T, np.zeros((2, 1)), np.zeros((6, 1)), np.ones((2, 1)))
    for c in range(6):
        with pytest.raises(SingularKernelError, match=f"determine pool point {c} already"):
            post.after(c, np.ones(1))


@pytest.mark.parametrize(("ridge", "taken"), [(0.0, [True, False]), (1e-3, [False, False])])
def test_what_is_more_than_rounding_or_has_a_ridge_beside_it_is_no_rounding(ridge, taken):
    x, u = np.array([[1.0, 0.0]]), np.array([[3.0, 1e-9], [0.0, 1e-3]])
    zero = np.zeros((1, 1)), np.zeros((2, 1)), np.zeros((1, 1))
    post = Lookahead.fit(x @ x.T, u @ x.T, u @ u.T, *zero, ridge=ridge)
    assert (np.asarray(post.variance) == 0).tolist() == taken
    assert 0 < float(post.floor) < 1e-12


@pytest.mark.parametrize("m", [1, 5, TOGETHER + 40])
def test_a_covariance_passes_at_any_size(rng, m):
    root = rng.normal(size=(m, 3))
    check_semidefinite(jnp.asarray(root @ root.T), 1e-8)


def test_three_candidates_can_be_at_odds_though_no_two_are():
    odd = np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]])
    with pytest.raises(ValueError, match="the pool's covariance has the negative eigenvalue -0.8"):
        check_semidefinite(jnp.asarray(odd), 1e-8)


def test_two_candidates_at_odds_are_named_wherever_they_are():
    cov = np.eye(TOGETHER + 40)
    cov[3, 201] = cov[201, 3] = 1.5
    with pytest.raises(ValueError, match="pool points 3 and 201 have the correlation 1.5"):
        check_semidefinite(jnp.asarray(cov), 1e-8)


def test_the_mean_is_ridge_regression_on_what_the_network_gets_wrong(rng):
    k = rng.normal(size=(7, 9))
    k, f, y = k @ k.T, rng.normal(size=(7, 2)), rng.normal(size=(4, 2))
    post = Lookahead.fit(k[:4, :4], k[4:, :4], k[4:, 4:], f[:4], f[4:], y, ridge=0.3)
    refit = f[4:] + k[4:, :4] @ np.linalg.solve(k[:4, :4] + 0.3 * np.eye(4), y - f[:4])
    np.testing.assert_allclose(post.mean, refit, rtol=1e-10, atol=1e-12)


def test_beside_a_ridge_a_small_fault_of_the_kernel_is_seen():
    """With variances near one, a pair whose correlation is 1.01 is at odds, whatever the ridge."""
    k_pp, zero = np.array([[1.0, 1.01], [1.01, 1.0]]), np.zeros((2, 1))
    for ridge in (0.0, 1e-6, 1e-2, 10.0):
        with pytest.raises(ValueError, match="pool points 0 and 1 have the correlation 1.01"):
            Lookahead.fit(np.eye(1), np.zeros((2, 1)), k_pp, zero[:1], zero, zero[:1], ridge=ridge)


def test_a_candidate_far_from_all_labels_is_rounding_if_its_own_variance_is():
    x, u = np.array([[1.0, 0.0]]), np.array([[0.0, 1e-9], [0.0, 1e-3], [3.0, 1.0]])
    post = Lookahead.fit(x @ x.T, u @ x.T, u @ u.T, np.zeros((1, 1)), np.zeros((3, 1)), np.zeros((1, 1)))
    assert (np.asarray(post.variance) == 0).tolist() == [True, False, False]


def test_the_partner_that_is_named_is_the_most_correlated_not_the_nearest_in_covariance():
    cov = np.diag([1.0, 1e-2, 1e-6, 1e-2])
    cov[1, 3] = cov[3, 1] = 1.5e-2
    cov[1, 2] = cov[2, 1] = 5e-5
    with pytest.raises(ValueError, match="pool points 1 and 3 have the correlation 1.5"):
        check_semidefinite(jnp.asarray(cov), 1e-12)
