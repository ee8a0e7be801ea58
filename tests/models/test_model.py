import jax
import numpy as np
import pytest
from networks import SMALL, STAGES, flat, make, moved


@pytest.fixture(params=sorted(SMALL))
def name(request):
    return request.param


@pytest.mark.parametrize(("dtype", "given"), [("float32", np.float64), ("float64", np.float32)])
def test_shapes_and_precision(name, dtype, given):
    """By tracing alone: nothing is compiled."""
    model = make(name, dtype)
    params = jax.eval_shape(model.init, jax.random.key(0))
    assert set(params) == {"weights", "statistics"}
    x = jax.ShapeDtypeStruct((4, *SMALL[name]["input_shape"]), given)
    found = [jax.eval_shape(call, params, x) for call in (model.apply, model.features, model.train_apply)]
    assert [found[0].shape, found[1].shape] == [(4, 3), (4, SMALL[name]["width"])]
    assert {leaf.dtype for leaf in jax.tree.leaves((params, found))} == {np.dtype(dtype)}


def test_the_key_decides_every_byte(name):
    model = make(name, "float32")
    first, again, other = (flat(model.init(jax.random.key(seed))) for seed in (5, 5, 6))
    assert first.tobytes() == again.tobytes()
    assert np.abs(first - other).max() > 0.1


def test_equal_arguments_give_the_same_model(name):
    assert make(name) is make(name)
    assert make(name) is make(name, input_shape=list(SMALL[name]["input_shape"]))
    assert make(name) is not make(name, width=40)
    assert make(name).name == name


def test_one_input_does_not_depend_on_the_others(name, rng):
    for dtype, tolerance in (("float32", 2e-6), ("float64", 1e-14)):
        model = make(name, dtype)
        params = moved(model.init(jax.random.key(1)), rng)
        x = rng.normal(size=(4, *SMALL[name]["input_shape"]))
        together = model.apply(params, x)
        alone = np.concatenate([model.apply(params, row[None]) for row in x])
        np.testing.assert_allclose(together, alone, rtol=tolerance, atol=tolerance * np.abs(alone).max())


def test_the_last_layer_is_affine_in_the_features(name, rng):
    model = make(name)
    params = moved(model.init(jax.random.key(1)), rng)
    x = rng.normal(size=(4, *SMALL[name]["input_shape"]))
    weights = params["weights"]
    by_hand = np.asarray(model.features(params, x)) @ weights["readout_kernel"] + weights[
        "readout_bias"
    ].reshape(1, -1)
    np.testing.assert_allclose(model.apply(params, x), by_hand, rtol=1e-12)


@pytest.mark.parametrize("name", ["cnn", "mlp"])
def test_without_batch_norm_training_and_applying_agree(name, rng):
    model = make(name)
    params = model.init(jax.random.key(1))
    x = rng.normal(size=(4, *SMALL[name]["input_shape"]))
    outputs, after = model.train_apply(params, x)
    assert jax.tree.structure(after) == jax.tree.structure(params)
    np.testing.assert_array_equal(outputs, model.apply(params, x))


def test_stages_are_the_layers_in_order(name, rng):
    model = make(name)
    params = moved(model.init(jax.random.key(1)), rng)
    x = rng.normal(size=(4, *SMALL[name]["input_shape"]))
    stages = model.stages(params, x)
    assert [stage.shape for stage in stages] == [(4, width) for width in STAGES[name]]
    assert {stage.dtype for stage in stages} == {np.dtype("float64")}
    for stage, alone in zip(stages, model.stages(params, x[:1]), strict=True):  # no input sees another
        np.testing.assert_allclose(stage[:1], alone, rtol=1e-12)
    if name != "wide_resnet":
        np.testing.assert_allclose(stages[-1], model.features(params, x), rtol=1e-14)
    # The readout comes after every stage.
    other = params["weights"] | {"readout_kernel": 2 * params["weights"]["readout_kernel"]}
    again = model.stages(params | {"weights": other}, x)
    assert all(np.array_equal(a, b) for a, b in zip(stages, again, strict=True))


def test_stages_in_training_come_from_the_same_pass(name, rng):
    model = make(name)
    params = moved(model.init(jax.random.key(1)), rng)
    x = rng.normal(size=(4, *SMALL[name]["input_shape"]))
    outputs, stages, after = model.train_stages(params, x)
    expected, expected_after = model.train_apply(params, x)
    np.testing.assert_allclose(outputs, expected, rtol=1e-12)
    np.testing.assert_allclose(flat(after), flat(expected_after), rtol=1e-12)
    if name in ("cnn", "mlp"):
        expected = model.stages(params, x)
        assert all(np.array_equal(a, b) for a, b in zip(stages, expected, strict=True))
    if name != "wide_resnet":
        readout, bias = (params["weights"][f"readout_{part}"] for part in ("kernel", "bias"))
        np.testing.assert_allclose(outputs, np.asarray(stages[-1]) @ readout + bias[None], rtol=1e-10)
    else:
        assert np.abs(np.asarray(stages[-1]) - model.stages(params, x)[-1]).max() > 1e-3


@pytest.mark.parametrize("name", ["cnn", "mlp"])
def test_both_parameterisations_are_one_network(name, rng):
    """Rescaled parameters of the one are parameters of the other, and both start from one distribution."""
    scales = {"sigma_w": 1.3, "sigma_b": 0.4}
    standard, ntk = (make(name, parameterization=kind, **scales) for kind in ("standard", "ntk"))
    params = ntk.init(jax.random.key(2))

    def rescale(path, leaf):
        kernel = path[-1].key.endswith("kernel")
        return np.asarray(leaf) * (1.3 / np.sqrt(np.prod(leaf.shape[:-1])) if kernel else 0.4)

    rescaled = jax.tree_util.tree_map_with_path(rescale, params)
    x = rng.normal(size=(4, *SMALL[name]["input_shape"]))
    np.testing.assert_allclose(standard.apply(rescaled, x), ntk.apply(params, x), rtol=1e-12)
    # Both start by drawing the same normal numbers, so the same key gives the same function.
    np.testing.assert_allclose(
        standard.apply(standard.init(jax.random.key(2)), x), ntk.apply(params, x), rtol=1e-12
    )


def test_inputs_of_another_shape_are_refused(name):
    model = make(name)
    params = model.init(jax.random.key(0))
    for shape in ((4, 5), (4, 9, 9, 9), SMALL[name]["input_shape"]):
        with pytest.raises(ValueError, match=f"x: expected inputs of shape .* for this {name}, got"):
            model.apply(params, np.zeros(shape))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.ones((2, 3, 2)) * 1j, "x: expected real numbers, got an array of dtype complex128"),
        (np.ones((2, 3, 2), int), "x: expected floating-point inputs, got int64"),
        (np.full((2, 3, 2), "a"), "x: expected "),
    ],
)
def test_inputs_of_another_kind_are_refused(x, message, as_user):
    model = make("mlp")
    with pytest.raises(ValueError, match=message):
        model.apply(model.init(jax.random.key(0)), x)


def test_both_kinds_of_key_draw_the_same_weights_and_no_key_is_named(as_user):
    model = make("mlp")
    old, new = (flat(model.init(key)) for key in (jax.random.PRNGKey(4), jax.random.key(4)))
    np.testing.assert_array_equal(old, new)
    drawn = jax.vmap(model.init)(jax.random.split(jax.random.key(4), 2))
    np.testing.assert_array_equal(
        flat(jax.tree.map(lambda leaf: leaf[1], drawn)),
        flat(model.init(jax.random.split(jax.random.key(4), 2)[1])),
    )
    for key in (4, None, np.zeros(2), "4"):
        with pytest.raises(ValueError, match="^key: expected a JAX random key, such as jax.random.key"):
            model.init(key)
    with pytest.raises(ValueError, match="^key: expected one JAX random key, got 3 of them"):
        model.init(jax.random.split(jax.random.key(4), 3))


def test_a_double_precision_network_says_when_64_bit_mode_is_off():
    single, double = make("mlp", "float32"), make("mlp", "float64")
    params = single.init(jax.random.key(0)), double.init(jax.random.key(0))
    x = np.ones((2, 3, 2), np.float32)
    with jax.enable_x64(False):
        assert single.apply(params[0], x).dtype == np.float32
        for call in (lambda: double.apply(params[1], x), lambda: double.init(jax.random.key(0))):
            with pytest.raises(RuntimeError, match="64-bit mode is off"):
                call()
