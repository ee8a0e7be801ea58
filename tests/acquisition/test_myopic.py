import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special, stats

from ntkal.acquisition import bald, entropy, least_confident, margin, probabilities

outputs = arrays(np.float64, st.sampled_from([(5, 3), (1, 4), (3, 2)]), elements=st.floats(-1e6, 1e6))


@given(outputs)
def test_probabilities_are_probabilities_and_keep_the_order_of_positive_outputs(f):
    probs = np.asarray(probabilities(f))
    np.testing.assert_allclose(probs.sum(axis=1), 1.0)
    assert probs.min() >= 0
    positive = f.max(axis=1) > 0
    np.testing.assert_array_equal(probs.argmax(axis=1)[positive], f.argmax(axis=1)[positive])
    np.testing.assert_allclose(probs[~positive], 1 / f.shape[1])


@given(outputs)
def test_scores_agree_with_their_definitions_one_row_at_a_time(f):
    probs = np.asarray(probabilities(f))
    for row, lc, gap, h in zip(probs, least_confident(probs), margin(probs), entropy(probs), strict=True):
        top = sorted(row, reverse=True)
        assert lc == pytest.approx(1 - top[0])
        assert gap == pytest.approx(top[1] - top[0])
        assert h == pytest.approx(stats.entropy(row), abs=1e-12)


def test_they_rank_three_classes_differently():
    probs = np.array([[0.5, 0.5, 0.0], [0.4, 0.3, 0.3]])
    assert np.argmax(margin(probs)) == 0
    assert np.argmax(entropy(probs)) == np.argmax(least_confident(probs)) == 1


@pytest.mark.parametrize("score", [least_confident, margin, entropy])
@pytest.mark.parametrize(
    ("probs", "message"),
    [
        (np.array([[0.6, 0.6]]), "row sums run from 1.2 to 1.2"),
        (np.array([[1.5, -0.5]]), "the smallest entry is -0.5"),
        (np.array([[np.nan, 1.0]]), "probs: 1 of 2 entries are NaN"),
        (np.ones(3), r"probs: expected shape \(any, any\)"),
    ],
)
def test_what_is_not_a_probability_is_refused(as_user, score, probs, message):
    with pytest.raises(ValueError, match=message):
        score(probs)


shapes = st.sampled_from([(1, 4, 3), (4, 2, 2), (3, 5, 4)])
positive = arrays(np.float64, shapes, elements=st.floats(1e-3, 1.0))


def normalised(array):
    return array / array.sum(axis=-1, keepdims=True)


@given(positive)
def test_it_is_the_mutual_information_of_label_and_model(raw):
    samples = normalised(raw)
    for score, rows in zip(bald(samples), samples.transpose(1, 0, 2), strict=True):
        joint = rows / len(rows)
        independent = np.outer(joint.sum(axis=1), joint.sum(axis=0))
        assert score == pytest.approx(np.sum(joint * np.log(joint / independent)), abs=1e-12)


@given(positive)
def test_it_lies_between_nothing_and_what_label_and_model_can_hold(raw):
    samples = normalised(raw)
    s, _, classes = samples.shape
    scores = np.asarray(bald(samples))
    assert scores.min() >= 0
    assert scores.max() <= min(np.log(s), np.log(classes)) + 1e-12


def test_noise_that_all_models_agree_on_scores_nothing_and_sure_disagreement_scores_all():
    coin = np.full((3, 1, 3), 1 / 3)
    quarrel = np.eye(3)[:, None, :]
    scores = np.asarray(bald(np.concatenate([coin, quarrel], axis=1)))
    np.testing.assert_allclose(scores, [0.0, np.log(3)], atol=1e-12)
    np.testing.assert_allclose(entropy(coin[0]), np.log(3))


def test_many_draws_approach_the_closed_form_of_a_beta_posterior(rng):
    a, b = 2.0, 3.0
    p = rng.beta(a, b, (40_000, 1))
    closed = stats.bernoulli(a / (a + b)).entropy() - (
        special.digamma(a + b + 1) - (a * special.digamma(a + 1) + b * special.digamma(b + 1)) / (a + b)
    )
    assert bald(np.stack([p, 1 - p], axis=2))[0] == pytest.approx(closed, abs=0.005)


def test_the_order_of_the_models_does_not_matter(rng):
    samples = rng.dirichlet(np.ones(3), (5, 7))
    np.testing.assert_allclose(bald(samples), bald(samples[::-1]), atol=1e-14)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.full((2, 3), 1 / 3), r"samples: expected shape \(any, any, any\)"),
        (np.full((2, 3, 2), 0.6), "samples: rows must be probability vectors.*row sums run from 1.2 to 1.2"),
        (np.array([[[1.5, -0.5]]]), "the smallest entry is -0.5"),
        (np.full((1, 1, 2), np.nan), "samples: 2 of 2 entries are NaN"),
        (np.ones((0, 2, 3)), "empty axis"),
    ],
)
def test_what_is_no_set_of_probabilities_is_refused(as_user, samples, message):
    with pytest.raises(ValueError, match=message):
        bald(samples)
