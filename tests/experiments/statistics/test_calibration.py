import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from ntkal.experiments.statistics.calibration import expected_calibration_error, reliability, temperature


@pytest.fixture
def case(rng):
    outputs = rng.normal(size=(200, 4))
    truth = np.array([rng.choice(4, p=p) for p in softmax(outputs / 0.4, axis=1)])
    return outputs, truth


def test_each_bin_holds_the_confidences_between_its_ends(case):
    probs, y = softmax(case[0], axis=1), case[1]
    table = reliability(probs, y, bins=7)
    confidence, right = probs.max(axis=1), probs.argmax(axis=1) == y
    for row in table.itertuples():
        inside = (confidence > row.low) & (confidence <= row.high)
        assert row.count == inside.sum()
        if inside.any():
            np.testing.assert_allclose(row.confidence, confidence[inside].mean())
            np.testing.assert_allclose(row.accuracy, right[inside].mean())
        else:
            assert np.isnan([row.confidence, row.accuracy]).all()
    assert table["count"].sum() == 200


def test_the_error_is_the_mean_gap_over_inputs(case):
    probs, y = softmax(case[0], axis=1), case[1]
    confidence, right = probs.max(axis=1), probs.argmax(axis=1) == y
    place = np.ceil(confidence * 10).astype(int)
    want = sum(abs(right[place == b].sum() - confidence[place == b].sum()) for b in np.unique(place)) / len(y)
    assert expected_calibration_error(probs, y) == pytest.approx(want, rel=1e-12)
    assert expected_calibration_error(np.eye(4)[y], y) == 0


def test_a_confidence_on_a_border_belongs_to_the_bin_below():
    table = reliability(np.array([[0.6, 0.4], [1.0, 0.0]]), np.array([0, 0]), bins=5)
    assert table["count"].tolist() == [0, 0, 1, 0, 1]


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_the_temperature_minimises_the_negative_log_likelihood(case, scale):
    outputs, y = case[0] * scale, case[1]

    def loss(log_t):
        return -np.mean(np.log(softmax(outputs / np.exp(log_t), axis=1)[np.arange(len(y)), y] + 1e-300))

    t = temperature(outputs, y)
    best = minimize_scalar(loss, bracket=(np.log(scale) - 2, np.log(scale) + 1)).x
    assert np.log(t) == pytest.approx(best, abs=1e-5)
    assert 0.2 < t / scale < 0.8  # labels were drawn at 0.4


def test_an_offset_of_all_outputs_of_an_input_changes_nothing(case, rng):
    outputs, y = case
    moved = outputs + 100 * rng.normal(size=(200, 1))
    assert temperature(moved, y) == pytest.approx(temperature(outputs, y), rel=1e-8)


def test_labels_without_a_finite_best_temperature_are_refused(as_user):
    outputs = np.array([[1.0, 0.0], [0.0, 2.0]])
    with pytest.raises(ValueError, match="outputs: every prediction is right"):
        temperature(outputs, np.array([0, 1]))
    with pytest.raises(ValueError, match="no more output than the average class"):
        temperature(outputs, np.array([1, 0]))
    with pytest.raises(ValueError, match="outputs:"):
        temperature(np.zeros((2, 2)), np.array([0, 1]))


@pytest.mark.parametrize(
    ("probs", "y", "message"),
    [
        (
            np.full((3, 2), 0.5),
            np.array([0, 1]),
            r"y: expected one class for each of 3 inputs, got shape \(2,\)",
        ),
        (np.full((2, 2), 0.5), np.array([0, 2]), "y: expected classes from 0 to 1, got 0 to 2"),
        (np.ones((2, 2)), np.array([0, 1]), "probs: rows must be probability vectors"),
        (np.ones((2, 1)), np.array([0, 0]), "probs: expected two or more classes, got 1 output"),
        (np.full((2, 2), 0.5), np.eye(2), r"got shape \(2, 2\); of label vectors, give .argmax"),
        (np.full((2, 2), 0.5), np.array([0, 0.5]), "y: expected classes from 0 to 1, got 0 to 0.5"),
        (np.full((2, 2), 0.5), pd.array([0, None]), "y: 1 of 2 entries are NaN"),
    ],
)
def test_what_is_not_probabilities_and_classes_is_refused(probs, y, message, as_user):
    with pytest.raises(ValueError, match=message):
        reliability(probs, y)


@pytest.mark.parametrize("kind", [bool, float, "Int64", "boolean"])
def test_classes_may_be_booleans_or_of_pandas_own_types(kind, rng):
    outputs = rng.normal(size=(40, 2))
    y = (outputs[:, 1] + rng.normal(size=40) > outputs[:, 0]).astype(int)
    other = pd.Series(y).astype(kind) if isinstance(kind, str) else y.astype(kind)
    assert temperature(outputs, np.asarray(other)) == temperature(outputs, y)
    probs = softmax(outputs, axis=1)
    assert expected_calibration_error(probs, np.asarray(other)) == expected_calibration_error(probs, y)


def test_a_single_output_has_no_temperature(as_user):
    with pytest.raises(ValueError, match="outputs: one column is no choice between classes"):
        temperature(np.ones((3, 1)), np.zeros(3, int))
