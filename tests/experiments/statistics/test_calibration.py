import re

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
        (np.full((3, 2), 0.5), np.array([0, 1]), "y: expected one class for each of 3 inputs, got 2"),
        (np.full((3, 2), 0.5), np.array([0]), "y: expected one class for each of 3 inputs, got 1"),
        (np.full((2, 2), 0.5), np.array([0, 2]), "y: labels run from 0 to 2; with C=2"),
        (np.ones((2, 2)), np.array([0, 1]), "probs: rows must be probability vectors"),
        (np.full((2, 2), 0.5), np.eye(2), r"got \(2, 2\). np.argmax\(labels, axis=1\) makes them"),
        (np.full((2, 2), 0.5), np.array([0.0, 1.0]), r"y: expected whole-number .* by .astype\(int\)"),
        (np.full((2, 2), 0.5), pd.array([0, None]), "y: expected whole-number .* 1 are missing"),
    ],
)
def test_what_is_not_probabilities_and_classes_is_refused(probs, y, message, as_user):
    with pytest.raises(ValueError, match=message):
        reliability(probs, y)


@pytest.mark.parametrize("kind", [bool, "int8", "Int64", "boolean"])
def test_classes_may_be_booleans_or_of_pandas_own_types(kind, rng):
    outputs = rng.normal(size=(40, 2))
    y = (outputs[:, 1] + rng.normal(size=40) > outputs[:, 0]).astype(int)
    other = np.asarray(pd.Series(y).astype(kind))
    assert temperature(outputs, other) == temperature(outputs, y)
    probs = softmax(outputs, axis=1)
    assert expected_calibration_error(probs, other) == expected_calibration_error(probs, y)


@pytest.mark.parametrize("shape", [(40,), (40, 1)])
def test_one_column_is_refused_with_what_makes_two_of_it(shape, rng, as_user):
    """What the message says to do does it."""
    p, f = rng.uniform(size=shape), rng.normal(size=shape)
    y = (rng.uniform(size=40) < p.ravel()).astype(int)
    for call, name, column in (
        (expected_calibration_error, "probs", p),
        (reliability, "probs", p.tolist() if p.ndim == 2 else p),
        (temperature, "outputs", f),
    ):
        with pytest.raises(ValueError, match=f"{name}: one column is no choice of class; give") as told:
            call(column, y)
        advice = re.search(r"np\.column_stack\(.*\)", str(told.value))[0]
        both = eval(advice, {"np": np, "p": p, "f": f})
        assert both.shape == (40, 2)
        call(both, y)
    right = np.where(p.ravel() > 0.5, y, 1 - y)
    table = reliability(np.column_stack([1 - p, p]), y, bins=1)
    assert table["accuracy"][0] == pytest.approx(right.mean())
