"""Pseudo-labels by clusters, and how much of the pool each candidate would let a look-ahead cover."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ntkal.acquisition.candidates import each_candidate
from ntkal.inputs import ArrayLike, as_float64, check_int
from ntkal.lookahead.posterior import Posterior


def clusters(kernel: Float[ArrayLike, "m m"], k: int, *, seed: int = 0) -> Int[np.ndarray, " m"]:
    r"""Return the clusters of k-means in a kernel's feature space.

    The features are the rows of :math:`Q \sqrt D` for :math:`\kappa = Q D Q^\top`, whose inner products are
    the kernel; directions that carry less than a billionth of the largest eigenvalue are left out.

    Args:
        kernel: Positive semi-definite, shape (m, m).
        k: Number of clusters, 1 to m.
        seed: At least 0; where k-means starts.

    Returns:
        The number of each point's cluster, 0 to k - 1, shape (m,).

    Raises:
        ValueError: For bad shapes, NaN, or k outside 1 to m.

    Example:
        >>> points = np.array([[0.0], [0.1], [5.0], [5.2]])
        >>> found = clusters(points @ points.T, 2)
        >>> bool(found[0] == found[1]), bool(found[2] == found[3]), bool(found[0] == found[2])
        (True, True, False)
    """
    from sklearn.cluster import KMeans

    kernel = as_float64("kernel", kernel, (None, None))
    if kernel.shape[0] != kernel.shape[1]:
        raise ValueError(f"kernel: expected a square matrix, got shape {kernel.shape}.")
    k = check_int("k", k, low=1, high=len(kernel))
    seed = check_int("seed", seed, low=0)
    values, vectors = np.linalg.eigh(np.asarray(kernel))
    kept = values > 1e-9 * values[-1]
    features = vectors[:, kept] * np.sqrt(values[kept])
    if not kept.any() or k == 1:  # all points are one
        return np.zeros(len(kernel), dtype=np.int64)
    return KMeans(k, n_init=3, random_state=seed).fit_predict(features).astype(np.int64)


def coverage(post: Posterior, pseudo: Int[ArrayLike, " m"]) -> Float[Array, " m"]:
    r"""Return the share of the pool whose pseudo-label the look-ahead predicts, for each candidate.

    .. math:: a_c = \frac1m\,\#\{u : \arg\max_k M^{+c}_{uk} = z_u\}, \qquad
              M^{+c}_u = M_u + \frac{S_{uc}}{S_{cc} + \lambda} (e_{z_c} - M_c)

    z are the pseudo-labels, and M must have been fitted to those of the labelled inputs. One minus the score
    is the pool's error after the look-ahead, measured on pseudo-labels.

    Args:
        post: The look-ahead over the pool, trained on pseudo-labels: one output for each.
        pseudo: Pseudo-label of each pool input, 0 to C - 1, shape (m,).

    Returns:
        Scores, shape (m,), larger is better, between 0 and 1. A candidate that the labelled points determine
        leaves the share as it is.

    Raises:
        ValueError: When there is not one pseudo-label for each pool input, or one has no output.

    Source:
        After Wen, Pizarro and Williams (2023), who train the look-ahead on clusters of the features of a
        self-supervised network.

    Example:
        >>> from ntkal import Lookahead
        >>> cov = jnp.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.0]])
        >>> coverage(Lookahead(jnp.zeros((3, 2)), cov, ridge=0.1), np.array([1, 1, 0])).round(2).tolist()
        [1.0, 1.0, 0.33]
    """
    m, C = post.mean.shape
    pseudo = np.asarray(pseudo)
    if pseudo.shape != (m,):
        raise ValueError(f"pseudo: expected one label for each of {m} pool inputs, got {pseudo.shape}.")
    if pseudo.min() < 0 or pseudo.max() >= C:
        raise ValueError(
            f"pseudo: labels run from {pseudo.min()} to {pseudo.max()}, but the look-ahead has {C} outputs, "
            f"0 to {C - 1}."
        )
    return each_candidate(_covered, post, jnp.asarray(pseudo), arrays=2 * C)


def _covered(post, shift, c, pseudo):
    surprise = jax.nn.one_hot(pseudo[c], post.mean.shape[1], dtype=post.mean.dtype) - post.mean[c]
    after = post.mean + shift * surprise[None, :]
    return jnp.mean(jnp.argmax(after, axis=1) == pseudo, dtype=post.mean.dtype)
