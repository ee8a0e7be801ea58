"""Wide residual networks with batch norm."""

import jax
from flax import linen as nn

from ntkal.inputs import check_int
from ntkal.models.model import check_image, family
from ntkal.models.residual import Residual


class _WideResNet(Residual):
    classes: int = 1
    width: int = 64
    blocks: int = 1

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False):
        x = self.conv("stem", x, self.width // 4)
        stages = []
        for group, channels in enumerate((self.width // 4, self.width // 2, self.width)):
            for block in range(self.blocks):
                stride = 2 if group > 0 and block == 0 else 1
                x = self.norm_first(f"group{group}_block{block}", x, channels, stride, train)
            stages.append(x.mean(axis=(1, 2)))
        x = nn.relu(self.norm("norm", x, train)).mean(axis=(1, 2))
        return self.dense("readout", x, self.classes), x, tuple(stages)


@family
def wide_resnet(input_shape, classes, *, width=64, blocks=1, dtype="float32"):
    """A wide residual network: three groups of ``blocks`` residual blocks, each block two 3 x 3 convolutions.

    The groups have width / 4, width / 2 and ``width`` channels; batch norm and a rectifier come before each
    convolution. The paper's "1-block WideResNet" of maximum width 640 is ``width=640, blocks=1``.

    Args:
        input_shape: (height, width, channels) of one image.
        classes: Number of outputs C, at least 1.
        width: Channels of the last and widest group, a multiple of 4.
        blocks: Residual blocks in each group, 1 or 2.
        dtype: ``"float32"`` or ``"float64"``, of the parameters and of the computation.

    Returns:
        The :class:`Model`, with running statistics of batch norm in ``params["statistics"]``.

    Raises:
        ValueError: When the inputs are no images, or for a size out of range.

    Source:
        Zagoruyko and Komodakis, "Wide residual networks", BMVC 2016; three groups as there.

    Example:
        >>> import jax
        >>> model = wide_resnet((28, 28, 1), 10, width=16)
        >>> params = model.init(jax.random.key(0))
        >>> model.apply(params, jax.numpy.zeros((2, 28, 28, 1))).shape
        (2, 10)
    """
    check_image("wide_resnet", input_shape)
    if check_int("width", width, low=4) % 4:
        raise ValueError(
            f"width: expected a multiple of 4, because the first group has width / 4, got {width}."
        )
    return _WideResNet(
        classes=classes, width=int(width), blocks=check_int("blocks", blocks, low=1, high=2), dtype=dtype
    )
