import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from ntkal import models
from ntkal import training as train
from ntkal.training import loss_prediction
from ntkal.training.sgd import TrainConfig

MODELS = {
    "mlp": models.mlp((6, 5, 1), 3, width=16),
    "cnn": models.cnn((6, 5, 1), 3, width=4),
    "wide_resnet": models.wide_resnet((6, 5, 1), 3, width=4),
}
CONFIG = TrainConfig(steps=6, batch_size=5, learning_rate=0.02, shift=1, weight_decay=1e-2)


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(1)
    return rng.uniform(size=(13, 6, 5, 1)).astype(np.float32), np.eye(3)[np.arange(13) % 3]


def fitted(name, images, config=CONFIG, key=1, **options):
    model = MODELS[name]
    start = model.init(jax.random.key(0))
    return loss_prediction.fit(model, start, *images, config, jax.random.key(key), **options)


def bytes_of(*trees):
    return b"".join(np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(trees))


def by_loop(predicted, true, margin):
    pairs = len(true) // 2
    total = 0.0
    for i in range(pairs):
        j = pairs + i
        sign = 1.0 if true[i] > true[j] else -1.0
        total += max(0.0, margin - sign * (predicted[i] - predicted[j]))
    return total / pairs if pairs else 0.0


@pytest.mark.parametrize("size", [1, 2, 3, 8, 9])
@pytest.mark.parametrize("margin", [0.3, 1.0])
def test_the_ranking_loss_is_the_papers_loop_over_pairs(size, margin, rng):
    for _ in range(5):
        predicted, true = rng.normal(size=size), rng.integers(0, 3, size).astype(float)
        expected = by_loop(predicted, true, margin)
        assert loss_prediction.ranking_loss(predicted, true, margin) == pytest.approx(expected, abs=1e-14)


def test_losses_of_two_shapes_are_not_ranked(as_user):
    assert loss_prediction.ranking_loss([3.0, 0.0], [1.0, 2.0]) == 4.0
    for predicted, true in (
        (np.ones(4), np.ones((4, 1))),
        (np.ones(4), np.ones(3)),
        (np.ones((4, 1)), np.ones((4, 1))),
    ):
        with pytest.raises(ValueError, match="^true: expected losses of one shape"):
            loss_prediction.ranking_loss(predicted, true)


def test_no_gradient_flows_through_the_true_losses(rng):
    predicted, true = jnp.asarray(rng.normal(size=8)), jnp.asarray(rng.normal(size=8))
    by_predicted, by_true = jax.grad(loss_prediction.ranking_loss, argnums=(0, 1))(predicted, true)
    assert np.abs(by_predicted).max() > 0
    assert (by_true == 0).all()


@pytest.mark.parametrize("name", ["mlp", "cnn", pytest.param("wide_resnet", marks=pytest.mark.slow)])
def test_where_the_ranking_does_not_reach_it_the_network_is_that_of_train_fit(name, images):
    start = MODELS[name].init(jax.random.key(0))
    expected, losses = train.fit(MODELS[name], start, *images, CONFIG, jax.random.key(1))
    for options in ({"weight": 0.0}, {"detach": 0.0}):
        params, _, both = fitted(name, images, **options)
        assert bytes_of(params) == bytes_of(expected)
        np.testing.assert_allclose(both[:, 0], losses, rtol=1e-6)
    assert bytes_of(fitted(name, images)[0]) != bytes_of(expected)
    assert bytes_of(start) == bytes_of(MODELS[name].init(jax.random.key(0)))


def test_a_step_descends_the_joint_loss(images):
    """One step of plain gradient descent against the gradient of the loss written out, in float64."""
    model = models.mlp((6, 5, 1), 3, width=16, dtype="float64")
    config = TrainConfig(steps=1, batch_size=13, learning_rate=0.1, momentum=0.0, schedule="constant")
    start = model.init(jax.random.key(0))
    options = {"weight": 0.7, "margin": 0.4, "width": 8}
    fresh = TrainConfig(steps=1, batch_size=13, learning_rate=1e-300, momentum=0.0, schedule="constant")
    module = loss_prediction.fit(model, start, *images, fresh, jax.random.key(1), **options)[1]
    rng = np.random.default_rng(jax.random.key_data(jax.random.key(1)).tolist())
    order = rng.permutation(13)
    x, y = (array[order] for array in images)

    def joint(weights, module):
        each = 0.5 * jnp.sum((model.apply({"weights": weights, "statistics": {}}, x) - y) ** 2, axis=1)
        stages = model.stages({"weights": weights, "statistics": {}}, x)
        predicted = 0.0
        for k, (stage, layer) in enumerate(zip(stages, module["layers"], strict=True)):
            hidden = jax.nn.relu(stage @ layer["kernel"] + layer["bias"][None])
            predicted += hidden @ module["readout"][8 * k : 8 * k + 8, 0]
        sign = jnp.where(each[:6] > each[6:12], 1.0, -1.0)
        ranking = jnp.mean(jax.nn.relu(0.4 - sign * (predicted[:6] - predicted[6:12])))
        return jnp.mean(each) + 0.7 * ranking

    value, (by_weights, by_module) = jax.jit(jax.value_and_grad(joint, argnums=(0, 1)))(
        start["weights"], module
    )
    params, after, losses = loss_prediction.fit(
        model, start, *images, config, jax.random.key(1), detach=1.0, **options
    )
    for end, begin, slope in (
        (params["weights"], start["weights"], by_weights),
        (after, module, by_module),
    ):
        jax.tree.map(
            lambda e, b, g: np.testing.assert_allclose(e, b - 0.1 * g, rtol=1e-10, atol=1e-12),
            end,
            begin,
            slope,
        )
    assert losses[0] @ [1, 0.7] == pytest.approx(float(value), rel=1e-12)


def test_after_the_given_fraction_only_the_module_learns_from_the_ranking(images):
    """Six steps of which half may reach the network: its last three are steps of train.fit."""
    plain = TrainConfig(steps=6, batch_size=13, learning_rate=0.02, momentum=0.0, schedule="constant")
    short = TrainConfig(steps=3, batch_size=13, learning_rate=0.02, momentum=0.0, schedule="constant")
    model = MODELS["mlp"]
    half, module, _ = fitted("mlp", images, plain, detach=0.5)
    whole, *_ = fitted("mlp", images, plain, detach=1.0)
    early, early_module, _ = fitted("mlp", images, short, detach=1.0)
    # The batch is the whole set, so its order, the only draw, moves sums by rounding alone.
    expected, _ = train.fit(model, early, *images, short, jax.random.key(5))
    assert max_difference(half, expected) < 1e-5 < 1e-3 < max_difference(half, whole)
    assert max_difference(module, early_module) > 1e-3


def max_difference(a, b):
    return max(
        float(np.abs(u - v).max()) for u, v in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    )


def test_the_module_learns_where_the_losses_are_large():
    """Labels right of zero are coins, left of it they are sure: the losses there differ, and can be known."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (600, 2)).astype(np.float32)
    labels = np.where(x[:, 0] > 0, rng.integers(0, 2, 600), 0)
    model = models.mlp((2,), 2, width=32, depth=2)
    config = TrainConfig(steps=400, batch_size=64, learning_rate=0.02)
    params, module, losses = loss_prediction.fit(
        model, model.init(jax.random.key(0)), x[:400], np.eye(2)[labels[:400]], config, jax.random.key(1)
    )
    predicted = loss_prediction.predict(model, params, module, x[400:])
    expected_loss = np.clip(x[400:, 0], 0, None) > 0
    assert stats.spearmanr(predicted, expected_loss).statistic > 0.7
    outputs = train.predict(model, params, x[400:])
    true = 0.5 * ((outputs - np.eye(2)[labels[400:]]) ** 2).sum(axis=1)
    assert stats.spearmanr(predicted, true).statistic > 0.7
    assert losses[-50:, 1].mean() < 0.8 * losses[:50, 1].mean()


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_the_key_decides_every_byte(name, images):
    first = bytes_of(fitted(name, images))
    assert first == bytes_of(fitted(name, images))
    assert first != bytes_of(fitted(name, images, key=2))


def test_predictions_do_not_depend_on_the_batch_size(images):
    params, module, _ = fitted("cnn", images)
    whole = loss_prediction.predict(MODELS["cnn"], params, module, images[0])
    assert whole.shape == (13,)
    assert whole.dtype == np.float32
    assert np.ptp(whole) > 0
    parts = loss_prediction.predict(MODELS["cnn"], params, module, images[0], batch_size=4)
    np.testing.assert_allclose(parts, whole, rtol=1e-5, atol=1e-6)


def test_divergence_is_named(images):
    config = TrainConfig(steps=150, batch_size=4, learning_rate=1e9)
    with pytest.raises(
        FloatingPointError, match="no longer finite after .* of 150 steps: .* rate 1000000000"
    ):
        fitted("mlp", images, config)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight": -1.0}, "weight: expected a finite number of at least 0, got -1.0"),
        ({"weight": float("nan")}, "weight: expected a finite number of at least 0, got nan"),
        ({"margin": 0.0}, "margin: expected a positive number, got 0.0"),
        ({"detach": 1.5}, "detach: .*between 0 and 1, got 1.5"),
        ({"detach": True}, "detach: .* got True"),
        ({"width": True}, "width: expected a whole number, got True"),
        ({"width": 0}, "width: expected a whole number at least 1, got 0"),
        ({"config": TrainConfig(batch_size=1)}, "batch_size: 1 of 13 inputs make no pairs"),
    ],
)
def test_bad_numbers_are_named(images, options, message, as_user):
    with pytest.raises(ValueError, match=message):
        fitted("mlp", images, **options)


def test_a_network_without_stages_and_bad_data_are_refused(images, as_user):
    linear = models.mlp((6, 5, 1), 3, depth=0)
    with pytest.raises(ValueError, match="model: mlp has no stages for the module to read"):
        loss_prediction.fit(linear, linear.init(jax.random.key(0)), *images, CONFIG, jax.random.key(0))
    with pytest.raises(ValueError, match=r"y: expected shape \(13, 3\), got \(12, 3\)"):
        fitted("mlp", (images[0], images[1][:12]))
    with pytest.raises(ValueError, match="batch_size: 5 of 1 inputs make no pairs"):
        fitted("mlp", (images[0][:1], images[1][:1]))
