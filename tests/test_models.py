import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ntkal import models

SMALL = {
    "mlp": {"input_shape": (3, 2), "width": 7, "depth": 2},
    "cnn": {"input_shape": (8, 7, 2), "width": 5},
    "wide_resnet": {"input_shape": (8, 7, 2), "width": 8},
}


def make(name, dtype="float64", **options):
    return models.get(name, **(SMALL[name] | {"classes": 3, "dtype": dtype} | options))


def moved(params, rng, by=0.3):
    """The parameters and running statistics, pushed away from where they start; variances stay positive."""
    return jax.tree.map(
        lambda leaf: np.asarray(leaf) + by * rng.uniform(0.1, 1.0, leaf.shape).astype(leaf.dtype), params
    )


def flat(tree):
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)])


@pytest.fixture(params=sorted(SMALL))
def name(request):
    return request.param


def test_every_family_is_listed():
    assert models.names() == tuple(sorted(SMALL))


@pytest.mark.parametrize(("dtype", "given"), [("float32", np.float64), ("float64", np.float32)])
def test_shapes_and_precision(name, dtype, given, rng):
    model = make(name, dtype)
    params = model.init(jax.random.key(0))
    assert set(params) == {"weights", "statistics"}
    x = rng.normal(size=(4, *SMALL[name]["input_shape"])).astype(given)
    for function, width in ((model.apply, 3), (model.features, SMALL[name]["width"])):
        assert function(params, x).shape == (4, width)
    for tree in (params, model.apply(params, x), model.features(params, x), model.train_apply(params, x)):
        assert {leaf.dtype for leaf in jax.tree.leaves(tree)} == {np.dtype(dtype)}


def test_the_key_decides_every_byte(name):
    model = make(name, "float32")
    first, again, other = (flat(model.init(jax.random.key(seed))) for seed in (5, 5, 6))
    assert first.tobytes() == again.tobytes()
    assert np.abs(first - other).max() > 0.1


def test_equal_arguments_give_the_same_model(name):
    assert make(name) is make(name)
    assert make(name) is make(name, input_shape=list(SMALL[name]["input_shape"]))
    assert make(name) is not make(name, width=4)
    assert make(name).name == name


def test_one_input_does_not_depend_on_the_others(name, rng):
    for dtype, tolerance in (("float32", 2e-6), ("float64", 1e-14)):
        model = make(name, dtype)
        params = moved(model.init(jax.random.key(1)), rng)
        x = rng.normal(size=(6, *SMALL[name]["input_shape"]))
        together = model.apply(params, x)
        alone = np.concatenate([model.apply(params, row[None]) for row in x])
        np.testing.assert_allclose(together, alone, rtol=tolerance, atol=tolerance * np.abs(alone).max())


def test_the_last_layer_is_affine_in_the_features(name, rng):
    model = make(name)
    params = moved(model.init(jax.random.key(1)), rng)
    x = rng.normal(size=(6, *SMALL[name]["input_shape"]))
    weights = params["weights"]
    by_hand = np.asarray(model.features(params, x)) @ weights["readout_kernel"] + weights[
        "readout_bias"
    ].reshape(1, -1)
    np.testing.assert_allclose(model.apply(params, x), by_hand, rtol=1e-12)


def test_no_gradient_reaches_the_statistics(rng):
    model = make("wide_resnet")
    params = moved(model.init(jax.random.key(1)), rng)
    assert jax.tree.leaves(params["statistics"])
    x = rng.normal(size=(3, 8, 7, 2))
    gradient = jax.jit(jax.grad(lambda p: jnp.sum(model.apply(p, x) ** 2)))(params)
    assert all(np.all(leaf == 0) for leaf in jax.tree.leaves(gradient["statistics"]))
    assert any(np.any(leaf != 0) for leaf in jax.tree.leaves(gradient["weights"]))
    # They are constants, and they matter: other statistics give other outputs.
    other = params | {"statistics": moved(params["statistics"], rng)}
    assert np.abs(model.apply(other, x) - model.apply(params, x)).max() > 1e-3


def test_the_kernel_of_the_frozen_network_is_positive_semi_definite(rng):
    model = make("wide_resnet")
    params = moved(model.init(jax.random.key(1)), rng)
    x = rng.normal(size=(6, 8, 7, 2))
    jacobian = jax.jit(jax.jacrev(lambda p: model.apply(p, x)[:, 0]))(params)
    rows = np.stack([flat(jax.tree.map(lambda leaf, i=i: np.asarray(leaf)[i], jacobian)) for i in range(6)])
    slope = jax.jit(jax.grad(lambda p, row: model.apply(p, row[None])[0, 0]))
    per_example = np.stack([flat(slope(params, row)) for row in x])
    np.testing.assert_allclose(rows, per_example, rtol=1e-9, atol=1e-12)
    values = np.linalg.eigvalsh(rows @ rows.T)
    assert values.min() > -1e-10 * values.max()
    # The batch's own statistics tie the examples together: one input changes the outputs of the others.
    other = np.concatenate([x[:5], -x[5:]])
    tied = [np.asarray(model.train_apply(params, batch)[0])[:5] for batch in (x, other)]
    assert np.abs(tied[0] - tied[1]).max() > 1e-2


def test_training_moves_statistics_towards_the_batch(rng):
    model = make("wide_resnet")
    params = model.init(jax.random.key(1))
    x = rng.normal(size=(40, 8, 7, 2))
    outputs, after = model.train_apply(params, x)
    assert jax.tree.structure(after) == jax.tree.structure(params)
    same = jax.tree.map(np.array_equal, after["weights"], params["weights"])
    assert all(jax.tree.leaves(same))
    for _ in range(200):
        after = model.train_apply(after, x)[1]
    # Once the running statistics are those of this batch, both modes compute the same outputs.
    np.testing.assert_allclose(model.apply(after, x), outputs, rtol=1e-6, atol=1e-8)
    assert np.abs(model.apply(params, x) - outputs).max() > 1e-2


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
    widths = {"mlp": [7, 7], "cnn": [5, 5, 5], "wide_resnet": [2, 4, 8]}[name]
    assert [stage.shape for stage in stages] == [(4, width) for width in widths]
    assert {stage.dtype for stage in stages} == {np.dtype("float64")}
    for stage, alone in zip(stages, model.stages(params, x[:1]), strict=True):  # no input sees another
        np.testing.assert_allclose(stage[:1], alone, rtol=1e-12)
    if name != "wide_resnet":
        np.testing.assert_allclose(stages[-1], model.features(params, x), rtol=1e-14)
    # The readout comes after every stage.
    other = params["weights"] | {"readout_kernel": 2 * params["weights"]["readout_kernel"]}
    again = model.stages(params | {"weights": other}, x)
    assert all(np.array_equal(a, b) for a, b in zip(stages, again, strict=True))


def test_the_last_stage_of_a_wide_resnet_is_what_its_last_norm_reads(rng):
    model = make("wide_resnet", input_shape=(1, 1, 2))  # one pixel: the mean over pixels is the pixel
    params = moved(model.init(jax.random.key(1)), rng)
    x = rng.normal(size=(5, 1, 1, 2))
    norm = {part: np.asarray(params["weights"][f"norm_{part}"])[None] for part in ("gain", "offset")}
    norm |= {part: np.asarray(params["statistics"][f"norm_{part}"])[None] for part in ("mean", "variance")}
    last = np.asarray(model.stages(params, x)[-1])
    by_hand = (last - norm["mean"]) / np.sqrt(norm["variance"] + 1e-5) * norm["gain"] + norm["offset"]
    np.testing.assert_allclose(model.features(params, x), np.maximum(by_hand, 0), rtol=1e-10, atol=1e-12)


def test_stages_in_training_come_from_the_same_pass(name, rng):
    model = make(name)
    params = moved(model.init(jax.random.key(1)), rng)
    x = rng.normal(size=(6, *SMALL[name]["input_shape"]))
    outputs, stages, after = model.train_stages(params, x)
    expected, expected_after = model.train_apply(params, x)
    np.testing.assert_allclose(outputs, expected, rtol=1e-12)
    np.testing.assert_allclose(flat(after), flat(expected_after), rtol=1e-12)
    frozen = model.stages(params, x)
    gaps = [np.abs(a - b).max() for a, b in zip(stages, frozen, strict=True)]
    assert max(gaps) < 1e-13 if name in ("cnn", "mlp") else min(gaps) > 1e-3


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
    x = rng.normal(size=(5, *SMALL[name]["input_shape"]))
    np.testing.assert_allclose(standard.apply(rescaled, x), ntk.apply(params, x), rtol=1e-12)
    # Both start by drawing the same normal numbers, so the same key gives the same function.
    np.testing.assert_allclose(
        standard.apply(standard.init(jax.random.key(2)), x), ntk.apply(params, x), rtol=1e-12
    )


def test_ntk_parameters_start_standard_normal():
    params = models.mlp((50,), 4, width=60, parameterization="ntk", dtype="float64").init(jax.random.key(0))
    kernel = params["weights"]["dense1_kernel"]
    assert kernel.shape == (60, 60)
    assert abs(kernel.mean()) < 0.05
    assert abs(kernel.std() - 1) < 0.05


def test_the_kernel_settles_with_width_in_the_ntk_parameterisation(rng):
    """With width, the kernel at the start varies less over seeds; with "standard" it grows."""
    x = rng.normal(size=(1, 4))

    def kernels(parameterization, width):
        model = models.mlp((4,), 1, width=width, depth=1, parameterization=parameterization, dtype="float64")
        slope = jax.grad(lambda p: model.apply(p, x)[0, 0])
        norm = jax.jit(lambda key: sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(slope(model.init(key)))))
        return np.asarray(jax.lax.map(norm, jax.random.split(jax.random.key(3), 40)))

    narrow, wide = kernels("ntk", 8), kernels("ntk", 512)
    assert wide.std() < 0.3 * narrow.std()
    assert 0.8 < wide.mean() / narrow.mean() < 1.25
    assert kernels("standard", 512).mean() > 10 * kernels("standard", 8).mean()


def test_a_network_without_hidden_layers_is_linear(rng):
    model = models.mlp((3,), 2, depth=0, dtype="float64")
    params = moved(model.init(jax.random.key(0)), rng)
    x = rng.normal(size=(4, 3))
    weights = params["weights"]
    by_hand = x @ np.asarray(weights["readout_kernel"]) + np.asarray(weights["readout_bias"])[None]
    np.testing.assert_allclose(model.apply(params, x), by_hand, rtol=1e-13)


def test_a_convolution_by_hand(rng):
    model = make("cnn")
    params = moved(model.init(jax.random.key(0)), rng)
    x = rng.normal(size=(1, 8, 7, 2))
    h = x
    for layer in range(3):
        kernel, bias = (np.asarray(params["weights"][f"conv{layer}_{part}"]) for part in ("kernel", "bias"))
        padded = np.pad(h, ((0, 0), (1, 1), (1, 1), (0, 0)))
        out = np.zeros((*h.shape[:3], 5))
        for row in range(h.shape[1]):
            for column in range(h.shape[2]):
                patch = padded[0, row : row + 3, column : column + 3]
                out[0, row, column] = np.tensordot(patch, kernel, 3) + bias
        h = np.maximum(out, 0)
        np.testing.assert_allclose(model.stages(params, x)[layer], h.mean((1, 2)), rtol=1e-12)
        if layer < 2:  # an odd last column is averaged with the border's zeros left out
            tall, broad = -(-h.shape[1] // 2), -(-h.shape[2] // 2)
            h = np.array(
                [
                    [
                        [h[0, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].mean((0, 1)) for j in range(broad)]
                        for i in range(tall)
                    ]
                ]
            )
    np.testing.assert_allclose(model.features(params, x), h.mean((1, 2)), rtol=1e-12)


def test_sizes_of_the_networks():
    def size(model):
        weights = jax.eval_shape(model.init, jax.random.key(0))["weights"]
        return sum(leaf.size for leaf in jax.tree.leaves(weights))

    assert size(models.cnn((28, 28, 1), 10)) == 19_146
    assert size(models.mlp((28, 28, 1), 10, width=100, depth=1)) == 784 * 100 + 100 + 100 * 10 + 10
    one, two = (models.wide_resnet((32, 32, 3), 10, width=640, blocks=blocks) for blocks in (1, 2))
    shapes = [jax.eval_shape(model.init, jax.random.key(0))["weights"] for model in (one, two)]
    assert max(leaf.shape[-1] for leaf in jax.tree.leaves(shapes[0])) == 640
    # A second block in each group: two more convolutions between equal widths.
    assert len([k for k in shapes[0] if k.endswith("conv0_kernel")]) == 3
    assert len([k for k in shapes[1] if k.endswith("conv1_kernel")]) == 6


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("resnet", {}, "name: unknown 'resnet'; choose one of cnn, mlp, wide_resnet"),
        ("mlp", {"depht": 3}, "mlp: unknown option 'depht'; choose among width, depth, activation"),
        ("mlp", {"width": 0}, "width: expected a whole number at least 1, got 0"),
        ("mlp", {"activation": "swish"}, "activation: unknown 'swish'"),
        ("cnn", {"parameterization": "mup"}, "parameterization: unknown 'mup'; choose one of ntk, standard"),
        ("cnn", {"sigma_w": 0.0}, "sigma_w: expected a positive number, got 0.0"),
        ("cnn", {"sigma_b": -1}, "sigma_b: expected a number that is not negative, got -1.0"),
        ("cnn", {"input_shape": (28, 28)}, "input_shape: cnn takes images"),
        ("mlp", {"input_shape": 4}, "input_shape: expected a tuple such as"),
        ("mlp", {"input_shape": ()}, "input_shape: expected at least one axis"),
        ("mlp", {"classes": 0}, "classes: expected a whole number at least 1, got 0"),
        ("wide_resnet", {"width": 30}, "width: expected a multiple of 4, .* got 30"),
        ("wide_resnet", {"blocks": 3}, "blocks: expected a whole number between 1 and 2, got 3"),
        ("mlp", {"dtype": "float16"}, "dtype: unknown 'float16'; choose one of float32, float64"),
    ],
)
def test_bad_options_are_named(name, options, message, as_user):
    with pytest.raises(ValueError, match=message):
        models.get(name, **({"input_shape": (8, 8, 1), "classes": 2} | options))


def test_inputs_of_another_shape_are_refused(name):
    model = make(name)
    params = model.init(jax.random.key(0))
    for shape in ((4, 5), (4, 9, 9, 9), SMALL[name]["input_shape"]):
        with pytest.raises(ValueError, match=f"x: expected inputs of shape .* for this {name}, got"):
            model.apply(params, np.zeros(shape))
