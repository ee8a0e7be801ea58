"""What is done otherwise where JAX computes on a GPU, as far as a CPU shows: batches, precision, tolerances.

Arrays that are not in the host's memory are in test_host.py, those on a second device in test_network.py and
tests/lookahead/test_posterior.py, the memory of a block of retrained networks in test_retrain.py.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from networks import make as network

from ntkal import empirical_ntk
from ntkal.kernels.sketch import gradient_sketch, ntk_diagonal

KERNELS = {
    "exact": lambda apply, params, x: empirical_ntk(apply, params, x),
    "in blocks": lambda apply, params, x: empirical_ntk(apply, params, x, batch_size=3, memory=2**17),
    "all logits": lambda apply, params, x: empirical_ntk(apply, params, x, logit="all"),
    "sketch": lambda apply, params, x: gradient_sketch(apply, params, x, rank=8, key=jax.random.key(0)),
    "diagonal": lambda apply, params, x: ntk_diagonal(apply, params, x),
}


@pytest.mark.parametrize("kind", KERNELS)
def test_batches_for_another_backend_give_the_same_kernel(kind, monkeypatch):
    model = network("mlp", width=20, depth=2)
    params, x = model.init(jax.random.key(1)), np.random.default_rng(0).normal(size=(10, 3, 2))
    here = KERNELS[kind](model.apply, params, x)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    np.testing.assert_allclose(KERNELS[kind](model.apply, params, x), here, rtol=1e-11, atol=1e-11)


def products(jaxpr):
    """The precisions of the products of matrices in a program, of those within it too."""
    for equation in jaxpr.eqns:
        if equation.primitive.name in ("dot_general", "conv_general_dilated"):
            yield equation.params["precision"]
        for value in equation.params.values():
            for inner in value if isinstance(value, tuple | list) else [value]:
                inner = getattr(inner, "jaxpr", inner)
                if hasattr(inner, "eqns"):
                    yield from products(inner)


def net(params, x):
    """A network that asks for every digit: what remains without is ours."""
    w, v = params
    return jnp.matmul(jnp.tanh(jnp.matmul(x, w, precision="highest")), v, precision="highest")


@pytest.mark.parametrize("logit", ["first", "mean", "all"])
def test_no_product_in_single_precision_may_be_rounded_to_ten_bits(logit):
    params = jnp.ones((3, 5), jnp.float32) / 4, jnp.ones((5, 2), jnp.float32) / 3
    x = jnp.arange(12, dtype=jnp.float32).reshape(4, 3)
    made = jax.make_jaxpr(lambda p, x: empirical_ntk(net, p, x, logit=logit))(params, x)
    assert {one for pair in products(made.jaxpr) for one in pair or (None,)} == {jax.lax.Precision.HIGHEST}


def test_a_network_whose_products_have_ten_bits_is_no_batch_norm(monkeypatch):
    def rounded(params, x):
        # As a GPU may: a product rounded in another way when the batch is another one.
        product = jnp.tanh(x @ params)
        return product * (1 + 2.0**-10 * (len(x) > 1))

    params, x = jnp.ones((3, 2), jnp.float32), np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    with pytest.raises(ValueError, match="change with the others in its batch"):
        empirical_ntk(rounded, 1e-2 * params, x)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert np.isfinite(empirical_ntk(rounded, 1e-2 * params, x)).all()


def test_batch_norm_is_refused_on_every_backend(monkeypatch):
    def normed(params, x):
        return (x - x.mean(axis=0, keepdims=True)) @ params

    params, x = jnp.ones((3, 2), jnp.float32), np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    with pytest.raises(ValueError, match="change with the others in its batch"):
        empirical_ntk(normed, params, x)
