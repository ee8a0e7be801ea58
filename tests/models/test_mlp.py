import jax
import jax.numpy as jnp
import numpy as np
from networks import moved, size

from ntkal import models


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


def test_the_size_of_an_mlp():
    model = models.mlp((28, 28, 1), 10, width=100, depth=1)
    assert size(model) == 784 * 100 + 100 + 100 * 10 + 10
