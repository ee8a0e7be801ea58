"""Batches that are spread out over the pool, in the space of features or of a kernel."""

import numpy as np
from jaxtyping import Float, Int

from ntkal.acquisition.myopic import check_probabilities
from ntkal.inputs import ArrayLike, as_float64, check_int
from ntkal.lookahead.posterior import Posterior

EPS = np.finfo(np.float64).eps


def badge(
    probs: Float[ArrayLike, "m C"], features: Float[ArrayLike, "m d"], k: int, rng: np.random.Generator
) -> Int[np.ndarray, " k"]:
    r"""Return k picks by k-means++ on the last layer's gradients under the most likely label (BADGE).

    .. math:: g_i = (p_i - e_{\hat y_i}) \otimes \phi(x_i), \qquad \hat y_i = \arg\max_k p_{ik}

    The first pick is uniform, each next one has probability proportional to its squared distance to the
    nearest pick. Distances come from the factors of g, so no m x Cd array is made.

    Args:
        probs: Class probabilities, shape (m, C), rows sum to one.
        features: Inputs of the last layer, shape (m, d).
        k: Number of picks, 1 to m.
        rng: Source of randomness.

    Returns:
        Distinct pool positions, shape (k,), in the order picked.

    Raises:
        ValueError: For bad shapes, NaN, or k outside 1 to m.

    Source:
        Ash, Zhang, Krishnamurthy, Langford and Agarwal (2020), algorithm 1.

    Example:
        >>> probs, features = np.array([[0.9, 0.1], [0.9, 0.1], [0.5, 0.5]]), np.ones((3, 2))
        >>> sorted(badge(probs, features, 2, np.random.default_rng(0)).tolist())[1]
        2
    """
    probs = np.asarray(check_probabilities(probs))
    features = np.asarray(as_float64("features", features, (len(probs), None)))
    k = check_int("k", k, low=1, high=len(probs))
    residual = probs.copy()
    residual[np.arange(len(probs)), probs.argmax(axis=1)] -= 1.0
    size = (residual**2).sum(axis=1) * (features**2).sum(axis=1)
    if not np.isfinite(size).all():
        raise ValueError("features: too large to be squared; scale them.")

    def squared_distance(i: int) -> np.ndarray:
        inner = (residual @ residual[i]) * (features @ features[i])
        distance = size + size[i] - 2 * inner
        # Between copies rounding alone would be left, and with it a chance of being drawn.
        return np.where(distance > 8 * EPS * (size + size[i]), distance, 0.0)

    picks = [int(rng.integers(len(probs)))]
    nearest = squared_distance(picks[0])
    while len(picks) < k:
        nearest[picks] = 0.0
        # When only copies of picks are left, any of them is as good as another.
        left = np.where(np.isin(np.arange(len(probs)), picks), 0.0, 1.0)
        weight = nearest if nearest.sum() > 0 else left
        picks.append(int(rng.choice(len(probs), p=weight / weight.sum())))
        nearest = np.minimum(nearest, squared_distance(picks[-1]))
    return np.array(picks)


def coreset(
    features: Float[ArrayLike, "m d"], labelled: Float[ArrayLike, "n d"], k: int
) -> Int[np.ndarray, " k"]:
    r"""Return k picks by greedy k-centre: each is the pool point farthest from all labelled and picked ones.

    .. math:: c = \arg\max_u \min_{x \in L \cup \text{picks}} \|\phi(u) - \phi(x)\|_2

    Args:
        features: Features of the pool, shape (m, d).
        labelled: Features of the labelled inputs, shape (n, d).
        k: Number of picks, 1 to m.

    Returns:
        Distinct pool positions, shape (k,), in the order picked.

    Raises:
        ValueError: For bad shapes, NaN, or k outside 1 to m.

    Source:
        Sener and Savarese (2018), algorithm 1.

    Example:
        >>> coreset(np.array([[1.0], [5.0], [3.0]]), np.array([[0.0]]), 2).tolist()
        [1, 2]
    """
    features = np.asarray(as_float64("features", features, (None, None)))
    labelled = np.asarray(as_float64("labelled", labelled, (None, features.shape[1])))
    k = check_int("k", k, low=1, high=len(features))
    nearest = np.min([((features - one) ** 2).sum(axis=1) for one in labelled], axis=0)
    picks: list[int] = []
    for _ in range(k):
        nearest[picks] = -1.0
        picks.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, ((features - features[picks[-1]]) ** 2).sum(axis=1))
    return np.array(picks)


def lcmd(
    kernel: Float[ArrayLike, "m m"] | Posterior, k: int, *, centres: Float[ArrayLike, "n m"] | None = None
) -> Int[np.ndarray, " k"]:
    r"""Return k picks, each the farthest point of the cluster with the largest total squared distance.

    .. math:: c = \arg\max_{u \in B} d^2(u, \rho(u)), \qquad B = \arg\max_{\text{clusters}} \sum_{u \in B}
              d^2(u, \rho(u)), \qquad d^2(u, v) = \kappa_{uu} + \kappa_{vv} - 2 \kappa_{uv}

    A cluster is what lies nearest to one centre :math:`\rho(u)`; each pick becomes a centre. With the
    covariance S of a look-ahead as the kernel :math:`\kappa` (the posterior transformation) the labels known
    so far shrink the distances, and the first pick is the point of largest variance. With the prior kernel
    :math:`\Theta(U, U)` the labelled inputs are given as the first ``centres`` instead.

    Args:
        kernel: Positive semi-definite, shape (m, m), such as the pool's own, or a look-ahead: then its
            covariance, of which k columns are read.
        k: Number of picks, 1 to m.
        centres: Squared distances of centres that are there already from the pool, shape (n, m), at least 0.
            None: the first pick has the largest diagonal entry.

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
    if isinstance(kernel, Posterior):
        size, column = np.asarray(kernel.variance), lambda c: np.asarray(kernel.columns(c, 1))[:, 0]
    else:
        array = np.asarray(as_float64("kernel", kernel, (None, None)))
        if array.shape[0] != array.shape[1]:
            raise ValueError(f"kernel: expected a square matrix, got shape {array.shape}.")
        size, column = np.diag(array), lambda c: array[:, c]
    m = len(size)
    k = check_int("k", k, low=1, high=m)
    picks: list[int] = []

    def distance_to(c: int) -> np.ndarray:
        distance = size + size[c] - 2 * column(c)
        # Copies are at distance 0: what rounding leaves between them would make clusters of them.
        distance = np.where(distance > 64 * EPS * np.abs(size + size[c]), distance, 0.0)
        distance[c] = 0.0
        return distance

    if centres is None:
        picks.append(int(np.argmax(size)))
        nearest, owner = distance_to(picks[0]), np.zeros(m, dtype=int)
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
        distance = distance_to(picks[-1])
        closer = distance < nearest
        owner[closer], nearest[closer] = count, distance[closer]
        nearest[picks[-1]] = 0.0
        count += 1
    return np.array(picks)
