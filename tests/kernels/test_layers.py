import jax
import jax.numpy as jnp
import networks
import numpy as np
import pytest
from jax import lax
from jax.flatten_util import ravel_pytree

from ntkal import empirical_ntk
from ntkal.kernels import empirical, gradients
from ntkal.kernels.layers import layers
from ntkal.kernels.network import read_parameters, trace_network
from ntkal.kernels.program import Program

WEIGHTS = {"first": [1, 0, 0], "mean": [1 / 3] * 3, "sum": [3**-0.5] * 3}
FAMILIES = [
    ("mlp", {"parameterization": "standard"}),
    ("mlp", {"parameterization": "ntk"}),
    ("mlp", {"depth": 0}),
    ("cnn", {"parameterization": "standard"}),
    ("cnn", {"parameterization": "ntk"}),
    pytest.param("wide_resnet", {}, marks=pytest.mark.slow),
    pytest.param("resnet18", {}, marks=pytest.mark.slow),
]
PAIRS = {"all": -(10**9), "chosen": gradients.OVERHEAD, "none": 10**9}
TRIED = [("all", "sum"), ("chosen", "mean"), ("none", "first")]


def explicit(apply, params, x):
    """The Jacobian of every output, (n, C, p), with respect to the flat parameters."""
    flat, back = ravel_pytree(params)
    one = jax.jit(lambda x: jax.jacrev(lambda v: apply(back(v), x[None])[0])(flat))
    return np.stack([one(row) for row in jnp.asarray(x)])


def weights(apply, params, x):
    """The numbers of the leaves that are found to be the weights of a layer."""
    leaves, moving, back = read_parameters(params)
    program, _ = Program.trace(lambda leaves, x: apply(back(leaves), x), leaves, x[:1])
    return list(layers(program, moving))


@pytest.mark.parametrize(("name", "options"), FAMILIES)
def test_the_kernel_of_every_model_is_that_of_its_explicit_jacobian(rng, monkeypatch, name, options):
    model = networks.make(name, **options)
    params = networks.moved(model.init(jax.random.key(0)), rng)
    shape = networks.SMALL[name]["input_shape"]
    x1, x2 = rng.normal(size=(3, *shape)), rng.normal(size=(3, *shape))
    left, right = explicit(model.apply, params, x1), explicit(model.apply, params, x2)
    for pairs, logit in TRIED:
        monkeypatch.setattr(gradients, "OVERHEAD", PAIRS[pairs])
        g1, g2 = (np.einsum("ncp,c->np", j, WEIGHTS[logit]) for j in (left, right))
        for other, want in ((None, g1 @ g1.T), (x2, g1 @ g2.T)):
            kernel = empirical_ntk(model.apply, params, x1, other, logit=logit)
            np.testing.assert_allclose(kernel, want, rtol=1e-11, atol=1e-12 * np.abs(want).max())


@pytest.mark.parametrize(("name", "found"), [("mlp", 3), ("cnn", 4), ("wide_resnet", 10), ("resnet18", 21)])
def test_all_weights_of_every_model_are_found(name, found):
    model = networks.make(name)
    params = model.init(jax.random.key(0))
    assert len(weights(model.apply, params, jnp.zeros((1, *networks.SMALL[name]["input_shape"])))) == found


def image(batch=0, **options):
    """A convolution, its channels summed with unlike weights so that no two entries count the same."""

    def apply(params, x):
        y = lax.conv_general_dilated(x, params["w"], **options)
        y = jnp.moveaxis(y, batch, 0)
        return jnp.tanh(y).reshape(len(y), -1)[:, :6] @ jnp.arange(1.0, 13.0).reshape(6, 2)

    return apply


NETWORKS = {
    "channels first": ((5, 3, 2, 3), image(window_strides=(1, 2), padding="SAME"), (3, 6, 7)),
    "channels last, uneven edges": (
        (3, 2, 3, 5),
        image(window_strides=(2, 1), padding=[(0, 2), (1, 0)], dimension_numbers=("NHWC", "HWIO", "NHWC")),
        (6, 7, 3),
    ),
    "dilated": ((5, 3, 2, 3), image(window_strides=(1, 1), padding="VALID", rhs_dilation=(2, 1)), (3, 6, 7)),
    "transposed": (
        (5, 3, 3, 3),
        image(window_strides=(1, 1), padding=[(1, 1), (2, 0)], lhs_dilation=(2, 2)),
        (3, 4, 3),
    ),
    "cropped": ((5, 3, 2, 2), image(window_strides=(1, 1), padding=[(-1, 0), (0, -1)]), (3, 6, 7)),
    "mixed layout": (
        (3, 5, 2, 3),
        image(2, window_strides=(1, 1), padding="SAME", dimension_numbers=("CNHW", "IOHW", "HWNC")),
        None,
    ),
    "weights first": ((4, 6), lambda p, x: jnp.tanh(p["w"] @ x.T).T[:, :2] ** 2, (6,)),
    "two axes summed": (
        (4, 3, 5),
        lambda p, x: (
            jnp.tanh(jnp.tensordot(x, p["w"], axes=[(1, 2), (1, 0)])) @ jnp.arange(10.0).reshape(5, 2)
        ),
        (3, 4),
    ),
    "many positions": ((4, 5), lambda p, x: jnp.tanh(x @ p["w"])[:, :, :2].sum(1) ** 2, (3, 4)),
    "times a constant": ((4, 2), lambda p, x: jnp.tanh(x @ (3.0 * p["w"] * 0.5)), (4,)),
    "a product of weights": ((4, 2), lambda p, x: jnp.tanh(x @ (np.eye(4)[::-1] @ p["w"])), (4,)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_convolutions_and_products_of_every_layout(rng, monkeypatch, name):
    shape, apply, one = NETWORKS[name]
    if one is None:
        one, inner = (3, 6, 7), apply
        apply = lambda p, x: inner(p, x.transpose(1, 0, 2, 3))  # noqa: E731
    params, x = {"w": rng.normal(size=shape)}, jnp.asarray(rng.normal(size=(4, *one)))
    assert weights(apply, params, x) == [0]
    rows = explicit(apply, params, x)[:, 1]
    for overhead in PAIRS.values():
        monkeypatch.setattr(gradients, "OVERHEAD", overhead)
        np.testing.assert_allclose(empirical_ntk(apply, params, x, logit=1), rows @ rows.T, rtol=1e-11)
    # As a whole, the Jacobian keeps the order of the parameters.
    (whole,) = gradients.gradients(trace_network(apply, params, x=x), 1, (0,))(x)
    np.testing.assert_allclose(whole[:, 0], rows, rtol=1e-11, atol=1e-12)


@jax.custom_vjp
def doubled(w, x):
    return x @ w


doubled.defvjp(lambda w, x: (x @ w, (w, x)), lambda saved, g: (2 * saved[1].T @ g, g @ saved[0].T))


def grouped(params, x):
    y = lax.conv_general_dilated(x[:, :, None], params["w"][:, :1, None], (1,), "SAME", feature_group_count=4)
    return jnp.tanh(y)[:, :2, 0]


UNSTRUCTURED = {
    "used twice": lambda p, x: jnp.tanh(jnp.tanh(x @ p["w"]) @ p["w"])[:, :2],
    "transposed": lambda p, x: jnp.tanh(x @ p["w"].T)[:, :2],
    "squared": lambda p, x: jnp.tanh(x @ p["w"] ** 2)[:, :2],
    "times itself": lambda p, x: jnp.tanh(x @ (p["w"] * p["w"]))[:, :2],
    "times a matrix": lambda p, x: jnp.tanh(x @ (p["w"] * np.arange(16.0).reshape(4, 4)))[:, :2],
    "in a loop": lambda p, x: lax.scan(lambda h, _: (jnp.tanh(h @ p["w"]), None), x, length=3)[0][:, :2],
    "its own derivative": lambda p, x: doubled(p["w"], x)[:, :2],
    "by examples": lambda p, x: jnp.einsum("ni,nij->nj", x, p["w"][None])[:, :2],
    "in other precision": lambda p, x: jnp.tanh(x @ p["w"].astype(np.float32))[:, :2],
    "in groups": grouped,
    "not at all": lambda p, x: x[:, :2],
}


@pytest.mark.parametrize("name", UNSTRUCTURED)
def test_weights_used_in_any_other_way_are_differentiated_as_a_whole(rng, name):
    apply, params, x = UNSTRUCTURED[name], {"w": rng.normal(size=(4, 4))}, rng.normal(size=(5, 4))
    if name == "in other precision":
        x = x.astype(np.float32)
    assert weights(apply, params, x) == []
    # Backwards, since a derivative of one's own has no forward form.
    one = lambda x: jax.jacrev(lambda w: apply({"w": w}, x[None])[0, 1])(params["w"]).ravel()  # noqa: E731
    rows = np.stack([one(row) for row in jnp.asarray(x)])
    tolerance = 1e-3 if name == "in other precision" else 1e-11
    np.testing.assert_allclose(empirical_ntk(apply, params, x, logit=1), rows @ rows.T, rtol=tolerance)


def test_derivatives_of_compiled_and_custom_functions_are_kept(rng):
    """The rectifier has derivative 0 at 0 by a rule of its own, which writing its program out would lose."""
    network = jax.jit(lambda p, x: jax.nn.relu(x @ p["w"]) @ p["v"])
    params = {"w": np.eye(3), "v": rng.normal(size=(3, 2))}
    x = np.array([[0.0, 1.0, -1.0], [2.0, 0.0, 0.5]])
    rows = explicit(network, params, x)[:, 0]
    np.testing.assert_allclose(empirical_ntk(network, params, x), rows @ rows.T, rtol=1e-12)


@pytest.mark.parametrize("memory", [3000, 20_000, 2**31])
def test_blocks_of_inputs_and_groups_of_leaves_give_the_same_kernel(rng, monkeypatch, memory):
    monkeypatch.setattr(empirical, "STRIP", 3)
    monkeypatch.setattr(gradients, "OVERHEAD", PAIRS["all"])
    params = {"u": rng.normal(size=(20, 10)), "v": rng.normal(size=(10, 2)), "w": rng.normal(size=(10, 10))}
    network = lambda p, x: jnp.tanh(jnp.tanh(x @ p["u"]) @ p["w"]).sum(1) @ p["v"]  # noqa: E731
    x, other = rng.normal(size=(11, 2, 20)), rng.normal(size=(4, 2, 20))
    left, right = (explicit(network, params, rows)[:, 0] for rows in (x, other))
    for x2, want in ((None, left @ left.T), (other, left @ right.T)):
        for batch in (None, 2):
            kernel = empirical_ntk(network, params, x, x2, memory=memory, batch_size=batch)
            np.testing.assert_allclose(kernel, want, rtol=1e-11, atol=1e-12 * np.abs(want).max())
