"""A Gaussian process as the classifier: regression on one-hot labels with an infinite-width kernel."""

from collections.abc import Callable
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import cho_solve
from jaxtyping import Array, Float, Shaped

from ntkal.inputs import ArrayLike, as_labels, check_number
from ntkal.kernels.infinite import kernel_fn
from ntkal.lookahead.dense import Lookahead
from ntkal.lookahead.solve import cholesky

BATCH = 1000  # inputs at a time


@dataclass(frozen=True)
class GP:
    r"""A Gaussian process with prior mean zero, conditioned on labelled inputs.

    .. math:: M(x) = K(x, X) \, (K(X, X) + \lambda I)^{-1} \, Y

    Each class is a process of its own with the same kernel, and the predicted class is the arg-max of the
    posterior means, so this is kernel ridge regression on one-hot labels. Build one with :func:`fit`.

    Attributes:
        kernel: ``kernel(x1, x2=None) -> (n1, n2)``.
        x: Labelled inputs, shape (n, ...).
        y: Their label vectors, shape (n, C).
        k: Their kernel, shape (n, n).
        ridge: Absolute; the variance of the noise.
        weights: :math:`(K + \lambda I)^{-1} Y`, shape (n, C).

    Source:
        Rasmussen and Williams (2006), chapter 2; as a classifier on the infinite NTK, figure 1b of Mohamadi,
        Bae and Sutherland (2022), after Käding et al. (2018).

    Example:
        >>> gp = fit(np.array([[1.0, 0.0], [0.0, 1.0]]), np.eye(2))
        >>> gp.outputs(np.array([[2.0, 1.0], [1.0, 3.0]])).argmax(axis=1).tolist()
        [0, 1]
    """

    kernel: Callable[..., Float[Array, "n1 n2"]]
    x: ArrayLike
    y: Float[Array, "n C"]
    k: Float[Array, "n n"]
    ridge: float
    weights: Float[Array, "n C"]

    def outputs(self, x: ArrayLike) -> Float[Array, "m C"]:
        """Return the posterior mean at inputs of shape (m, ...), shape (m, C), float64."""
        x = np.asarray(x)
        batches = [x[start : start + BATCH] for start in range(0, max(len(x), 1), BATCH)]
        return jnp.concatenate([self.kernel(batch, self.x) @ self.weights for batch in batches])

    def lookahead(self, x_p: ArrayLike) -> Lookahead:
        """Return the posterior mean and covariance over a pool, shape (m, ...)."""
        kernels = self.k, self.kernel(x_p, self.x), self.kernel(x_p)
        nothing = jnp.zeros_like(self.y), jnp.zeros((len(x_p), self.y.shape[1]))
        return Lookahead.fit(*kernels, *nothing, self.y, ridge=self.ridge)


def fit(
    x: ArrayLike,
    y: Shaped[ArrayLike, "n C"],
    *,
    infinite: str = "mlp",
    relative_ridge: float | int = 1e-2,
) -> GP:
    """Condition a Gaussian process on labelled inputs; nothing is trained and nothing is random.

    Args:
        x: Labelled inputs, shape (n, ...).
        y: Label vectors, one-hot rows for classification, shape (n, C).
        infinite: The infinitely wide network whose kernel it has, as in
            :func:`ntkal.kernels.kernel_fn`.
        relative_ridge: Ridge as a fraction of the labelled kernel's mean diagonal, at least 0.

    Raises:
        SingularKernelError: When the ridge is 0 and labelled inputs coincide.
        ValueError: For shapes that do not fit, NaN, an unknown network or a negative ridge.

    Example:
        >>> fit(np.eye(2), np.eye(2), relative_ridge=0.5).lookahead(np.ones((3, 2))).cov.shape
        (3, 3)
    """
    ratio = check_number("relative_ridge", relative_ridge, low=0)
    kernel = kernel_fn(infinite, np.shape(x)[1:])
    k = kernel(x)
    y = as_labels("y", y, (len(k), None))
    ridge = ratio * float(jnp.mean(jnp.diagonal(k)))
    factor = cholesky("k", k, ridge)
    return GP(kernel, x, y, k, ridge, cho_solve((factor, True), y))
