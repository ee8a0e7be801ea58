"""Fully connected networks."""

from collections.abc import Callable

import jax
from flax import linen as nn

from ntkal.inputs import check_choice, check_int
from ntkal.models.model import ACTIVATIONS, Layers, check_layers, family


class _MLP(Layers):
    classes: int = 1
    width: int = 128
    depth: int = 2
    activation: Callable = jax.nn.relu

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False):
        x = x.reshape(x.shape[0], -1)
        stages = []
        for layer in range(self.depth):
            x = self.activation(self.dense(f"dense{layer}", x, self.width))
            stages.append(x)
        return self.dense("readout", x, self.classes), x, tuple(stages)


@family
def mlp(
    input_shape,
    classes,
    *,
    width=128,
    depth=2,
    activation="relu",
    parameterization="standard",
    sigma_w=None,
    sigma_b=None,
    dtype="float32",
):
    """A fully connected network: ``depth`` hidden layers of ``width`` units and a linear readout.

    Args:
        input_shape: Shape of one input; it is flattened.
        classes: Number of outputs C, at least 1.
        width: Units of each hidden layer, at least 1.
        depth: Hidden layers, at least 0; with 0 the network is linear in its input.
        activation: ``"relu"``, ``"erf"``, ``"gelu"``, ``"tanh"`` or ``"identity"``.
        parameterization: ``"standard"`` or ``"ntk"``. They draw the same functions; with ``"ntk"`` the kernel
            converges as the width grows.
        sigma_w: Standard deviation of a weight times the square root of its fan-in, default sqrt(2).
        sigma_b: Standard deviation of a bias, default 0 (0.1 with ``"ntk"``, where 0 means no bias).
        dtype: ``"float32"`` or ``"float64"``, of the parameters and of the computation.

    Returns:
        The :class:`Model`.

    Raises:
        ValueError: For an unknown choice or a size out of range.

    Example:
        >>> import jax
        >>> model = mlp((2,), 3, width=64, parameterization="ntk")
        >>> params = model.init(jax.random.key(0))
        >>> model.features(params, jax.numpy.zeros((5, 2))).shape
        (5, 64)
    """
    return _MLP(
        classes=classes,
        width=check_int("width", width, low=1),
        depth=check_int("depth", depth, low=0),
        activation=ACTIVATIONS[check_choice("activation", activation, ACTIVATIONS)],
        dtype=dtype,
        **check_layers(parameterization, sigma_w, sigma_b),
    )
