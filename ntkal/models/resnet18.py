"""The residual network of 18 layers, in the form for small images."""

import jax
from flax import linen as nn

from ntkal.inputs import check_int
from ntkal.models.model import check_image, family
from ntkal.models.residual import Residual


class _ResNet18(Residual):
    classes: int = 1
    width: int = 512

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False):
        x = self.conv("stem", x, self.width // 8, bias=False)
        x = nn.relu(self.norm("norm", x, train))
        stages = []
        for group in range(4):
            for block in range(2):
                stride = 2 if group > 0 and block == 0 else 1
                channels = self.width // 8 * 2**group
                x = self.norm_last(f"group{group}_block{block}", x, channels, stride, train)
            stages.append(x.mean(axis=(1, 2)))
        return self.dense("readout", stages[-1], self.classes), stages[-1], tuple(stages)


@family
def resnet18(input_shape, classes, *, width=512, dtype="float32"):
    """ResNet-18 for small images: a 3 x 3 stem, four groups of two residual blocks, a mean over all pixels.

    The groups have width / 8, width / 4, width / 2 and ``width`` channels; each but the first halves the
    image's sides. Batch norm comes after each convolution, which has no bias, and a rectifier after each sum.
    Where a block's sizes change, its shortcut is a 1 x 1 convolution with batch norm. With the default width
    and ten classes it has 11,173,962 parameters on colour images.

    Args:
        input_shape: (height, width, channels) of one image.
        classes: Number of outputs C, at least 1.
        width: Channels of the last and widest group, a multiple of 8.
        dtype: ``"float32"`` or ``"float64"``, of the parameters and of the computation.

    Returns:
        The :class:`Model`, with running statistics of batch norm in ``params["statistics"]``.

    Raises:
        ValueError: When the inputs are no images, or for a size out of range.

    Source:
        He, Zhang, Ren and Sun, "Deep residual learning for image recognition", CVPR 2016, table 1, with the
        stem that small images need: no stride, no pooling. The released code of the paper has this form.

    Example:
        >>> import jax
        >>> model = resnet18((32, 32, 3), 100)
        >>> weights = jax.eval_shape(model.init, jax.random.key(0))["weights"]
        >>> sum(leaf.size for leaf in jax.tree.leaves(weights))
        11220132
    """
    check_image("resnet18", input_shape)
    if check_int("width", width, low=8) % 8:
        raise ValueError(
            f"width: expected a multiple of 8, because the first group has width / 8, got {width}."
        )
    return _ResNet18(classes=classes, width=int(width), dtype=dtype)
