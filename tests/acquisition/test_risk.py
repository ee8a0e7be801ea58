import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import problem

from ntkal.acquisition import DecisionCost, Entropy, eer, expected_risk, probabilities

COSTS = np.array([[0.0, 1.0, 4.0, 0.5], [5.0, 0.0, 1.0, 0.5], [2.0, 9.0, 0.0, 0.5]])


def cheapest(outputs):
    """The least expected cost, row by row and decision by decision."""
    total = 0.0
    for row in outputs:
        q = np.maximum(row, 0)
        q = q / q.sum() if q.sum() > 0 else np.full(len(q), 1 / len(q))
        total += min(sum(q[j] * COSTS[j, a] for j in range(3)) for a in range(4))
    return total


def softmax_entropy(temperature):
    def risk(outputs):
        q = np.exp(outputs / temperature)
        q /= q.sum(axis=1, keepdims=True)
        return -np.sum(q * np.log(q))

    return risk


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 999),
    m=st.sampled_from([1, 2, 9]),
    ridge=st.sampled_from([0.0, 0.5]),
    risks=st.sampled_from([(DecisionCost(jnp.array(COSTS)), cheapest), (Entropy(0.3), softmax_entropy(0.3))]),
)
def test_the_expectation_is_that_of_refits_on_each_label(seed, m, ridge, risks):
    case = problem(seed=seed, m=m, ridge=ridge)
    probs = np.random.default_rng(seed).dirichlet(np.ones(3), size=m)
    want = [-sum(probs[c, k] * risks[1](case.refit([(c, np.eye(3)[k])])) for k in range(3)) for c in range(m)]
    np.testing.assert_allclose(expected_risk(case.fit(), probs, risks[0]), want, rtol=1e-8, atol=1e-10)


def test_with_temperature_one_it_is_expected_error_reduction(rng):
    post, probs = problem(m=12).fit(), rng.dirichlet(np.ones(3), size=12)
    np.testing.assert_allclose(expected_risk(post, probs, Entropy()), eer(post, probs), rtol=1e-10)


def test_a_cost_of_one_for_each_mistake_is_the_chance_of_a_mistake(rng):
    outputs = rng.normal(size=(20, 3))
    cost = DecisionCost(jnp.asarray(1 - np.eye(3)))
    probs = np.asarray(probabilities(outputs))
    np.testing.assert_allclose(cost(jnp.asarray(outputs)), 1 - probs.max(axis=1), atol=1e-12)
    np.testing.assert_array_equal(cost.decide(outputs), probs.argmax(axis=1))


def test_probabilities_that_do_not_fit_are_refused(as_user):
    post = problem().fit()
    with pytest.raises(ValueError, match=r"probs: expected shape \(9, 3\), got \(9, 2\)"):
        expected_risk(post, np.full((9, 2), 0.5), Entropy())
    with pytest.raises(ValueError, match="probs: rows must be probability vectors"):
        expected_risk(post, np.ones((9, 3)), Entropy())
