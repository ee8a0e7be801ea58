"""Low-rank features of a kernel from some of its columns: Nyström landmarks and greedy pivots."""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ntkal.inputs import ArrayLike, SingularKernelError, as_float64, check_int, check_number
from ntkal.kernels.host import joined
from ntkal.kernels.rounding import check_symmetric, noise_floor, precision_of

Kernel = Callable[..., ArrayLike]
"""``kernel(x1, x2=None) -> (n1, n2)``, such as ``partial(empirical_ntk, model.apply, params)``."""


def nystrom(
    kernel: Kernel, landmarks: Float[ArrayLike, "z ..."], *, batch_size: int = 1000
) -> Callable[[ArrayLike], Float[Array, "n r"]]:
    r"""Return the feature map whose products are the kernel seen through some landmark inputs Z.

    .. math:: \phi(x)^\top \phi(x') = \Theta(x, Z) \, \Theta(Z, Z)^+ \, \Theta(Z, x')

    It is exact on the landmarks, and what it leaves out, :math:`\Theta - \Phi \Phi^\top`, is positive
    semi-definite: variances come out too small, never too large. Eigenvalues of :math:`\Theta(Z, Z)` that are
    rounding in the precision it was computed in are left out, so landmarks may repeat.

    Args:
        kernel: ``kernel(x1, x2=None) -> (n1, n2)``.
        landmarks: Z, shape (z, ...): inputs drawn from the pool at random, say.
        batch_size: Inputs at a time.

    Returns:
        ``features(x)``: inputs (n, ...) to features (n, r), float64, with r at most z.

    Raises:
        ValueError: When the kernel of the landmarks is not square, symmetric and finite.
        SingularKernelError: When it has a negative eigenvalue beyond rounding, or is zero.

    Source:
        Williams and Seeger (2001), Using the Nyström method to speed up kernel machines.

    Example:
        >>> kernel = lambda x1, x2=None: x1 @ (x1 if x2 is None else x2).T
        >>> features = nystrom(kernel, np.array([[1.0, 0.0], [2.0, 0.0]]))
        >>> phi = features(np.array([[3.0, 0.0], [1.0, 5.0]]))
        >>> phi.shape, (phi @ phi.T).round(9).tolist()  # the second axis is not seen by these landmarks
        ((2, 1), [[9.0, 3.0], [3.0, 1.0]])
    """
    batch_size = check_int("batch_size", batch_size, low=1)
    square = kernel(landmarks)
    eps = precision_of(square)
    square = as_float64("kernel(landmarks)", square, (len(landmarks), len(landmarks)))
    check_symmetric("kernel(landmarks)", square, eps)
    values, vectors = np.linalg.eigh(np.asarray(square))
    floor = noise_floor(eps, len(values), float(jnp.max(jnp.abs(jnp.diag(square)))), float(values[-1]))
    if values[0] < -100 * floor or values[-1] <= floor:
        raise SingularKernelError(
            f"kernel(landmarks): its eigenvalues run from {values[0]:.3g} to {values[-1]:.3g}, but those of "
            "a kernel are positive. Check that batch norm is frozen and that the landmarks are not constant."
        )
    kept = values > floor
    root = jnp.asarray(vectors[:, kept] / np.sqrt(values[kept]))

    def features(x: ArrayLike) -> Float[Array, "n r"]:
        # Gathered on the host, so that a pool of any size holds one block of its kernel at a time.
        starts = range(0, len(x), batch_size)
        rows = (jnp.asarray(kernel(x[at : at + batch_size], landmarks)) @ root for at in starts)
        return as_float64("features", joined(rows), (len(x), root.shape[1]))

    return features


def pivoted_cholesky(
    diagonal: Float[ArrayLike, " m"],
    column: Callable[[int], ArrayLike],
    rank: int,
    *,
    tolerance: float | int = 0.0,
) -> tuple[Float[np.ndarray, "m r"], Int[np.ndarray, " r"]]:
    r"""Return the greedy partial Cholesky factor of a kernel matrix, from its diagonal and r columns.

    Each step takes the input whose variance the earlier ones explain least, :math:`i = \arg\max_j d_j`, and
    subtracts its share:

    .. math:: \ell = \frac{K_{:i} - L L_{i:}^\top}{\sqrt{d_i}}, \qquad d \leftarrow d - \ell^2, \qquad
              L \leftarrow [L \;\; \ell]

    so that :math:`L L^\top` is the Nyström approximation with the pivots as landmarks, and
    :math:`\operatorname{tr}(K - L L^\top) = \sum_j d_j` is known at each step. Cost O(m r^2) and r columns.

    Args:
        diagonal: Diagonal of K, shape (m,), such as :func:`ntkal.kernels.ntk_diagonal` gives.
        column: ``column(i) -> (m,)``, column i of K.
        rank: The most columns to take, from 1 to m.
        tolerance: Stop when the trace that is left is at most this share of the trace of K, in [0, 1).

    Returns:
        L, shape (m, r), float64, and the pivots, shape (r,), with r at most ``rank``: fewer when the
        tolerance is reached or when all that is left is rounding.

    Raises:
        ValueError: For a shape that does not fit, NaN, a negative diagonal, a column that does not agree with
            the diagonal, or a rank or tolerance out of range.

    Source:
        Harbrecht, Peters and Schneider (2012), On the low-rank approximation by the pivoted Cholesky
        decomposition.

    Example:
        >>> kernel = np.array([[4.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 9.0]])
        >>> factor, pivots = pivoted_cholesky(np.diag(kernel), lambda i: kernel[:, i], 3)
        >>> pivots.tolist(), (factor @ factor.T).tolist() == kernel.tolist()  # the kernel has rank 2
        ([2, 0], True)
    """
    eps = precision_of(diagonal)
    diagonal = np.asarray(as_float64("diagonal", diagonal, (None,)))
    left = diagonal.copy()
    m = len(left)
    rank = check_int("rank", rank, low=1, high=m)
    if check_number("tolerance", tolerance, low=0) >= 1:
        raise ValueError(f"tolerance: expected a share of the trace from 0 to below 1, got {tolerance!r}.")
    if left.min() < 0:
        raise ValueError(
            f"diagonal: a kernel has none below zero, but entry {left.argmin()} is {left.min()}."
        )
    trace, largest = left.sum(), left.max()
    factor, pivots = np.zeros((m, rank)), np.zeros(rank, dtype=np.int64)
    for step in range(rank):
        pivot = int(np.argmax(left))
        if left[pivot] <= 4 * np.sqrt(m) * eps * largest or left.sum() <= tolerance * trace:
            return factor[:, :step].copy(), pivots[:step]
        values = column(pivot)
        eps = max(eps, precision_of(values))
        values = np.asarray(as_float64(f"column({pivot})", values, (m,)))
        if not np.isclose(values[pivot], diagonal[pivot], rtol=np.sqrt(eps), atol=0):
            raise ValueError(
                f"column({pivot}): its entry {pivot} is {values[pivot]:.6g}, but the diagonal says "
                f"{float(diagonal[pivot]):.6g}; give both from one kernel."
            )
        new = (values - factor[:, :step] @ factor[pivot, :step]) / np.sqrt(left[pivot])
        # Set, not computed: what is left of a pivot is nothing, and it must not be taken again.
        left = np.maximum(left - new**2, 0.0)
        left[pivot] = 0.0
        factor[:, step], pivots[step] = new, pivot
    return factor, pivots
