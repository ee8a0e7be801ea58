"""Batches that are spread out: the largest cluster's farthest point, again and again."""

import numpy as np
from jaxtyping import Float, Int

from ntkal.inputs import ArrayLike, as_float64, check_int

EPS = np.finfo(np.float64).eps


def squared_distances(
    k_ll: Float[ArrayLike, "n n"], k_pl: Float[ArrayLike, "m n"], k_pp: Float[ArrayLike, "m m"]
) -> Float[np.ndarray, "n m"]:
    r"""Return the squared distances of the labelled inputs from the pool, in a kernel's feature space.

    .. math:: d^2(x, u) = \Theta(x, x) + \Theta(u, u) - 2\,\Theta(u, x)

    Args:
        k_ll: Kernel of the labelled inputs, shape (n, n).
        k_pl: Kernel between pool and labelled inputs, shape (m, n).
        k_pp: Kernel of the pool inputs, shape (m, m).

    Returns:
        Shape (n, m), float64, at least 0; 0 where only rounding is left.

    Raises:
        ValueError: For bad shapes or NaN.

    Example:
        >>> squared_distances(np.eye(1), np.array([[1.0], [0.0]]), np.eye(2)).tolist()
        [[0.0, 2.0]]
    """
    k_pl = np.asarray(as_float64("k_pl", k_pl, (None, None)))
    m, n = k_pl.shape
    own = np.diag(as_float64("k_ll", k_ll, (n, n)))[:, None]
    other = np.diag(as_float64("k_pp", k_pp, (m, m)))[None, :]
    return _without_rounding(own + other - 2 * k_pl.T, own + other)


def lcmd(
    kernel: Float[ArrayLike, "m m"], k: int, *, centres: Float[ArrayLike, "n m"] | None = None
) -> Int[np.ndarray, " k"]:
    r"""Return k picks, each the farthest point of the cluster with the largest total squared distance.

    .. math:: c = \arg\max_{u \in B} d^2(u, \rho(u)), \qquad B = \arg\max_{\text{clusters}} \sum_{u \in B}
              d^2(u, \rho(u)), \qquad d^2(u, v) = \kappa_{uu} + \kappa_{vv} - 2 \kappa_{uv}

    A cluster is what lies nearest to one centre :math:`\rho(u)`; each pick becomes a centre. With the
    covariance S of a look-ahead as the kernel :math:`\kappa` (the posterior transformation) the labels known
    so far shrink the distances, and the first pick is the point of largest variance. With the prior kernel
    :math:`\Theta(U, U)` the labelled inputs are given as the first ``centres`` instead.

    Args:
        kernel: Positive semi-definite, shape (m, m): ``post.cov``, or the pool's own kernel.
        k: Number of picks, 1 to m.
        centres: Squared distances of centres that are there already from the pool, shape (n, m), at least 0;
            :func:`ntkal.acquisition.squared_distances` makes them. None: the first pick has the largest
            diagonal entry.

    Returns:
        Distinct pool positions, shape (k,), in the order picked. A point at distance 0 from a centre is
        picked only when no other is left.

    Raises:
        ValueError: For bad shapes, NaN, negative distances, or k outside 1 to m.

    Source:
        Holzmüller, Zaverkin, Kästner and Steinwart (2023), largest cluster maximum distance; ties go to the
        lower position, as in their released code.

    Example:
        >>> points = np.array([[0.0], [0.1], [5.0], [5.2], [9.0]])
        >>> lcmd(points @ points.T, 3).tolist()
        [4, 0, 2]
    """
    kernel = np.asarray(as_float64("kernel", kernel, (None, None)))
    m = len(kernel)
    if kernel.shape != (m, m):
        raise ValueError(f"kernel: expected a square matrix, got shape {kernel.shape}.")
    k = check_int("k", k, low=1, high=m)
    size = np.diag(kernel)
    picks: list[int] = []
    if centres is None:
        picks.append(int(np.argmax(size)))
        nearest, owner = _to(kernel, size, picks[0]), np.zeros(m, dtype=int)
    else:
        centres = np.asarray(as_float64("centres", centres, (None, m)))
        if centres.min() < 0:
            raise ValueError(f"centres: squared distances are at least 0, got {centres.min():.3g}.")
        nearest, owner = centres.min(axis=0), centres.argmin(axis=0)
    count = 1 if centres is None else len(centres)
    while len(picks) < k:
        totals = np.bincount(owner, weights=nearest)
        # A pick is its own centre. Only when all distances are 0 can a cluster hold nothing but picks.
        open_ = (owner == np.argmax(totals)) if totals.max() > 0 else np.ones(m, dtype=bool)
        open_[picks] = False
        picks.append(int(np.argmax(np.where(open_, nearest, -1.0))))
        distance = _to(kernel, size, picks[-1])
        closer = distance < nearest
        owner[closer], nearest[closer] = count, distance[closer]
        nearest[picks[-1]] = 0.0
        count += 1
    return np.array(picks)


def _to(kernel: np.ndarray, size: np.ndarray, centre: int) -> np.ndarray:
    distance = _without_rounding(size + size[centre] - 2 * kernel[:, centre], size + size[centre])
    distance[centre] = 0.0
    return distance


def _without_rounding(distance: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Copies are at distance 0: what rounding leaves between them would make clusters of them."""
    return np.where(distance > 64 * EPS * np.abs(scale), distance, 0.0)
