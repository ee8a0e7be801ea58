"""Residual networks, wide or of 18 layers, with batch norm that can be frozen."""

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from ntkal.inputs import check_int
from ntkal.models.model import Layers, check_image, family

MEMORY = 0.9  # of the running statistics, for each training step
EPSILON = 1e-5


class _Residual(Layers):
    """Layers of a residual network."""

    def norm(self, name: str, x: jax.Array, train: bool) -> jax.Array:
        """Batch norm: the batch's statistics in training, else the running ones, as constants.

        Flax's own layer keeps its statistics in float32 in any precision.
        """
        shape = x.shape[-1:]
        gain = self.param(f"{name}_gain", nn.initializers.ones, shape, self.dtype)
        offset = self.param(f"{name}_offset", nn.initializers.zeros, shape, self.dtype)
        mean = self.variable("batch_stats", f"{name}_mean", jnp.zeros, shape, self.dtype)
        variance = self.variable("batch_stats", f"{name}_variance", jnp.ones, shape, self.dtype)
        if train:
            now = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
            mean.value, variance.value = (
                MEMORY * old.value + (1 - MEMORY) * new
                for old, new in zip((mean, variance), now, strict=True)
            )
        else:
            now = mean.value, variance.value
        factor = gain * lax.rsqrt(now[1] + EPSILON)
        return x * factor.reshape(1, 1, 1, -1) + (offset - now[0] * factor).reshape(1, 1, 1, -1)

    def norm_first(self, name: str, x: jax.Array, channels: int, stride: int, train: bool) -> jax.Array:
        """A residual block that normalises before each convolution, so that nothing stands behind its sum."""
        y = nn.relu(self.norm(f"{name}_norm0", x, train))
        if stride > 1 or x.shape[-1] != channels:
            x = self.conv(f"{name}_shortcut", y, channels, stride)
        y = self.conv(f"{name}_conv0", y, channels, stride)
        y = nn.relu(self.norm(f"{name}_norm1", y, train))
        return x + self.conv(f"{name}_conv1", y, channels)

    def norm_last(self, name: str, x: jax.Array, channels: int, stride: int, train: bool) -> jax.Array:
        """A residual block that normalises after each convolution, with a rectifier behind its sum.

        Norms follow the convolutions, so these have no biases.
        """
        options = {"bias": False, "centred": True}
        y = self.conv(f"{name}_conv0", x, channels, stride, **options)
        y = nn.relu(self.norm(f"{name}_norm0", y, train))
        y = self.norm(f"{name}_norm1", self.conv(f"{name}_conv1", y, channels, **options), train)
        if stride > 1 or x.shape[-1] != channels:
            x = self.conv(f"{name}_shortcut", x, channels, stride, size=1, **options)
            x = self.norm(f"{name}_norm2", x, train)
        return nn.relu(x + y)


class _WideResNet(_Residual):
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
    width, blocks = _width("wide_resnet", input_shape, width, 4), check_int("blocks", blocks, low=1, high=2)
    return _WideResNet(classes=classes, width=width, blocks=blocks, dtype=dtype)


def _width(name, input_shape, width, parts):
    check_image(name, input_shape)
    if check_int("width", width, low=parts) % parts:
        raise ValueError(
            f"width: expected a multiple of {parts}, since the first group has its part, got {width}."
        )
    return int(width)


class _ResNet18(_Residual):
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
    return _ResNet18(classes=classes, width=_width("resnet18", input_shape, width, 8), dtype=dtype)
