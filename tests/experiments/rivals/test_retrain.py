"""Retraining a block of candidates at once against the plain loop, in float64."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ntkal import models
from ntkal import training as train
from ntkal.acquisition.registry import best
from ntkal.experiments import rivals
from ntkal.experiments.rivals import retrain
from ntkal.experiments.rivals import situation as base
from ntkal.training.sgd import TrainConfig

SHAPE = (6, 6, 1)
SLOW = pytest.param("wide_resnet", marks=pytest.mark.slow)


@functools.cache
def small(name):
    """A small network; "batch_norm" is one hidden layer with it, which is compiled faster than a ResNet."""
    if name != "batch_norm":
        width = 8 if name == "mlp" else 4
        return models.get(name, input_shape=SHAPE, classes=3, width=width, dtype="float64")

    def init(key):
        a, b = (
            jax.random.normal(k, s) / 6 for k, s in zip(jax.random.split(key), ((36, 8), (8, 3)), strict=True)
        )
        return {"weights": {"a": a, "b": b}, "statistics": {"mean": jnp.zeros(8), "variance": jnp.ones(8)}}

    def layers(weights, x, mean, variance):
        return jax.nn.relu((x - mean[None]) / jnp.sqrt(variance + 0.1)[None]) @ weights["b"]

    def apply(params, x):
        hidden = jnp.reshape(x, (len(x), 36)) @ params["weights"]["a"]
        return layers(params["weights"], hidden, **params["statistics"])

    def train_apply(params, x):
        hidden = jnp.reshape(x, (len(x), 36)) @ params["weights"]["a"]
        now = {"mean": hidden.mean(axis=0), "variance": hidden.var(axis=0)}
        kept = jax.tree.map(lambda old, new: 0.9 * old + 0.1 * new, params["statistics"], now)
        return layers(params["weights"], hidden, **now), params | {"statistics": kept}

    return dataclasses.replace(small("mlp"), init=init, apply=jax.jit(apply), train_apply=train_apply)


def situation(name="mlp", n=9, m=5, **settings):
    rng = np.random.default_rng(1)
    model = small(name)
    x, y = rng.random((n + m, *SHAPE)), np.eye(3)[rng.integers(3, size=n)]
    config = TrainConfig(**({"steps": 20, "batch_size": 4, "learning_rate": 0.05} | settings))
    params, _ = train.fit(model, model.init(jax.random.key(0)), x[:n], y, config, jax.random.key(1))
    f = train.predict(model, params, x)
    return rivals.Situation(model, params, x[:n], y, x[n:], f[:n], f[n:], train=config, key=jax.random.key(2))


def with_candidate(case, label, c):
    """The labelled set with candidate c at its end."""
    return np.concatenate([case.x_l, case.x_p[c : c + 1]]), np.concatenate([case.y_l, label[c : c + 1]])


def loop_after(state, block=None):
    """The reference: one by one, by a plain loop over :func:`ntkal.training.fit`."""
    case = state.situation
    for c in range(len(case.x_p)):
        x, y = with_candidate(case, state.label, c)
        params, _ = train.fit(case.model, case.params, x, y, state.config, case.key)
        yield np.array([c]), train.predict(case.model, params, case.x_p)[None]


RETRAIN = rivals.get("retrain")
LOOP = dataclasses.replace(RETRAIN, name="loop", after=loop_after)


def outputs_of(rival, case, block=None):
    out = np.full((len(case.x_p), *case.f_p.shape), np.nan)
    for at, part in rival.after(rival.prepare(case), block):
        out[at] = part
    return out


@pytest.mark.parametrize(
    ("name", "augment"),
    [
        ("mlp", {}),
        ("mlp", {"shift": 1, "flip": True}),
        ("cnn", {}),
        ("batch_norm", {}),
        pytest.param("wide_resnet", {"shift": 1}, marks=pytest.mark.slow),
    ],
)
def test_a_block_at_once_is_the_plain_loop(name, augment):
    """Batches cross from epoch to epoch, so that one may hold the candidate twice."""
    case = situation(name, **augment, weight_decay=1e-3)
    want = outputs_of(LOOP, case)
    assert np.abs(want - case.f_p[None]).max() > 1e-2
    np.testing.assert_allclose(outputs_of(RETRAIN, case, block=2), want, rtol=1e-9, atol=1e-10)


def test_scores_and_picks_are_those_of_the_plain_loop():
    state = retrain.prepare(situation(m=9))
    have, want = (np.asarray(rivals.score(rival, state)) for rival in (RETRAIN, LOOP))
    np.testing.assert_allclose(have, want, rtol=1e-9)
    np.testing.assert_array_equal(best(have, 4), best(want, 4))


def test_running_statistics_of_batch_norm_move_with_the_candidate():
    case = situation("batch_norm")
    state = retrain.prepare(case)
    moved = retrain._train(state, np.arange(5))["statistics"]["mean"]
    for c in range(5):
        x, y = with_candidate(case, state.label, c)
        want, _ = train.fit(case.model, case.params, x, y, state.config, case.key)
        np.testing.assert_allclose(moved[c], want["statistics"]["mean"], rtol=1e-9)
    assert float(jnp.abs(moved - case.params["statistics"]["mean"][None]).min()) > 0
    assert float(jnp.abs(moved[0] - moved[1]).max()) > 1e-6


@pytest.mark.parametrize("epochs", [None, 3])
def test_retraining_is_fifteen_epochs_of_training_from_the_trained_parameters(epochs):
    case = situation(schedule="onecycle", epochs=epochs)
    config = dataclasses.replace(
        case.train, steps=38, epochs=None, schedule="constant", learning_rate=0.1 * 0.05
    )
    have = outputs_of(RETRAIN, case)
    for c in range(5):
        x, y = with_candidate(case, np.eye(3)[case.f_p.argmax(axis=1)], c)
        params, losses = train.fit(case.model, case.params, x, y, config, case.key)
        assert len(losses) == 38
        np.testing.assert_allclose(
            have[c], train.predict(case.model, params, case.x_p), rtol=1e-9, atol=1e-10
        )


def test_a_labelled_set_below_the_batch_size_is_used_whole():
    case = situation(batch_size=64)
    state = retrain.prepare(case)
    assert state.config.steps == 15
    np.testing.assert_allclose(outputs_of(RETRAIN, case), outputs_of(LOOP, case), rtol=1e-9, atol=1e-10)


def test_equal_candidates_get_equal_scores_because_they_share_their_batches():
    case = situation(m=5, shift=1)
    twins = dataclasses.replace(
        case, x_p=np.repeat(case.x_p[:2], [2, 3], axis=0), f_p=np.repeat(case.f_p[:2], [2, 3], axis=0)
    )
    scores = np.asarray(rivals.score(RETRAIN, retrain.prepare(twins), "mlmoc_norm", 1))
    assert len(np.unique(scores)) == 2
    other = dataclasses.replace(twins, key=jax.random.key(3))
    again = np.asarray(rivals.score(RETRAIN, retrain.prepare(other), "mlmoc_norm", 1))
    assert np.abs(again - scores).max() > 1e-6


def test_the_trained_parameters_survive():
    case = situation()
    before = jax.tree.map(np.array, case.params)
    outputs_of(RETRAIN, case)
    outputs_of(LOOP, case)
    jax.tree.map(np.testing.assert_array_equal, before, case.params)


@pytest.mark.parametrize("name", ["mlp", "cnn", SLOW])
def test_a_block_stays_below_the_stated_memory(name, monkeypatch):
    case = situation(name, m=300)
    monkeypatch.setattr(base, "MEMORY", 2**26)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    state = retrain.prepare(case)
    block = retrain.choose_block(state)
    assert 1 < block < 300
    weights, statistics = (
        jax.tree.map(lambda leaf: np.repeat(np.asarray(leaf)[None], block, axis=0), case.params[part])
        for part in ("weights", "statistics")
    )
    x, y = np.zeros((block, 4, *SHAPE)), np.zeros((block, 4, 3))
    step = retrain._of_several(train.train_step(case.model, state.config), (0, 0, 0, 0, 0, None), (0, 1, 2))
    program = step.lower(weights, statistics, weights, x, y, np.float64(0.1)).compile()
    assert program.memory_analysis().temp_size_in_bytes < 2**26
    program = retrain._of_several(case.model.apply, (0, None)).lower(
        {"weights": weights, "statistics": statistics}, case.x_p[: retrain.ROWS]
    )
    assert program.compile().memory_analysis().temp_size_in_bytes < 2**26


def test_pools_that_do_not_divide_into_rows(monkeypatch):
    case = situation(m=11)
    whole = outputs_of(LOOP, case)
    for rows in (4, 11):
        monkeypatch.setattr(retrain, "ROWS", rows)
        np.testing.assert_allclose(outputs_of(RETRAIN, case, block=11), whole, rtol=1e-9, atol=1e-10)


def test_divergence_and_a_missing_key_are_named(as_user):
    case = situation()
    wild = dataclasses.replace(case, train=dataclasses.replace(case.train, learning_rate=1e9))
    with pytest.raises(FloatingPointError, match="retrain: the outputs after 5 of 5 .*smaller learning rate"):
        rivals.score(RETRAIN, retrain.prepare(wild))
    with pytest.raises(ValueError, match="key: retraining draws batches"):
        retrain.prepare(dataclasses.replace(case, key=None))
