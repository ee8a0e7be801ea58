"""A network as kernels take it: read as it is now, its parameters told from the rest, each input alone."""

import gc
import os
import subprocess
import sys
import textwrap
import weakref
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from flax import linen, nnx

from ntkal import empirical_ntk
from ntkal.kernels import gradient_sketch, gradients, kernel_fn, ntk_diagonal, split_ntk

N, D, H, C = 5, 4, 6, 3
sketch = partial(gradient_sketch, rank=2, key=jax.random.key(0))
TAKERS = {
    "empirical_ntk": empirical_ntk,
    "split_ntk": lambda f, p, x: split_ntk(f, p, x[:2], x[2:])[1],
    "ntk_diagonal": ntk_diagonal,
    "gradient_sketch": sketch,
}


@pytest.fixture
def x(rng):
    return rng.normal(size=(N, D))


@pytest.fixture
def params(rng):
    return {"w": rng.normal(size=(D, H)), "v": rng.normal(size=(H, C))}


def net(params, x):
    return jax.nn.relu(x @ params["w"]) @ params["v"]


def by_rows(apply, params, x):
    """The kernel of the first logit by plain JAX, the batch as a whole."""
    rows = jax.tree.leaves(jax.jacrev(lambda p: apply(p, x)[:, 0])(params))
    rows = np.hstack([np.reshape(row, (len(x), -1)) for row in rows])
    return rows @ rows.T


SCALE, OUTSIDE = 1.0, {"scale": np.ones((1, H))}
OBJECT = SimpleNamespace(scale=jnp.ones((1, H)))


def by_default(p, x, scale=np.ones((1, H))):  # noqa: B008
    return jnp.tanh(x @ p["w"] * scale) @ p["v"]


CHANGING = {
    "a global number": (
        lambda p, x: jnp.tanh(x @ p["w"] * SCALE) @ p["v"],
        lambda to: globals().update(SCALE=to),
    ),
    "an array in a dictionary": (
        lambda p, x: jnp.tanh(x @ p["w"] * OUTSIDE["scale"]) @ p["v"],
        lambda to: OUTSIDE.update(scale=np.full((1, H), to)),
    ),
    "an attribute": (
        lambda p, x: jnp.tanh(x @ p["w"] * OBJECT.scale) @ p["v"],
        lambda to: setattr(OBJECT, "scale", jnp.full((1, H), to)),
    ),
    "a default changed in place": (by_default, lambda to: by_default.__defaults__[0].fill(to)),
}


@pytest.mark.parametrize("kind", CHANGING)
def test_what_a_network_reads_is_read_at_each_call(params, x, kind):
    apply, change = CHANGING[kind]
    for scale in (1.0, 0.5, 1.0):
        change(scale)
        same = lambda p, x, scale=scale: jnp.tanh(x @ p["w"] * scale) @ p["v"]  # noqa: E731
        for take in TAKERS.values():
            np.testing.assert_allclose(take(apply, params, x), take(same, params, x), rtol=1e-12)


def test_networks_of_equal_steps_are_compiled_once_and_none_is_kept(x):
    """One in plain steps, and one with a derivative of its own that holds on to the network."""

    class Frozen:
        def __init__(self, seed):
            self.w = np.random.default_rng(seed).normal(size=(D, H))

    def plain(frozen):
        return lambda p, x: jax.nn.relu(x @ frozen.w) @ p

    def with_a_rule(frozen):
        @jax.custom_vjp
        def layer(x):
            return x @ frozen.w

        layer.defvjp(lambda x: (layer(x), None), lambda _, g: (g @ frozen.w.T,))
        return lambda p, x: jax.nn.relu(layer(x)) @ p

    for make in (plain, with_a_rule):
        alive, compiled = [], []
        for seed in range(4):
            frozen = Frozen(seed)
            alive += [weakref.ref(frozen), weakref.ref(frozen.w)]
            kernel = empirical_ntk(make(frozen), jnp.ones((H, C)), x)
            np.testing.assert_allclose(kernel, (h := np.maximum(x @ frozen.w, 0)) @ h.T, rtol=1e-12)
            sketch(make(frozen), jnp.ones((H, C)), x)
            del frozen
            compiled.append(gradients.of_batch._cache_size())
        gc.collect()
        assert sum(ref() is not None for ref in alive) <= (0 if make is plain else 2)
        assert compiled[0] == compiled[-1]


def test_networks_that_differ_in_their_own_derivative_alone_have_kernels_of_their_own(x):
    def scaled(slope):
        @jax.custom_jvp
        def same(h):
            return h

        same.defjvp(lambda primals, tangents: (primals[0], slope * tangents[0]))
        return lambda p, x: same(x @ p)

    plain = empirical_ntk(lambda p, x: x @ p, jnp.ones((D, C)), x)
    for slope in (1.0, 2.0, 3.0):
        kernel = empirical_ntk(scaled(slope), jnp.ones((D, C)), x)
        np.testing.assert_allclose(kernel, slope**2 * plain, rtol=1e-12)


def test_a_complex_parameter_counts_by_its_real_and_imaginary_part(rng, x):
    w, v = rng.normal(size=(D, H)) + 1j * rng.normal(size=(D, H)), rng.normal(size=(H, C))
    apply = lambda p, x: jnp.abs(x @ p["w"]) @ p["v"]  # noqa: E731
    parts = lambda p, x: jnp.abs(x @ (p["re"] + 1j * p["im"])) @ p["v"]  # noqa: E731
    for take in (empirical_ntk, ntk_diagonal):
        want = take(parts, {"re": w.real, "im": w.imag, "v": v}, x)
        np.testing.assert_allclose(take(apply, {"w": w, "v": v}, x), want, rtol=1e-12)


@pytest.mark.parametrize("order", [("float32", "float64"), ("float64", "float32"), ("bfloat16", "float32")])
def test_parameters_of_two_precisions_give_one_kernel_under_every_budget(params, x, order):
    mixed = {k: jnp.asarray(params[k], kind) for k, kind in zip(("w", "v"), order, strict=True)}
    x = x.astype(np.float32)
    whole = empirical_ntk(net, mixed, x)
    assert whole.dtype == jnp.promote_types(*order)
    rtol = {"float32": 1e-5, "float64": 1e-12}[whole.dtype.name]
    for memory in (1000, 2500):
        np.testing.assert_allclose(empirical_ntk(net, mixed, x, memory=memory), whole, rtol=rtol)
    np.testing.assert_allclose(ntk_diagonal(net, mixed, x), np.diag(whole), rtol=rtol)


class Linen(linen.Module):
    @linen.compact
    def __call__(self, x, train=False):
        return linen.Dense(C)(jnp.tanh(linen.BatchNorm(use_running_average=not train)(linen.Dense(H)(x))))


class Nnx(nnx.Module):
    def __init__(self, rngs):
        self.first, self.last = nnx.Linear(D, H, rngs=rngs), nnx.Linear(H, C, rngs=rngs)
        self.norm, self.drop = nnx.BatchNorm(H, rngs=rngs), nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x):
        return self.last(self.drop(jnp.tanh(self.norm(self.first(x)))))


def test_the_statistics_of_batch_norm_are_constants(x):
    x = x.astype(np.float32)
    made = Linen().init(jax.random.key(0), x)
    stats = made["batch_stats"]
    want = by_rows(lambda p, x: Linen().apply({"params": p, "batch_stats": stats}, x), made["params"], x)
    np.testing.assert_allclose(empirical_ntk(Linen().apply, made, x), want, rtol=1e-4)
    np.testing.assert_allclose(ntk_diagonal(Linen().apply, made, x), np.diag(want), rtol=1e-4)

    model = Nnx(nnx.Rngs(0))
    model.eval()
    graph, weights, rest = nnx.split(model, nnx.Param, ...)
    want = by_rows(lambda p, x: nnx.merge(graph, p, rest)(x), weights, x)
    graph, state = nnx.split(model)
    np.testing.assert_allclose(
        empirical_ntk(lambda p, x: nnx.merge(graph, p)(x), state, x), want, rtol=1e-4, atol=1e-6
    )

    norm = lambda p, x: net(p, x) * p["running_var"] + p["running_mean"]  # noqa: E731
    named = {
        "w": np.ones((D, H)),
        "v": np.ones((H, C)),
        "running_mean": np.ones((1, C)),
        "running_var": np.ones((1, C)),
    }
    np.testing.assert_allclose(
        empirical_ntk(lambda p, x: norm(named | p, x), {k: named[k] for k in "wv"}, x),
        empirical_ntk(norm, named, x),
        rtol=1e-12,
    )


def test_leaves_that_are_no_real_numbers_are_passed_on_and_not_differentiated(params, x):
    want = empirical_ntk(net, params, x)
    more = {"n": 3, "on": True, "key": jax.random.key(0), "nothing": None, "ids": np.arange(3)}

    def apply(p, x):
        assert p["nothing"] is None
        return (
            net(p, x) * jnp.where(p["on"], 1.0, 0.0) * (p["n"] - 2) + jax.random.normal(p["key"], (C,))[None]
        )

    np.testing.assert_allclose(empirical_ntk(apply, params | more, x), want, rtol=1e-12)
    np.testing.assert_allclose(ntk_diagonal(apply, params | more, x), np.diag(want), rtol=1e-12)


NOT_PARAMETERS = {
    "a function": ({"act": jnp.tanh}, r"params: leaf \['act'\] is no array of numbers but PjitFunction"),
    "a text": ({"name": "relu"}, r"params: leaf \['name'\] is no array of numbers but str 'relu'"),
    "an object": ({"o": object()}, r"params: leaf \['o'\] is no array of numbers but object"),
    "an array of objects": ({"o": np.array([None])}, r"params: leaf \['o'\] is no array of numbers"),
    "a number too large": ({"n": 2**70}, r"params: leaf \['n'\] is no array of numbers"),
    "statistics or parameters": (
        {"bn": {"mean": np.ones(3), "var": np.ones(3), "scale": np.ones(3)}},
        "params: bn.var and its mean look like statistics of batch norm",
    ),
}


@pytest.mark.parametrize("kind", NOT_PARAMETERS)
def test_what_may_be_no_parameter_is_refused_by_name(as_user, params, x, kind):
    more, message = NOT_PARAMETERS[kind]
    for take in TAKERS.values():
        with pytest.raises(ValueError, match=message):
            take(net, params | more, x)


def test_a_mean_without_a_variance_beside_it_is_a_parameter(params, x):
    named = {"mean": jnp.ones((1, C)), "scale": jnp.ones((1, C))}
    kernel = empirical_ntk(lambda p, x: p["scale"] * net(p, x) + p["mean"], params | named, x)
    shifted = by_rows(lambda p, x: p["scale"] * net(p, x) + p["mean"], params | named, x)
    np.testing.assert_allclose(kernel, shifted, rtol=1e-9)


def standardised(p, x):
    h = net(p, x)
    return (h - h.mean(0, keepdims=True)) / jnp.sqrt(h.var(0, keepdims=True) + 1e-5)


ENTANGLED = {
    "batch norm by the batch": standardised,
    "the batch's mean, added": lambda p, x: net(p, x) + 0.01 * net(p, x).mean(0, keepdims=True),
    "the number of inputs": lambda p, x: net(p, x) * len(x),
    "the input before": lambda p, x: net(p, jnp.roll(x, 1, axis=0)),
    "dropout with one key": lambda p, x: net(
        p, x * jax.random.bernoulli(jax.random.key(0), 0.5, x.shape).astype(x.dtype)
    ),
    "chance": lambda p, x: net(p, x) * np.random.default_rng().uniform(1, 2),
}


@pytest.mark.parametrize("kind", ENTANGLED)
def test_a_network_that_mixes_its_inputs_is_refused(as_user, params, x, kind):
    for n in (1, 2, N):
        for take in TAKERS.values() if n == N else (empirical_ntk,):
            with pytest.raises(ValueError, match="apply_fn: the outputs of an input change with the others"):
                take(ENTANGLED[kind], params, x[:n])
    with pytest.raises(ValueError, match="apply_fn: the outputs of an input change"):
        empirical_ntk(ENTANGLED[kind], params, np.ones((3, D)))  # all inputs alike


ALONE = {
    "outputs of zero": lambda p, x: net(p, x) * 0.0,
    "tiny outputs": lambda p, x: net(p, x) * 1e-30,
    "a difference of equals": lambda p, x: (net(p, x) + 1e4) - (net(OUTSIDE["start"], x) + 1e4),
    "half precision inside": lambda p, x: net(
        jax.tree.map(lambda a: a.astype(jnp.bfloat16), p), x.astype(jnp.bfloat16)
    ).astype(jnp.float32),
    "in pieces": lambda p, x: jax.lax.map(lambda one: net(p, one[None])[0], x),
}


@pytest.mark.parametrize("kind", ALONE)
def test_rounding_is_not_taken_for_mixing(rng, params, kind):
    OUTSIDE["start"] = {k: v.astype(np.float32) * (1 + 1e-7) for k, v in params.items()}
    params = {k: jnp.asarray(v, jnp.float32) for k, v in params.items()}
    for n in (1, N, 300):
        assert empirical_ntk(ALONE[kind], params, rng.normal(size=(n, D)).astype(np.float32)).shape == (n, n)


@dataclass
class Gained:  # equal by value, so not hashable
    gain: float

    def __call__(self, p, x):
        return self.gain * net(p, x)


def test_inputs_and_functions_of_every_make_are_taken(as_user, params, x):
    want = empirical_ntk(net, params, x)
    same = {
        "not hashable": (Gained(1.0), params, x),
        "a table of objects": (net, params, pd.DataFrame(x).astype(object)),
        "big-endian": (net, {k: v.astype(">f8") for k, v in params.items()}, x.astype(">f8")),
        "compiled": (jax.jit(net), params, x),
        "a partial function": (partial(lambda scale, p, x: scale * net(p, x), 1.0), params, x),
    }
    for kind, given in same.items():
        np.testing.assert_allclose(empirical_ntk(*given), want, rtol=1e-12, err_msg=kind)
    both = x.astype(np.float32), x
    np.testing.assert_allclose(empirical_ntk(net, params, *both), empirical_ntk(net, params, x), rtol=1e-5)


@pytest.mark.parametrize(
    ("apply", "given", "message"),
    [
        (
            lambda p, x: (net(p, x), {}),
            {},
            "apply_fn: expected outputs of shape .n, C., got tuple",
        ),
        (lambda p, x: net(p, x).astype(int), {}, "apply_fn: expected floating-point outputs"),
        (lambda p, x: net(p, x)[:1], {}, r"apply_fn: expected floating-point outputs .* \(4, 4\)"),
        (
            lambda p, x: p["w"] @ x,
            {},
            r"apply_fn: for params and inputs of shape \(1, 4\) it raised TypeError",
        ),
        (lambda p, x: np.tanh(np.asarray(x)), {}, "apply_fn: for params and .* it raised TracerArrayConv"),
        (None, {}, "apply_fn: .* 'NoneType' object is not callable"),
        (net, {"x": {"image": np.ones((N, D))}}, "x1: "),
        (net, {"x": sp.csr_matrix(np.ones((N, D)))}, "x1: .*sparse"),
        (net, {"x2": np.ones((N, 2))}, r"x2: expected inputs of shape \(4,\) like x1, got \(2,\)"),
        (lambda p, x: net(p, x) ** 0.5, {"x": np.zeros((N, D))}, "apply_fn: its derivatives are NaN"),
    ],
)
def test_what_cannot_be_used_is_named(as_user, params, x, apply, given, message):
    with pytest.raises(ValueError, match=message):
        empirical_ntk(apply, params, given.get("x", x), given.get("x2"))
    with pytest.raises(ValueError, match="params: some entries are NaN"):
        empirical_ntk(net, params | {"v": np.full((H, C), np.nan)}, x)


def test_transformations_of_jax_give_the_same_numbers(params, x):
    """At a kink too, where the rectifier's derivative is 0 by a rule of its own."""
    x = np.vstack([x, np.zeros((1, D))])
    for take in TAKERS.values():
        want = take(net, params, x)
        np.testing.assert_allclose(jax.jit(partial(take, net))(params, x), want, rtol=1e-12)
    stacked = jax.tree.map(lambda a: jnp.stack([a, 2 * a]), params)
    twice = jax.vmap(lambda p: empirical_ntk(net, p, x))(stacked)
    np.testing.assert_allclose(
        twice[1], empirical_ntk(net, jax.tree.map(lambda a: 2 * a, params), x), rtol=1e-12
    )

    def total(x):
        return empirical_ntk(lambda p, x: net(p, jax.nn.relu(x)), params, x).sum()

    def plainly(x):
        rows = [jax.grad(lambda p, a=a: net(p, jax.nn.relu(a)[None])[0, 0])(params) for a in x]
        flat = jnp.stack([jax.flatten_util.ravel_pytree(row)[0] for row in rows])
        return (flat @ flat.T).sum()

    np.testing.assert_allclose(jax.grad(total)(jnp.asarray(x)), jax.grad(plainly)(jnp.asarray(x)), atol=1e-10)


TWO = """
    import jax, jax.numpy as jnp, numpy as np
    from ntkal.kernels import *
    from ntkal.kernels import host, infinite

    here, there = jax.devices()
    w, x = jax.device_put(np.ones((4, 3)), there), np.random.default_rng(0).normal(size=(6, 4))
    net = lambda w, x: jnp.tanh(x @ w)
    far = jax.device_put(x, there)
    square = jax.device_put(x @ x.T, there)
    made = [
        empirical_ntk(net, w, x), empirical_ntk(net, np.ones((4, 3)), far),
        *split_ntk(net, w, far[:2], far[2:]),
        gradient_sketch(net, w, x, rank=2, key=jax.random.key(0)), ntk_diagonal(net, w, x),
        nystrom(lambda a, b=None: empirical_ntk(net, w, a, b), x[:2])(x),
        *from_jacobians(far[:2], far[2:]),
        kernel_fn("mlp", (4,))(far), *infinite.split("mlp", far[:2], far[2:]),
        host.minus_gram(square, far), host.whiten(square[:4, :4], far),
        host.minus_outer(square, x[:, 0], x[:, 0]),
    ]
    print([array.devices() == {there} for array in made].count(False))
    try:
        empirical_ntk(net, w, jax.device_put(x, here))
    except ValueError as error:
        print(str(error).startswith(f"x1: on {here}, but params on {there}; put both on one device"))
"""


def test_what_is_given_on_a_device_is_answered_there():
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=2"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(TWO)],
        env=os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.stdout.splitlines() == ["0", "True"], done.stderr


def test_without_64_bits_each_function_says_so(as_user, params, x):
    infinite = kernel_fn("mlp", (D,))
    jax.config.update("jax_enable_x64", False)
    try:
        for take in (*TAKERS.values(), lambda *_: infinite(x)):
            with pytest.raises(RuntimeError, match="64-bit mode is off"):
                take(net, params, x)
    finally:
        jax.config.update("jax_enable_x64", True)
