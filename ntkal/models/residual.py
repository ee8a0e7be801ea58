"""What the residual networks share: batch norm that can be frozen, and the residual block."""

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from ntkal.models.model import Layers

MEMORY = 0.9  # of the running statistics, for each training step
EPSILON = 1e-5


class Residual(Layers):
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
