"""A hundred thousand classes by a single logit: nothing of the size m x m x C or C x C is ever made."""

import resource
import sys

import jax.numpy as jnp
import numpy as np
import pytest

from ntkal import Lookahead, acquisition, data, eer, emoc, empirical_ntk, mlmoc, mlmoc_norm
from ntkal.acquisition import sequential

CLASSES, M = 100_000, 60


@pytest.fixture(scope="module")
def post():
    rng = np.random.default_rng(0)
    phi = rng.normal(size=(M + 3, 80))
    kernel = phi @ phi.T
    f = 0.3 * rng.normal(size=(M + 3, CLASSES))
    labels = data.one_hot(rng.integers(CLASSES, size=3), CLASSES)
    return Lookahead.fit(kernel[:3, :3], kernel[3:, :3], kernel[3:, 3:], f[:3], f[3:], labels, ridge=0.1)


@pytest.fixture
def frugal():
    """The peak of this process's memory grows by less than m x m x C numbers, let alone C x C."""
    unit = 1 if sys.platform == "darwin" else 1024
    before = unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    grown = unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 8 * M * M * CLASSES / 2


def test_scores_of_output_change(post, frugal):
    probs = acquisition.probabilities(post.mean)
    norm, flips, expected = mlmoc_norm(post), mlmoc(post), emoc(post, probs)
    label = np.zeros(CLASSES)
    label[int(jnp.argmax(post.mean[7]))] = 1.0
    after = post.after(7, label)
    want = float(jnp.linalg.norm(after - post.mean, axis=1).sum())
    np.testing.assert_allclose(norm[7], want, rtol=1e-9)
    assert int(flips[7]) == int(jnp.sum(jnp.argmax(after, axis=1) != jnp.argmax(post.mean, axis=1)))
    # The distance to each one-hot label from its definition, class by class.
    row, p = np.asarray(post.mean[7]), np.asarray(probs[7])
    apart = np.sqrt((row**2).sum() - row**2 + (row - 1) ** 2)
    reach = float(jnp.abs(post.cov[:, 7]).sum() / (post.cov[7, 7] + 0.1))
    np.testing.assert_allclose(expected[7], (p * apart).sum() * reach, rtol=1e-9)


@pytest.mark.parametrize("link", ["softmax", "clip"])
def test_expected_error_reduction(post, frugal, link):
    few = Lookahead(post.mean[:3], post.cov[:3, :3], post.ridge, post.floor)
    probs = acquisition.probabilities(few.mean)
    scores = np.asarray(eer(few, probs, link=link))
    assert np.isfinite(scores).all()
    assert (scores <= 0).all()
    assert (scores >= -3 * np.log(CLASSES) - 1e-9).all()


def test_myopic_scores_batches_and_queries_one_by_one(post, frugal):
    probs = acquisition.probabilities(post.mean)
    for score in (acquisition.margin, acquisition.entropy, acquisition.least_confident):
        assert np.isfinite(np.asarray(score(probs))).all()
    assert len(acquisition.badge(probs, np.ones((M, 2)), 4, np.random.default_rng(0))) == 4
    picks = sequential.pick(acquisition.get("mlmoc_norm"), post, 3, np.random.default_rng(0))
    assert len(set(picks.tolist())) == 3


def test_the_kernel_of_a_single_logit(frugal):
    x = np.random.default_rng(0).normal(size=(5, 2))
    weights = jnp.ones((2, CLASSES))
    for logit in ("first", "mean", "sum", CLASSES - 1):
        kernel = empirical_ntk(lambda w, z: z @ w, weights, x, logit=logit)
        size = {"mean": 1 / CLASSES}.get(logit, 1.0)
        np.testing.assert_allclose(kernel, size * x @ x.T, rtol=1e-6)
