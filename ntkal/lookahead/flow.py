"""Outputs of a linearised network trained by gradient flow, at any time, from kernels alone."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Shaped

from ntkal.inputs import ArrayLike, SingularKernelError, as_float64, as_labels, check_number, is_traced
from ntkal.kernels.rounding import check_symmetric, noise_floor, precision_of
from ntkal.lookahead.condition import mean_given
from ntkal.lookahead.solve import cholesky


def gradient_flow(
    k_train: Float[ArrayLike, "n n"],
    y: Shaped[ArrayLike, "n C"],
    f_train: Float[ArrayLike, "n C"],
    k_test: Float[ArrayLike, "m n"],
    f_test: Float[ArrayLike, "m C"],
    t: Float[Array, ""] | float | int | None = None,
    ridge: Float[Array, ""] | float | int = 0.0,
) -> Float[Array, "m C"]:
    r"""Return the outputs at time t of a linearised network trained on the squared loss.

    .. math:: f_t(x) = f_0(x) + K(x, X) \, (K + \lambda I)^{-1}
              \big(I - e^{-t (K + \lambda I)}\big) (Y - f_0(X))

    The flow is that of the loss :math:`\tfrac12 \|f(X) - Y\|^2 + \tfrac\lambda2 \|\theta - \theta_0\|^2`
    with unit learning rate and no average over inputs: a mean over n inputs and C classes divides t by nC.

    Args:
        k_train: Kernel K of the training inputs, shape (n, n), symmetric positive semi-definite.
        y: Training targets, shape (n, C); booleans will do.
        f_train: Outputs before training at the training inputs, shape (n, C).
        k_test: Kernel between test and training inputs, shape (m, n).
        f_test: Outputs before training at the test inputs, shape (m, C).
        t: Training time, at least 0; None (or infinity) stands for training to convergence.
        ridge: The absolute ridge λ, at least 0, added to the diagonal of ``k_train``.

    Returns:
        Outputs at the test inputs, shape (m, C), float64.

    Raises:
        SingularKernelError: When ``k_train`` plus the ridge is singular, at t = infinity and at any time so
            long that the rounding of its eigenvalues shows; and at any t when ``k_train`` has a negative
            eigenvalue beyond rounding.
        ValueError: For bad shapes, NaN, an asymmetric kernel, a negative time or a negative ridge.

    Source:
        Mohamadi, Bae and Sutherland (2022), equations (5) and (10).

    Example:
        >>> import numpy as np
        >>> one, zero = np.ones((1, 1)), np.zeros((1, 1))
        >>> gradient_flow(one, one, zero, one, zero, t=np.log(2)).round(12).tolist()
        [[0.5]]
        >>> gradient_flow(one, one, zero, one, zero).tolist()
        [[1.0]]
    """
    given, k_train = k_train, as_float64("k_train", k_train, (None, None))
    n = len(k_train)
    if k_train.shape != (n, n):
        raise ValueError(f"k_train: expected a square matrix, got shape {k_train.shape}.")
    f_train = as_float64("f_train", f_train, (n, None))
    y = as_labels("y", y, f_train.shape)
    k_test = as_float64("k_test", k_test, (None, n))
    f_test = as_float64("f_test", f_test, (len(k_test), f_train.shape[1]))
    ridge, eps = check_number("ridge", ridge, low=0), precision_of(given)
    if t is None or (isinstance(t, float) and t == np.inf):
        return mean_given(cholesky("k_train", k_train, ridge, eps=eps), k_test, f_test, y - f_train)
    t = check_number("t", t, low=0)
    values, vectors = jnp.linalg.eigh(k_train)
    rates = jnp.maximum(values, 0.0) + ridge
    if not is_traced(t, rates):
        _check_spectrum(k_train, np.asarray(values), t, float(rates[0]), eps)
    # (1 - exp(-t r)) / r, continued to its limit t at r = 0: directions without a kernel grow linearly.
    learned = jnp.where(rates > 0, -jnp.expm1(-t * rates) / jnp.where(rates > 0, rates, 1.0), t)
    return f_test + k_test @ (vectors @ (learned[:, None] * (vectors.T @ (y - f_train))))


def _check_spectrum(kernel: Array, values: np.ndarray, t: float, slowest: float, eps: float) -> None:
    check_symmetric("k_train", kernel, eps)
    noise = noise_floor(eps, len(values), float(jnp.max(jnp.diag(kernel))), float(np.abs(values).max()))
    found = f"k_train: its smallest eigenvalue is {values[0]:.3g}"
    if values[0] < -100 * noise:
        raise SingularKernelError(
            f"{found}, but a kernel has none below zero. Check that batch norm is frozen and that both "
            "inputs went through the same parameters."
        )
    if t * noise > 1 and slowest < noise:
        raise SingularKernelError(
            f"{found}, which is rounding (up to {noise:.3g}), and at t={t:.3g} the outputs depend on it. "
            f"Remove duplicates, or pass a ridge of about {100 * noise:.1g} or a time below {1 / noise:.1g}."
        )
