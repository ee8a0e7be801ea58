import importlib

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import problem
from scipy import special, stats

from ntkal import Lookahead, eer
from ntkal.acquisition import candidates as blocks
from ntkal.acquisition import probabilities

entropy = importlib.import_module("ntkal.acquisition.expected_error")
LINKS = {"softmax": lambda f: special.softmax(f, axis=1), "clip": lambda f: np.asarray(probabilities(f))}


def by_refitting(case, probs, link):
    """Minus the expected entropy, with one refit for each candidate and each of its labels."""
    m, classes = probs.shape
    return [
        -sum(
            probs[c, k] * stats.entropy(LINKS[link](case.refit([(c, np.eye(classes)[k])])), axis=1).sum()
            for k in range(classes)
        )
        for c in range(m)
    ]


@pytest.mark.parametrize("link", LINKS)
@settings(max_examples=12)
@given(
    seed=st.integers(0, 999),
    m=st.sampled_from([1, 7]),
    classes=st.sampled_from([1, 2, 5]),
    ridge=st.sampled_from([0.0, 0.5]),
)
def test_it_is_the_exact_expectation_over_all_labels(link, seed, m, classes, ridge):
    case = problem(seed, m=m, classes=classes, ridge=ridge)
    probs = np.asarray(probabilities(case.refit()))
    have = eer(case.fit(), probs, link=link)
    np.testing.assert_allclose(have, by_refitting(case, probs, link), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("scale", [1e-3, 0.3, 1.0, 3.0, 30.0, 300.0, 1e5])
def test_outputs_of_any_size_give_the_right_entropy_and_no_nan(scale):
    rng = np.random.default_rng(1)
    mean, root = scale * rng.normal(size=(6, 4)), rng.normal(size=(6, 6))
    cov, probs = root @ root.T, np.full((6, 4), 0.25)
    have = eer(Lookahead(jnp.asarray(mean), jnp.asarray(cov), ridge=0.1), probs)
    want = []
    for c in range(6):
        moved = [mean + np.outer(cov[:, c], np.eye(4)[k] - mean[c]) / (cov[c, c] + 0.1) for k in range(4)]
        want.append(-sum(stats.entropy(special.softmax(f, axis=1), axis=1).sum() / 4 for f in moved))
    np.testing.assert_allclose(have, want, rtol=1e-7, atol=1e-12)


def test_the_two_ways_agree_where_one_hands_over_to_the_other():
    rng = np.random.default_rng(0)
    mean, shift, at = -rng.uniform(0, 8.5, size=(5, 40)), rng.uniform(-1, 1, size=(3, 40)), np.zeros((3, 5))
    mean[0], mean[1], at[:, 2] = 0.0, -8.5, -1.0
    # The outputs of a point can be 8.5 apart, and a shift of 1 adds 1 as an output and 1 as a label.
    assert 10.5 < -0.3 * np.log(np.finfo(float).eps) < 11
    block = [jnp.asarray(a) for a in (mean, shift, at, rng.dirichlet(np.ones(5), size=3))]
    np.testing.assert_allclose(entropy._by_sums(*block), entropy._by_largest(*block), rtol=1e-11)


def test_the_block_size_changes_no_score(monkeypatch):
    post = problem(m=23).fit()
    probs = probabilities(post.mean)
    whole = eer(post, probs)
    monkeypatch.setattr(blocks, "MEMORY", 8 * 23 * 3 * 5)
    np.testing.assert_allclose(eer(post, probs), whole, rtol=1e-13)


def test_a_determined_candidate_leaves_the_pool_as_it_is():
    case = problem(ridge=0.0)
    twin = type(case)(case.phi_l, case.phi_l[:1], case.f_l, case.f_l[:1], case.y_l, 0.0)
    post = twin.fit()
    now = -stats.entropy(special.softmax(np.asarray(post.mean), axis=1), axis=1).sum()
    np.testing.assert_allclose(eer(post, probabilities(post.mean)), [now])


def test_bad_input_is_named(as_user):
    post = problem().fit()
    with pytest.raises(ValueError, match="link: unknown 'sigmoid'; choose one of clip, softmax"):
        eer(post, probabilities(post.mean), link="sigmoid")
    with pytest.raises(ValueError, match=r"probs: expected shape \(9, 3\)"):
        eer(post, np.ones((9, 2)) / 2)
