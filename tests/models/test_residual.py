import jax
import jax.numpy as jnp
import numpy as np
import pytest
from networks import RESIDUAL, flat, make, moved, size

from ntkal import models


@pytest.mark.parametrize("name", RESIDUAL)
def test_no_gradient_reaches_the_statistics(name, rng):
    model = make(name)
    params = moved(model.init(jax.random.key(1)), rng)
    assert jax.tree.leaves(params["statistics"])
    x = rng.normal(size=(4, 8, 7, 2))
    gradient = jax.jit(jax.grad(lambda p: jnp.sum(model.apply(p, x) ** 2)))(params)
    assert all(np.all(leaf == 0) for leaf in jax.tree.leaves(gradient["statistics"]))
    assert any(np.any(leaf != 0) for leaf in jax.tree.leaves(gradient["weights"]))
    # They are constants, and they matter: other statistics give other outputs.
    other = params | {"statistics": moved(params["statistics"], rng)}
    assert np.abs(model.apply(other, x) - model.apply(params, x)).max() > 1e-3


@pytest.mark.parametrize("name", [pytest.param("resnet18", marks=pytest.mark.slow), "wide_resnet"])
def test_the_kernel_of_the_frozen_network_is_positive_semi_definite(name, rng):
    model = make(name)
    params = moved(model.init(jax.random.key(1)), rng)
    x = rng.normal(size=(4, 8, 7, 2))
    jacobian = jax.jit(jax.jacrev(lambda p: model.apply(p, x)[:, 0]))(params)
    rows = np.stack([flat(jax.tree.map(lambda leaf, i=i: np.asarray(leaf)[i], jacobian)) for i in range(4)])
    slope = jax.jit(jax.grad(lambda p, row: model.apply(p, row[None])[0, 0]))
    per_example = np.stack([flat(slope(params, row)) for row in x])
    np.testing.assert_allclose(rows, per_example, rtol=1e-9, atol=1e-12)
    values = np.linalg.eigvalsh(rows @ rows.T)
    assert values.min() > -1e-10 * values.max()
    # The batch's own statistics tie the examples together: one input changes the outputs of the others.
    other = np.concatenate([x[:3], -x[3:]])
    tied = [np.asarray(model.train_apply(params, batch)[0])[:3] for batch in (x, other)]
    assert np.abs(tied[0] - tied[1]).max() > 1e-2


@pytest.mark.parametrize("name", RESIDUAL)
def test_training_moves_statistics_towards_the_batch(name, rng):
    model = make(name)
    params = model.init(jax.random.key(1))
    x = rng.normal(size=(4, 8, 7, 2))
    outputs, after = model.train_apply(params, x)
    assert jax.tree.structure(after) == jax.tree.structure(params)
    same = jax.tree.map(np.array_equal, after["weights"], params["weights"])
    assert all(jax.tree.leaves(same))
    for _ in range(200):
        after = model.train_apply(after, x)[1]
    # Once the running statistics are those of this batch, both modes compute the same outputs.
    np.testing.assert_allclose(model.apply(after, x), outputs, rtol=1e-5, atol=1e-6)
    assert np.abs(model.apply(params, x) - outputs).max() > 1e-2


def test_the_last_stage_of_a_wide_resnet_is_what_its_last_norm_reads(rng):
    model = make("wide_resnet", input_shape=(1, 1, 2))  # one pixel: the mean over pixels is the pixel
    params = moved(model.init(jax.random.key(1)), rng)
    x = rng.normal(size=(5, 1, 1, 2))
    norm = {part: np.asarray(params["weights"][f"norm_{part}"])[None] for part in ("gain", "offset")}
    norm |= {part: np.asarray(params["statistics"][f"norm_{part}"])[None] for part in ("mean", "variance")}
    last = np.asarray(model.stages(params, x)[-1])
    by_hand = (last - norm["mean"]) / np.sqrt(norm["variance"] + 1e-5) * norm["gain"] + norm["offset"]
    np.testing.assert_allclose(model.features(params, x), np.maximum(by_hand, 0), rtol=1e-10, atol=1e-12)


def windows(x, kernel, stride, padding):
    """A convolution by its definition, one pixel at a time."""
    size = len(kernel)
    padded = np.pad(x, ((0, 0), *padding, (0, 0)))
    rows, columns = (
        (s + sum(pad) - size) // stride + 1 for s, pad in zip(x.shape[1:3], padding, strict=True)
    )
    out = np.zeros((len(x), rows, columns, kernel.shape[-1]))
    for i in range(rows):
        for j in range(columns):
            patch = padded[:, i * stride : i * stride + size, j * stride : j * stride + size]
            out[:, i, j] = np.tensordot(patch, kernel, 3)
    return out


class ByHand:
    """The layers of a residual network in NumPy, reading the same parameters."""

    def __init__(self, params):
        self.weights, self.statistics = jax.tree.map(np.asarray, (params["weights"], params["statistics"]))

    def norm(self, name, x):
        mean, variance = (self.statistics[f"{name}_{part}"] for part in ("mean", "variance"))
        gain, offset = (self.weights[f"{name}_{part}"] for part in ("gain", "offset"))
        scaled = (x - mean[None, None, None]) / np.sqrt(variance + 1e-5)[None, None, None]
        return gain[None, None, None] * scaled + offset[None, None, None]

    def conv(self, name, x, stride=1, centred=False):
        kernel = self.weights[f"{name}_kernel"]
        even = [max((-(-s // stride) - 1) * stride + len(kernel) - s, 0) for s in x.shape[1:3]]
        padding = [(len(kernel) // 2,) * 2] * 2 if centred else [(e // 2, e - e // 2) for e in even]
        out = windows(x, kernel, stride, padding)
        bias = self.weights.get(f"{name}_bias")
        return out if bias is None else out + bias[None, None, None]

    def readout(self, features):
        return features @ self.weights["readout_kernel"] + self.weights["readout_bias"][None]


def relu(x):
    return np.maximum(x, 0)


def resnet18_by_hand(net, x):
    x = relu(net.norm("norm", net.conv("stem", x, centred=True)))
    stages = []
    for group in range(4):
        for block in range(2):
            name, stride = f"group{group}_block{block}", 2 if group and not block else 1
            y = relu(net.norm(f"{name}_norm0", net.conv(f"{name}_conv0", x, stride, centred=True)))
            y = net.norm(f"{name}_norm1", net.conv(f"{name}_conv1", y, centred=True))
            if f"{name}_shortcut_kernel" in net.weights:
                x = x[:, ::stride, ::stride] @ net.weights[f"{name}_shortcut_kernel"][0, 0]
                x = net.norm(f"{name}_norm2", x)
            x = relu(x + y)
        stages.append(x.mean((1, 2)))
    return stages[-1], stages


def wide_resnet_by_hand(net, x):
    x = net.conv("stem", x)
    stages = []
    for group in range(3):
        name, stride = f"group{group}_block0", 2 if group else 1
        y = relu(net.norm(f"{name}_norm0", x))
        if group:
            x = net.conv(f"{name}_shortcut", y, stride)
        y = relu(net.norm(f"{name}_norm1", net.conv(f"{name}_conv0", y, stride)))
        x = x + net.conv(f"{name}_conv1", y)
        stages.append(x.mean((1, 2)))
    return relu(net.norm("norm", x)).mean((1, 2)), stages


@pytest.mark.parametrize(
    ("name", "by_hand"), [("resnet18", resnet18_by_hand), ("wide_resnet", wide_resnet_by_hand)]
)
def test_a_residual_network_by_hand(name, by_hand, rng):
    shape = (5, 6, 2)
    model = make(name, input_shape=shape)
    params = moved(model.init(jax.random.key(1)), rng)
    x = rng.normal(size=(2, *shape))
    net = ByHand(params)
    features, stages = by_hand(net, x)
    np.testing.assert_allclose(model.apply(params, x), net.readout(features), rtol=1e-10, atol=1e-12)
    for stage, expected in zip(model.stages(params, x), stages, strict=True):
        np.testing.assert_allclose(stage, expected, rtol=1e-10, atol=1e-12)


def conv(before, after, size=3, bias=1):
    return size**2 * before * after + bias * after


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("blocks", [1, 2])
@pytest.mark.parametrize("width", [4, 64, 160, 320, 640])
def test_the_size_of_a_wide_resnet(width, blocks, channels):
    total = conv(channels, width // 4)
    before = width // 4
    for group, after in enumerate((width // 4, width // 2, width)):
        for block in range(blocks):
            total += 2 * before + conv(before, after) + 2 * after + conv(after, after)
            if group > 0 and block == 0:
                total += conv(before, after)
            before = after
    total += 2 * width + width * 10 + 10
    model = models.wide_resnet((32, 32, channels), 10, width=width, blocks=blocks)
    assert size(model) == total
    params = jax.eval_shape(model.init, jax.random.key(0))
    stages = jax.eval_shape(
        model.train_stages, params, jax.ShapeDtypeStruct((2, 32, 32, channels), "float32")
    )[1]
    assert [stage.shape for stage in stages] == [(2, width // 4), (2, width // 2), (2, width)]


@pytest.mark.parametrize("width", [8, 64, 512])
def test_the_size_of_resnet18(width):
    total = conv(3, width // 8, bias=0) + 2 * (width // 8)
    before = width // 8
    for group in range(4):
        after = width // 8 * 2**group
        total += conv(before, after, bias=0) + 3 * conv(after, after, bias=0) + 4 * 2 * after
        if group > 0:
            total += conv(before, after, size=1, bias=0) + 2 * after
        before = after
    assert size(models.resnet18((32, 32, 3), 10, width=width)) == total + width * 10 + 10


def test_resnet18_has_its_published_size():
    assert size(models.resnet18((32, 32, 3), 10)) == 11_173_962
