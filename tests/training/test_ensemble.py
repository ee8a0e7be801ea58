import jax
import numpy as np
import pytest

from ntkal import acquisition, models
from ntkal import training as train
from ntkal.training import ensemble
from ntkal.training.sgd import TrainConfig

CONFIG = TrainConfig(steps=60, learning_rate=0.05)


@pytest.fixture(scope="module")
def line():
    """Labels to the left and to the right, and a pool that reaches from there to where nobody knows."""
    x = np.concatenate([np.linspace(-1.2, -0.8, 8), np.linspace(0.8, 1.2, 8)])
    x = np.stack([x, np.zeros(16)], axis=1).astype(np.float32)
    y = np.eye(2)[(x[:, 0] > 0).astype(int)]
    pool = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, 2.0], [0.0, -2.0]], dtype=np.float32)
    return models.mlp((2,), 2, width=32), x, y, pool


def test_each_member_is_the_network_that_its_key_trains(line):
    model, x, y, pool = line
    keys = jax.random.split(jax.random.key(1), 2)
    said = ensemble.outputs(model, x, y, pool, CONFIG, keys)
    for key, member in zip(keys, said, strict=True):
        weights, batches = jax.random.split(key)
        params, _ = train.fit(model, model.init(weights), x, y, CONFIG, batches)
        np.testing.assert_array_equal(member, train.predict(model, params, pool))
    np.testing.assert_array_equal(said, ensemble.outputs(model, x, y, pool, CONFIG, list(keys)))


def test_the_classifier_can_be_the_first_member(line):
    model, x, y, pool = line
    keys = jax.random.split(jax.random.key(1), 2)
    first = np.arange(8.0).reshape(4, 2)
    said = ensemble.outputs(model, x, y, pool, CONFIG, keys[:1], first)
    assert said.shape == (2, 4, 2)
    np.testing.assert_array_equal(said[0], first)
    np.testing.assert_array_equal(said[1], ensemble.outputs(model, x, y, pool, CONFIG, keys)[0])


def test_members_disagree_where_no_label_is(line):
    keys = jax.random.split(jax.random.key(1), 4)
    said = ensemble.outputs(*line, CONFIG, keys)
    view = acquisition.PoolView(said[0], ensemble=said)
    scores = np.asarray(acquisition.get("bald").score(view, np.random.default_rng(0)))
    assert scores[2:].min() > 10 * scores[:2].max()


@pytest.mark.parametrize(
    ("members", "first", "message"),
    [
        (1, None, "keys: an ensemble needs at least two members, got 1; give more keys"),
        (0, np.zeros((4, 2)), "keys: an ensemble needs at least two members, got 1"),
        ("one", None, "keys: expected one key for each member"),
        (1, np.zeros((3, 2)), r"first: expected shape \(4, 2\), got \(3, 2\)"),
    ],
)
def test_too_few_members_and_outputs_of_another_pool_are_refused(line, members, first, message, as_user):
    keys = list(jax.random.split(jax.random.key(0), 2))[:members] if members != "one" else jax.random.key(0)
    with pytest.raises(ValueError, match=message):
        ensemble.outputs(*line, CONFIG, keys, first)
