import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jax import tree_util
from problems import problem
from scipy import special, stats

from ntkal import Lookahead, acquisition, eer
from ntkal.acquisition import Entropy, PoolView, expected_risk, probabilities, risk
from ntkal.acquisition import candidates as blocks

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
@given(
    seed=st.integers(0, 999),
    m=st.sampled_from([1, 7]),
    classes=st.sampled_from([2, 5]),
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
    post = Lookahead(jnp.asarray(mean), jnp.asarray(cov), ridge=0.1)
    have = eer(post, probs, link="softmax")
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
    np.testing.assert_allclose(risk._by_sums(*block), risk._by_each_label(*block), rtol=1e-11)


def test_the_block_size_changes_no_score(monkeypatch):
    post = problem(m=23).fit()
    probs = probabilities(post.mean)
    whole = eer(post, probs)
    monkeypatch.setattr(blocks, "MEMORY", 8 * 23 * 3 * 5)
    np.testing.assert_allclose(eer(post, probs), whole, rtol=1e-13)


@pytest.mark.parametrize("link", LINKS)
def test_a_determined_candidate_leaves_the_pool_as_it_is(link):
    post = problem(ridge=0.0).with_copies().fit()
    now = -stats.entropy(LINKS[link](np.asarray(post.mean)), axis=1).sum()
    np.testing.assert_allclose(eer(post, probabilities(post.mean), link=link)[8], now)


def test_the_strategy_and_the_function_read_outputs_by_one_rule_and_by_the_other_when_told():
    post, rng = problem().fit(), np.random.default_rng(0)
    probs, view = probabilities(post.mean), PoolView(post.mean, post=post)
    np.testing.assert_array_equal(eer(post, probs), eer(post, probs, link="clip"))
    for options in ({}, {"link": "clip"}, {"link": "softmax"}):
        scores = acquisition.get("eer", **options).score(view, rng)
        np.testing.assert_array_equal(scores, eer(post, probs, **options))
    assert not np.allclose(eer(post, probs), eer(post, probs, link="softmax"))


def test_bad_input_is_named(as_user):
    post = problem().fit()
    with pytest.raises(ValueError, match="link: unknown 'sigmoid'.*; choose one of clip, softmax"):
        eer(post, probabilities(post.mean), link="sigmoid")
    with pytest.raises(ValueError, match=r"probs: expected shape \(9, 3\)"):
        eer(post, np.ones((9, 2)) / 2)


COSTS = np.array([[0.0, 1.0, 4.0, 0.5], [5.0, 0.0, 1.0, 0.5], [2.0, 9.0, 0.0, 0.5]])


def cheapest(outputs):
    """The least expected cost, row by row and decision by decision."""
    total = 0.0
    for row in outputs:
        q = np.maximum(row, 0)
        q = q / q.sum() if q.sum() > 0 else np.full(len(q), 1 / len(q))
        total += min(sum(q[j] * COSTS[j, a] for j in range(3)) for a in range(4))
    return total


def least_cost(costs):
    """The same as a JAX pytree that keeps the costs as an array of its own."""
    return tree_util.Partial(lambda c, f: jnp.min(probabilities(f) @ c, axis=-1), jnp.array(costs))


def softmax_entropy(temperature):
    def risk(outputs):
        q = np.exp(outputs / temperature)
        q /= q.sum(axis=1, keepdims=True)
        return -np.sum(q * np.log(q))

    return risk


@given(
    seed=st.integers(0, 999),
    m=st.sampled_from([1, 2, 9]),
    ridge=st.sampled_from([0.0, 0.5]),
    risks=st.sampled_from([(least_cost(COSTS), cheapest), (Entropy(0.3), softmax_entropy(0.3))]),
)
def test_the_expectation_is_that_of_refits_on_each_label(seed, m, ridge, risks):
    case = problem(seed=seed, m=m, ridge=ridge)
    probs = np.random.default_rng(seed).dirichlet(np.ones(3), size=m)
    want = [-sum(probs[c, k] * risks[1](case.refit([(c, np.eye(3)[k])])) for k in range(3)) for c in range(m)]
    np.testing.assert_allclose(expected_risk(case.fit(), probs, risks[0]), want, rtol=1e-8, atol=1e-10)


def test_with_temperature_one_it_is_expected_error_reduction(rng):
    post, probs = problem(m=12).fit(), rng.dirichlet(np.ones(3), size=12)
    np.testing.assert_allclose(
        expected_risk(post, probs, Entropy()), eer(post, probs, link="softmax"), rtol=1e-10
    )


def test_probabilities_that_do_not_fit_are_refused(as_user):
    post = problem().fit()
    with pytest.raises(ValueError, match=r"probs: expected shape \(9, 3\), got \(9, 2\)"):
        expected_risk(post, np.full((9, 2), 0.5), Entropy())
    with pytest.raises(ValueError, match="probs: rows must be probability vectors"):
        expected_risk(post, np.ones((9, 3)), Entropy())
