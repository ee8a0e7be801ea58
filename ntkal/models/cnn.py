"""A small convolutional network."""

import jax
from flax import linen as nn

from ntkal.inputs import check_int
from ntkal.models.model import Layers, average_pool, check_image, check_layers, family


class _CNN(Layers):
    classes: int = 1
    width: int = 32

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False):
        stages = []
        for layer in range(3):
            x = nn.relu(self.conv(f"conv{layer}", x, self.width, stride=1))
            stages.append(x.mean(axis=(1, 2)))
            if layer < 2:
                x = average_pool(x)
        x = x.mean(axis=(1, 2))
        return self.dense("readout", x, self.classes), x, tuple(stages)


@family
def cnn(
    input_shape,
    classes,
    *,
    width=32,
    parameterization="standard",
    sigma_w=None,
    sigma_b=None,
    dtype="float32",
):
    """Three 3 x 3 convolutions of ``width`` channels, with averages over 2 x 2 and at last over all pixels.

    With width 32 and ten classes it has 19,146 parameters on grey images.

    Args:
        input_shape: (height, width, channels) of one image.
        classes: Number of outputs C, at least 1.
        width: Channels of each layer, at least 1.
        parameterization: ``"standard"`` or ``"ntk"``, as in :func:`mlp`.
        sigma_w: As in :func:`mlp`.
        sigma_b: As in :func:`mlp`.
        dtype: ``"float32"`` or ``"float64"``, of the parameters and of the computation.

    Returns:
        The :class:`Model`.

    Raises:
        ValueError: When the inputs are no images, for an unknown choice, or a size out of range.

    Example:
        >>> import jax
        >>> model = cnn((28, 28, 1), 10)
        >>> params = model.init(jax.random.key(0))
        >>> sum(leaf.size for leaf in jax.tree.leaves(params["weights"]))
        19146
    """
    check_image("cnn", input_shape)
    return _CNN(
        classes=classes,
        width=check_int("width", width, low=1),
        dtype=dtype,
        **check_layers(parameterization, sigma_w, sigma_b),
    )
