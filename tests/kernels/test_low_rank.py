from functools import partial

import jax
import numpy as np
import pytest
from networks import make as network

from ntkal import FactorLookahead, Lookahead, empirical_ntk, mlmoc_norm
from ntkal.inputs import SingularKernelError
from ntkal.kernels.low_rank import nystrom, pivoted_cholesky
from ntkal.kernels.sketch import ntk_diagonal


def gaussian(x1, x2=None):
    """A kernel of full rank whose eigenvalues fall fast."""
    other = x1 if x2 is None else x2
    return np.exp(-np.sum((x1[:, None] - other[None]) ** 2, axis=2))


@pytest.fixture
def x(rng):
    return rng.normal(size=(40, 2))


def by_landmarks(kernel, at):
    """Brute force: K_xz pinv(K_zz) K_zx."""
    return kernel[:, at] @ np.linalg.pinv(kernel[np.ix_(at, at)], rcond=1e-14, hermitian=True) @ kernel[at]


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_nystrom_is_the_kernel_through_its_landmarks(x, batch):
    kernel, at = gaussian(x), [3, 17, 25, 38]
    phi = np.asarray(nystrom(gaussian, x[at], batch_size=batch)(x))
    assert phi.shape == (40, 4)
    np.testing.assert_allclose(phi @ phi.T, by_landmarks(kernel, at), atol=1e-12)
    np.testing.assert_allclose((phi @ phi.T)[:, at], kernel[:, at], atol=1e-12)
    assert np.linalg.eigvalsh(kernel - phi @ phi.T)[0] > -1e-12


def test_landmarks_may_repeat_and_float32_kernels_keep_what_is_not_rounding(x):
    at = [3, 17, 17, 25]
    phi = np.asarray(nystrom(gaussian, x[at])(x))
    assert phi.shape == (40, 3)
    np.testing.assert_allclose(phi @ phi.T, by_landmarks(gaussian(x), [3, 17, 25]), atol=1e-10)
    single = np.asarray(nystrom(lambda *two: gaussian(*two).astype(np.float32), x)(x))
    assert single.shape[1] < np.asarray(nystrom(gaussian, x)(x)).shape[1]
    np.testing.assert_allclose(single @ single.T, gaussian(x), atol=1e-4)


def greedy(kernel, rank):
    """Brute force: the largest diagonal entry of the whole residual matrix, again and again."""
    left, pivots = kernel.copy(), []
    for _ in range(rank):
        i = int(np.argmax(np.diag(left)))
        pivots.append(i)
        left = left - np.outer(left[:, i], left[:, i]) / left[i, i]
    return kernel - left, pivots


@pytest.mark.parametrize("rank", [1, 6, 15])
def test_pivoted_cholesky_is_greedy_elimination_and_asks_for_its_pivots_only(x, rank):
    kernel, asked = gaussian(x) * np.linspace(1, 2, 40)[:, None] * np.linspace(1, 2, 40)[None], []
    factor, pivots = pivoted_cholesky(np.diag(kernel), lambda i: asked.append(i) or kernel[:, i], rank)
    want, order = greedy(kernel, rank)
    assert pivots.tolist() == order == asked
    np.testing.assert_allclose(factor @ factor.T, want, atol=1e-12)
    np.testing.assert_allclose(factor @ factor.T, by_landmarks(kernel, order), atol=1e-9)


def test_at_full_rank_it_is_the_kernel_and_it_stops_when_nothing_is_left(x):
    linear = np.hstack([x, x[:, :1] ** 2])
    kernel = linear @ linear.T
    factor, pivots = pivoted_cholesky(np.diag(kernel), lambda i: kernel[:, i], 40)
    assert factor.shape == (40, 3)
    assert len(set(pivots.tolist())) == 3
    np.testing.assert_allclose(factor @ factor.T, kernel, atol=1e-12)


@pytest.mark.parametrize("tolerance", [0.5, 0.1, 1e-3])
def test_the_tolerance_is_a_share_of_the_trace_and_no_column_too_many_is_taken(x, tolerance):
    kernel = gaussian(x)
    factor, _ = pivoted_cholesky(np.diag(kernel), lambda i: kernel[:, i], 40, tolerance=tolerance)
    share = [1 - np.sum(factor[:, :k] ** 2) / 40 for k in range(factor.shape[1] + 1)]
    assert share[-1] <= tolerance < share[-2]


def test_of_a_network_both_give_the_look_ahead_of_the_exact_kernel_once_the_rank_suffices(rng):
    """Twelve inputs and as many landmarks: nothing is left out."""
    model = network("cnn")
    params = model.init(jax.random.key(0))
    x = rng.uniform(size=(12, 8, 7, 2))
    kernel = np.asarray(empirical_ntk(model.apply, params, x))
    outputs, y = np.asarray(model.apply(params, x)), np.eye(3)[[0, 1, 2]]
    exact = Lookahead.fit(
        kernel[:3, :3], kernel[3:, :3], kernel[3:, 3:], outputs[:3], outputs[3:], y, ridge=0.01
    )

    def column(i):
        return empirical_ntk(model.apply, params, x, x[i : i + 1])[:, 0]

    greedy = pivoted_cholesky(ntk_diagonal(model.apply, params, x), column, 12)[0]
    landmarks = nystrom(partial(empirical_ntk, model.apply, params), x)(x)
    for phi in (greedy, landmarks):
        np.testing.assert_allclose(np.asarray(phi) @ np.asarray(phi).T, kernel, atol=1e-8 * kernel.max())
        post = FactorLookahead.fit(phi[:3], phi[3:], outputs[:3], outputs[3:], y, ridge=0.01)
        np.testing.assert_allclose(mlmoc_norm(post), mlmoc_norm(exact), rtol=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rank": 0}, "rank: expected a whole number between 1 and 3, got 0"),
        ({"rank": 4}, "rank: expected a whole number between 1 and 3, got 4"),
        ({"tolerance": 1.0}, "tolerance: expected a share of the trace"),
        ({"diagonal": -np.ones(3)}, "diagonal: a kernel has none below zero"),
        ({"diagonal": np.eye(3)}, r"diagonal: expected shape \(any,\)"),
        ({"column": lambda i: np.ones(4)}, r"column\(0\): expected shape \(3,\), got \(4,\)"),
        ({"column": lambda i: np.full(3, np.nan)}, r"column\(0\): 3 of 3 entries are NaN"),
        ({"column": lambda i: 2 * np.ones(3)}, r"column\(0\): its entry 0 is 2, but the diagonal says 1"),
    ],
)
def test_bad_input_of_pivoted_cholesky_is_named(as_user, change, message):
    good = {"diagonal": np.ones(3), "column": lambda i: np.eye(3)[i], "rank": 2, "tolerance": 0.0}
    with pytest.raises(ValueError, match=message):
        pivoted_cholesky(**(good | change))


@pytest.mark.parametrize(
    ("kernel", "error", "message"),
    [
        (
            lambda x1, x2=None: np.triu(np.ones((2, 2))),
            ValueError,
            "kernel.landmarks.: a kernel matrix is sym",
        ),
        (lambda x1, x2=None: -np.eye(2), SingularKernelError, "eigenvalues run from -1 to -1"),
        (lambda x1, x2=None: np.zeros((2, 2)), SingularKernelError, "eigenvalues run from 0 to 0"),
        (lambda x1, x2=None: np.ones((2, 1)), ValueError, r"kernel.landmarks.: expected shape \(2, 2\)"),
    ],
)
def test_landmarks_without_a_kernel_are_refused(as_user, kernel, error, message):
    with pytest.raises(error, match=message):
        nystrom(kernel, np.ones((2, 3)))
    with pytest.raises(ValueError, match="batch_size: expected a whole number"):
        nystrom(gaussian, np.ones((2, 3)), batch_size=0)
