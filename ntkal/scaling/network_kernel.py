"""A network's empirical kernel that can be sent to another process."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from ntkal import models
from ntkal.inputs import ArrayLike
from ntkal.kernels import empirical_ntk


@dataclass(frozen=True)
class NetworkKernel:
    r"""The kernel :math:`\Theta(x, x')` of a named network at its parameters, as a function of inputs.

    It is ``partial(empirical_ntk, model.apply, params)`` in a form that can be pickled: JAX's compiled
    functions cannot, so the network is built again by its name in each process.

    Attributes:
        model: Name of the family, as in :func:`ntkal.models.get`.
        input_shape: Shape of one input.
        classes: Number of outputs C.
        params: Its parameters; kept as NumPy arrays.
        options: Further options of the family, such as ``{"width": 16}``.
        logit: As in :func:`ntkal.empirical_ntk`, except ``"all"``.

    Raises:
        ValueError: For a network that :func:`ntkal.models.get` refuses.

    Example:
        >>> import pickle
        >>> model = models.get("mlp", input_shape=(2,), classes=3, width=4)
        >>> kernel = NetworkKernel("mlp", (2,), 3, model.init(jax.random.key(0)), {"width": 4})
        >>> x = np.ones((2, 2), np.float32)
        >>> there = pickle.loads(pickle.dumps(kernel))
        >>> bool((there(x) == empirical_ntk(model.apply, kernel.params, x)).all())
        True
    """

    model: str
    input_shape: tuple[int, ...]
    classes: int
    params: Any
    options: Mapping[str, Any] = field(default_factory=dict)
    logit: int | str = "first"

    def __post_init__(self):
        object.__setattr__(self, "params", jax.tree.map(np.array, self.params))
        self._apply()

    def __call__(
        self, x1: Float[ArrayLike, "n1 ..."], x2: Float[ArrayLike, "n2 ..."] | None = None
    ) -> Float[ArrayLike, "n1 n2"]:
        """Return the kernel of ``x1`` with ``x2``, or with itself, shape (n1, n2)."""
        return empirical_ntk(self._apply(), self.params, x1, x2, logit=self.logit)

    def _apply(self):
        return models.get(
            self.model, input_shape=self.input_shape, classes=self.classes, **self.options
        ).apply
