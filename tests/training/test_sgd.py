import dataclasses
import gc
import json
import os
import subprocess
import sys
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
import pytest

from ntkal import data, models
from ntkal import training as train
from ntkal.training.sgd import TrainConfig


def linear_model():
    """Outputs x @ w, as a model: the squared loss then has a minimum that linear algebra can name."""

    def apply(params, x):
        return x @ params["weights"]["w"]

    def init(key):
        return {"weights": {"w": jnp.zeros((4, 2))}, "statistics": {}}

    return models.Model("linear", init, apply, lambda params, x: x, lambda p, x: (apply(p, x), p))


LINEAR = linear_model()


@pytest.fixture
def regression(rng):
    return rng.normal(size=(12, 4)), rng.normal(size=(12, 2))


def test_a_linear_model_trained_to_convergence_is_least_squares(regression):
    x, y = regression
    config = TrainConfig(steps=3000, batch_size=100, learning_rate=0.2, schedule="constant")
    params, losses = train.fit(LINEAR, LINEAR.init(None), x, y, config, jax.random.key(0))
    expected, residuals, *_ = np.linalg.lstsq(x, y)
    np.testing.assert_allclose(params["weights"]["w"], expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(losses[-1], residuals.sum() / 2 / len(x), rtol=1e-9)


def test_from_zero_an_underdetermined_model_finds_the_smallest_interpolant(regression):
    x, y = regression[0][:3], regression[1][:3]
    config = TrainConfig(steps=4000, batch_size=3, learning_rate=0.2, schedule="constant")
    params, _ = train.fit(LINEAR, LINEAR.init(None), x, y, config, jax.random.key(0))
    np.testing.assert_allclose(params["weights"]["w"], np.linalg.pinv(x) @ y, rtol=1e-7, atol=1e-8)


def test_weight_decay_is_ridge_regression(regression):
    x, y = regression
    config = TrainConfig(steps=3000, batch_size=100, learning_rate=0.2, schedule="constant", weight_decay=0.3)
    params, _ = train.fit(LINEAR, LINEAR.init(None), x, y, config, jax.random.key(0))
    ridge = np.linalg.solve(x.T @ x / len(x) + 0.3 * np.eye(4), x.T @ y / len(x))
    np.testing.assert_allclose(params["weights"]["w"], ridge, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("nesterov", [True, False])
def test_steps_are_optax_sgd(regression, nesterov):
    x, y = regression
    config = TrainConfig(steps=7, batch_size=100, learning_rate=0.1, nesterov=nesterov, weight_decay=0.01)
    params, losses = train.fit(LINEAR, LINEAR.init(None), x, y, config, jax.random.key(0))
    rates = config.rates()
    optimiser = optax.chain(
        optax.add_decayed_weights(0.01),
        optax.sgd(lambda step: jnp.asarray(rates)[step], momentum=0.9, nesterov=nesterov),
    )
    w = jnp.zeros((4, 2))
    state = optimiser.init(w)
    for loss in losses:
        here, gradient = jax.value_and_grad(lambda w: 0.5 * jnp.mean(jnp.sum((x @ w - y) ** 2, axis=1)))(w)
        np.testing.assert_allclose(loss, here, rtol=1e-12)
        updates, state = optimiser.update(gradient, state, w)
        w = optax.apply_updates(w, updates)
    np.testing.assert_allclose(params["weights"]["w"], w, rtol=1e-10)


def test_a_network_trains_to_zero_residual(rng):
    model = models.mlp((3,), 2, width=64, dtype="float64")
    x, y = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
    config = TrainConfig(steps=1500, learning_rate=0.05, schedule="constant")
    params, losses = train.fit(model, model.init(jax.random.key(0)), x, y, config, jax.random.key(1))
    assert losses.shape == (1500,)
    assert losses[-1] < 1e-12
    np.testing.assert_allclose(train.predict(model, params, x), y, atol=1e-5)


def test_digits_are_learnt():
    found = data.load("digits")
    model = models.mlp((8, 8, 1), 10, width=64, depth=1)
    config = TrainConfig(steps=150, batch_size=32, learning_rate=0.1)
    params = model.init(jax.random.key(0))
    before = train.accuracy(model, params, found.x_test, found.y_test)
    y = data.one_hot(found.y_train[:300], 10)
    params, _ = train.fit(model, params, found.x_train[:300], y, config, jax.random.key(1))
    assert before < 0.35
    assert train.accuracy(model, params, found.x_test, found.y_test) > 0.88


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(1)
    return rng.uniform(size=(10, 6, 5, 1)).astype(np.float32), np.eye(3)[np.arange(10) % 3]


def test_the_key_decides_every_byte(images):
    model = models.cnn((6, 5, 1), 3, width=4)
    params = model.init(jax.random.key(0))
    config = TrainConfig(steps=6, batch_size=4, shift=2)

    def trained(key):
        after, losses = train.fit(model, params, *images, config, key)
        return b"".join(np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(after)), losses.tobytes()

    assert trained(jax.random.key(1)) == trained(jax.random.key(1)) == trained(jax.random.PRNGKey(1))
    assert trained(jax.random.key(1)) != trained(jax.random.key(2))


def test_weights_decay_statistics_do_not_and_the_start_is_left_unchanged(images):
    model = models.wide_resnet((6, 5, 1), 3, width=4)
    params = model.init(jax.random.key(0))
    kept = jax.tree.map(np.array, params)
    config = TrainConfig(steps=1, batch_size=100, learning_rate=1e-6, weight_decay=1e5, schedule="constant")
    after, _ = train.fit(model, params, *images, config, jax.random.key(1))
    jax.tree.map(np.testing.assert_array_equal, params, kept)
    # Nesterov's first step takes a share 1e-6 * 1e5 * (1 + 0.9) of each weight.
    np.testing.assert_allclose(
        after["weights"]["readout_kernel"], (1 - 0.19) * kept["weights"]["readout_kernel"], atol=1e-4
    )
    moved = model.train_apply(params, images[0])[1]["statistics"]
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), after["statistics"], moved
    )
    assert np.abs(moved["norm_variance"] - kept["statistics"]["norm_variance"]).max() > 0.01


def test_prediction_does_not_depend_on_the_batch_size(images):
    model = models.cnn((6, 5, 1), 3, width=4)
    params = model.init(jax.random.key(0))
    whole = model.apply(params, images[0])
    for batch_size in (1, 3, 1000):
        out = train.predict(model, params, images[0], batch_size=batch_size)
        assert isinstance(out, np.ndarray)
        assert out.dtype == np.float32
        np.testing.assert_allclose(out, whole, rtol=1e-5, atol=1e-6)


def test_accuracy_counts_the_largest_outputs():
    x = np.eye(4)[[0, 1, 2, 3, 3]]
    params = {"weights": {"w": np.array([[1.0, 0], [1, 0], [0, 1], [0, 1]])}, "statistics": {}}
    assert train.accuracy(LINEAR, params, x, np.array([0, 1, 1, 1, 0])) == pytest.approx(3 / 5)


@pytest.mark.parametrize("steps", [1, 2, 3, 10, 1000])
def test_one_cycle_rises_to_the_peak_and_falls_to_zero(steps):
    rates = TrainConfig(steps=steps, learning_rate=0.7).rates()
    top = int(rates.argmax())
    assert rates.shape == (steps,)
    assert (rates > 0).all()
    assert (np.diff(rates[: top + 1]) > 0).all()
    assert (np.diff(rates[top:]) < 0).all()
    if steps == 1000:
        assert rates.max() == pytest.approx(0.7, rel=1e-4)
        assert top / steps == pytest.approx(0.3, abs=0.01)
        assert max(rates[0], rates[-1]) < 1e-4
    assert (TrainConfig(steps=steps, learning_rate=0.7, schedule="constant").rates() == 0.7).all()


def test_too_large_a_learning_rate_is_named(regression):
    config = TrainConfig(steps=400, batch_size=4, learning_rate=1e9)
    with pytest.raises(
        FloatingPointError, match="no longer finite after .* of 400 steps: .* rate 1000000000.0"
    ):
        train.fit(LINEAR, LINEAR.init(None), *regression, config, jax.random.key(0))


def test_progress_is_text_on_standard_error(regression, capsys):
    config = TrainConfig(steps=3, learning_rate=0.01)
    train.fit(LINEAR, LINEAR.init(None), *regression, config, jax.random.key(0))
    assert capsys.readouterr() == ("", "")
    train.fit(LINEAR, LINEAR.init(None), *regression, config, jax.random.key(0), progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "training" in err
    assert "/3 [" in err
    assert "loss=" in err


def test_numpy_numbers_become_pythons_own(as_user):
    given = {
        "steps": np.int64(3),
        "batch_size": np.uint8(2),
        "epochs": np.int32(2),
        "momentum": np.float64(0.5),
    }
    given |= {"shift": np.int64(1), "flip": np.True_, "zoom": np.float32(0.5)}
    config = TrainConfig(**given)
    kinds = [type(getattr(config, name)) for name in given]
    assert kinds == [int, int, int, float, int, bool, float]
    assert json.loads(json.dumps(dataclasses.asdict(config)))["epochs"] == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps: expected a whole number at least 1, got 0"),
        ({"steps": 1.5}, "steps: expected a whole number, got 1.5"),
        ({"batch_size": -2}, "batch_size: expected a whole number at least 1, got -2"),
        ({"learning_rate": 0.0}, "learning_rate: expected a positive number, got 0.0"),
        ({"learning_rate": float("nan")}, "learning_rate: expected a finite number of at least 0, got nan"),
        ({"momentum": 1.0}, "momentum: expected a number from 0 to below 1, got 1.0"),
        ({"weight_decay": -0.1}, "weight_decay: expected a finite number of at least 0, got -0.1"),
        ({"schedule": "cosine"}, "schedule: unknown 'cosine'; choose one of constant, onecycle"),
        ({"shift": -1}, "shift: expected a whole number at least 0, got -1"),
        ({"steps": True}, "steps: expected a whole number, got True"),
        ({"epochs": 2.0}, "epochs: expected a whole number, got 2.0"),
        ({"learning_rate": True}, "learning_rate: .* got True"),
        ({"momentum": False}, "momentum: .* got False"),
        ({"nesterov": 1}, "nesterov: expected True or False, got 1"),
    ],
)
def test_bad_settings_are_named(options, message, as_user):
    with pytest.raises(ValueError, match=message):
        TrainConfig(**options)


@pytest.mark.parametrize(
    ("x", "y", "options", "message"),
    [
        (
            np.ones((0, 4)),
            np.ones((0, 2)),
            {},
            r"x: expected inputs of shape \(n, ...\) with n >= 1, got \(0, 4\)",
        ),
        (
            np.ones((3, 4)),
            np.array([0, 1, 1]),
            {},
            r"y: expected label vectors of shape \(3, 2\), got \(3,\); .* np.eye\(2\)\[labels\]",
        ),
        (np.ones((3, 4)), np.ones((2, 2)), {}, r"y: expected shape \(3, 2\), got \(2, 2\)"),
        (np.ones((3, 4)), np.ones((3, 5)), {}, r"y: expected shape \(3, 2\), got \(3, 5\)"),
        (np.full((3, 4), np.nan), np.ones((3, 2)), {}, "x: 12 of 12 entries are NaN or infinite"),
        (np.ones((3, 4)), np.full((3, 2), np.inf), {}, "y: 6 of 6 entries are NaN or infinite"),
        (np.ones((3, 4)), np.ones((3, 2)), {"shift": 1}, "only images"),
    ],
)
def test_bad_data_are_named(x, y, options, message, as_user):
    with pytest.raises(ValueError, match=message):
        train.fit(LINEAR, LINEAR.init(None), x, y, TrainConfig(steps=1, **options), jax.random.key(0))


def test_bad_questions_are_named(as_user):
    params = LINEAR.init(None)
    with pytest.raises(ValueError, match="y: expected a label for each of the 3 inputs, got shape .2,."):
        train.accuracy(LINEAR, params, np.ones((3, 4)), np.array([0, 1]))
    with pytest.raises(ValueError, match="x: expected inputs of shape .* got .0, 4."):
        train.predict(LINEAR, params, np.ones((0, 4)))
    with pytest.raises(ValueError, match="batch_size: expected a whole number at least 1, got 0"):
        train.predict(LINEAR, params, np.ones((3, 4)), batch_size=0)


@pytest.mark.parametrize(
    "y",
    [
        np.arange(2) == np.arange(12)[:, None] % 2,
        pd.get_dummies(pd.Series(np.arange(12) % 2)),
        pd.DataFrame(np.eye(2, dtype=int)[np.arange(12) % 2]).astype("Int64"),
        np.eye(2, dtype=np.float32)[np.arange(12) % 2].tolist(),
    ],
    ids=["booleans", "get_dummies", "nullable", "lists"],
)
def test_label_vectors_as_people_have_them_train_the_same_network(y, regression, as_user):
    x, config = regression[0], TrainConfig(steps=3, batch_size=100)
    expected = train.fit(
        LINEAR, LINEAR.init(None), x, np.eye(2)[np.arange(12) % 2], config, jax.random.key(0)
    )
    found = train.fit(LINEAR, LINEAR.init(None), pd.DataFrame(x), y, config, jax.random.key(0))
    np.testing.assert_array_equal(found[0]["weights"]["w"], expected[0]["weights"]["w"])


def test_who_is_not_finite_is_named(regression, as_user):
    x, y = regression
    broken = {"weights": {"w": np.full((4, 2), np.nan)}, "statistics": {}}
    config, key = TrainConfig(steps=1), jax.random.key(0)
    with pytest.raises(ValueError, match="^params: 8 of 8 entries are NaN .* model.init"):
        train.fit(LINEAR, broken, x, y, config, key)
    with pytest.raises(ValueError, match="^params: 8 of 8 entries are NaN .* model.init"):
        train.predict(LINEAR, broken, x)
    with pytest.raises(ValueError, match="^x: 48 of 48 entries are NaN"):
        train.predict(LINEAR, LINEAR.init(None), x * np.nan)
    with pytest.raises(ValueError, match="^x: these inputs are too large"):
        train.predict(LINEAR, {"weights": {"w": jnp.full((4, 2), 1e200)}}, np.full((1, 4), 1e200))
    with pytest.raises(FloatingPointError, match="after 0 of 1 steps: inputs, targets or start parameters"):
        train.fit(LINEAR, LINEAR.init(None), x, y * 1e300, config, key)
    with pytest.raises(ValueError, match="^params: expected what linear.init"):
        train.fit(LINEAR, {"w": np.zeros((4, 2))}, x, y, config, key)


def test_one_output_has_targets_in_a_column_and_no_accuracy(regression, as_user):
    single = models.mlp((4,), 1, width=4, dtype="float64")
    params = single.init(jax.random.key(0))
    x, y = regression[0], regression[1][:, 0]
    with pytest.raises(
        ValueError, match=r"^y: expected targets of shape \(12, 1\), got \(12,\); give y\[:, None"
    ):
        train.fit(single, params, x, y, TrainConfig(steps=1), jax.random.key(0))
    with pytest.raises(ValueError, match="^model: it has one output"):
        train.accuracy(single, params, x, (y > 0).astype(int))


def test_accuracy_takes_labels_as_people_have_them_and_refuses_the_rest(as_user):
    x, params = np.eye(4), {"weights": {"w": np.array([[1.0, 0], [1, 0], [0, 1], [0, 1]])}, "statistics": {}}
    for y in ([0, 0, 1, 0], [False, False, True, False], pd.Series([0, 0, 1, 0], dtype="Int64")):
        assert train.accuracy(LINEAR, params, x, y) == 0.75
    for y, message in (
        (np.eye(2)[[0, 0, 1, 0]], "np.argmax"),
        ([0, 0, 2, 0], "labels run from 0 to 2"),
        (["a", "b", "a", "b"], "np.unique"),
    ):
        with pytest.raises(ValueError, match=f"^y: .*{message}"):
            train.accuracy(LINEAR, params, x, y)


def test_a_network_and_its_steps_are_forgotten_together(regression):
    """A network made anew in every cycle must not stay in memory with what was compiled for it."""
    model = linear_model()
    config = TrainConfig(steps=1)
    train.fit(model, model.init(None), *regression, config, jax.random.key(0))
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


def test_parameters_on_a_device_are_trained_there():
    program = """
import jax, numpy as np, ntkal
from ntkal import models, training
from ntkal.training import loss_prediction
here = jax.devices()[1]
model = models.mlp((2,), 2, width=4)
params = jax.device_put(model.init(jax.random.key(0)), here)
x, y, config = np.ones((4, 2)), np.eye(2)[[0, 1, 0, 1]], training.TrainConfig(steps=3)
after, _ = training.fit(model, params, x, y, config, jax.random.key(0))
both = loss_prediction.fit(model, params, x, y, config, jax.random.key(0))[:2]
assert {d for leaf in jax.tree.leaves((after, both[0])) for d in leaf.devices()} == {here}
assert model.apply(after, x).devices() == {here}
training.predict(model, after, x)
"""
    env = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    subprocess.run([sys.executable, "-c", program], env=env, check=True)
