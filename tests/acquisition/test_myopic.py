import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from ntkal.acquisition import expected_error as entropy
from ntkal.acquisition import least_confident, margin, probabilities

outputs = arrays(np.float64, st.sampled_from([(1, 1), (5, 1), (1, 4), (3, 2)]), elements=st.floats(-1e6, 1e6))


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
        assert gap == pytest.approx((top[1] if len(top) > 1 else 0.0) - top[0])
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
