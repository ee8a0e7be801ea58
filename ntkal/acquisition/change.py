"""Look-ahead scores from the outputs after a label: how much they move."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ntkal.acquisition.candidates import gain, over_candidates, over_classes
from ntkal.acquisition.myopic import check_classes, check_probabilities
from ntkal.inputs import ArrayLike
from ntkal.lookahead.posterior import Posterior


def most_likely(post: Posterior) -> Float[Array, "m C"]:
    """Return each candidate's most likely label as a one-hot vector, the arg-max of the mean.

    Raises:
        ValueError: When the look-ahead has a single output.

    Example:
        >>> from ntkal import Lookahead
        >>> most_likely(Lookahead(jnp.array([[0.2, 0.7]]), jnp.eye(1), ridge=0.0)).tolist()
        [[0.0, 1.0]]
    """
    check_classes("post", post.mean.shape[1])
    return jax.nn.one_hot(jnp.argmax(post.mean, axis=1), post.mean.shape[1], dtype=post.mean.dtype)


def mlmoc(post: Posterior) -> Float[Array, " m"]:
    r"""Return how many pool predictions flip once each candidate has its most likely label.

    .. math:: a_c = \#\{u : \arg\max_k M^{+c}_{uk} \ne \arg\max_k M_{uk}\}
              + \tfrac12 \, b_c / \max_{c'} b_{c'}

    where b is the norm form :func:`mlmoc_norm`: it breaks ties and never outweighs one flip. This is the
    objective of the paper's released code. A candidate that the labelled points determine scores 0.

    Args:
        post: The look-ahead over the pool.

    Returns:
        Scores, shape (m,), larger is better; the integer part counts flips. All are NaN where an output is.

    Raises:
        ValueError: When the look-ahead has a single output.

    Source:
        Mohamadi, Bae and Sutherland (2022), section 3; the arg-max form is that of the released code.

    Example:
        >>> from ntkal import Lookahead
        >>> mean = jnp.array([[0.9, 0.1], [0.5, 0.4]])
        >>> cov = jnp.array([[1.0, -0.6], [-0.6, 1.0]])
        >>> mlmoc(Lookahead(mean, cov, ridge=0.0)).round(2).tolist()
        [1.11, 0.5]
    """
    norm = mlmoc_norm(post)
    largest = jnp.max(norm)
    flips = over_candidates(_flips, post, most_likely(post) - post.mean, arrays=2)
    return flips + 0.5 * norm / jnp.where(largest == 0, 1.0, largest)


def mlmoc_norm(post: Posterior) -> Float[Array, " m"]:
    r"""Return the summed change of the pool's outputs once each candidate has its most likely label.

    .. math:: b_c = \sum_u \| M^{+c}_u - M_u \|_2
              = \|y_c - M_c\|_2 \, \frac{\sum_u |S_{uc}|}{S_{cc} + \lambda}

    Both sides of the difference are the linearised network; the printed (13) subtracts the network itself,
    which adds a constant where the two differ. Cost O(m^2), with no m x m x C array.

    Args:
        post: The look-ahead over the pool.

    Returns:
        Scores, shape (m,), larger is better, in units of the outputs. A candidate that the labelled points
        determine scores 0.

    Raises:
        ValueError: When the look-ahead has a single output.

    Source:
        Mohamadi, Bae and Sutherland (2022), equation (13).

    Example:
        >>> from ntkal import Lookahead
        >>> post = Lookahead(jnp.array([[1.0, 0.5]]), 2 * jnp.eye(1), ridge=0.0)
        >>> mlmoc_norm(post).tolist()
        [0.5]
    """
    return jnp.linalg.norm(most_likely(post) - post.mean, axis=1) * _reach(post)


def emoc(post: Posterior, probs: Float[ArrayLike, "m C"]) -> Float[Array, " m"]:
    r"""Return the expected change of the pool's outputs over each candidate's possible labels.

    .. math:: a_c = \sum_k p_{ck} \sum_u \| M^{+(c,k)}_u - M_u \|_2
              = \Big(\sum_k p_{ck} \|e_k - M_c\|_2\Big) \frac{\sum_u |S_{uc}|}{S_{cc} + \lambda}

    Args:
        post: The look-ahead over the pool.
        probs: Probability of each label for each candidate, shape (m, C), rows sum to one.

    Returns:
        Scores, shape (m,), larger is better, in units of the outputs. A candidate that the labelled points
        determine scores 0.

    Raises:
        ValueError: When ``probs`` has another shape than the mean, a row is not a probability vector, or
            there is one class.

    Source:
        Freytag, Rodner and Denzler (2014); Mohamadi, Bae and Sutherland (2022), equation (3).

    Example:
        >>> from ntkal import Lookahead
        >>> post = Lookahead(jnp.zeros((1, 2)), jnp.eye(1), ridge=0.0)
        >>> emoc(post, jnp.array([[0.5, 0.5]])).tolist()
        [1.0]
    """
    return _expected_distance(post.mean, check_probabilities(probs, post.mean.shape)) * _reach(post)


@jax.jit
def _expected_distance(mean, probs):
    return jnp.sum(probs * _distances(mean), axis=1)


def _distances(mean: Float[Array, "m C"]) -> Float[Array, "m C"]:
    """Return each row's distances to the one-hot labels: the other entries' squares by sums from both ends.

    No m x C x C array, and no cancellation where an output is close to its label or far from all.
    """
    square = mean.T**2
    zero = jnp.zeros((1, len(mean)))
    before = jnp.concatenate([zero, jnp.cumsum(square, axis=0)[:-1]])
    after = jnp.concatenate([jnp.cumsum(square[::-1], axis=0)[:-1][::-1], zero])
    return jnp.sqrt(before + after + (mean.T - 1.0) ** 2).T


@jax.jit
def _reach(post: Posterior) -> Float[Array, " m"]:
    """How far a unit surprise at each candidate moves the pool: the row sums of |S| times the gain."""
    sums = post.absolute_sums()
    return over_candidates(_spread, post, arrays=1) if sums is None else sums * gain(post)


def _spread(mean: Float[Array, "C m"], shift: Float[Array, "b m"]) -> Float[Array, " b"]:
    return jnp.abs(shift) @ jnp.ones(shift.shape[1], mean.dtype)  # faster in XLA than a sum


def _flips(mean: Float[Array, "C m"], shift: Float[Array, "b m"], surprise: Float[Array, "b C"]):
    """How many of the pool's classes change; an exact tie goes to the lower, as in arg-max."""

    def challenge(k, best):
        output = mean[k][None, :] + shift * surprise[:, k, None]
        return jnp.maximum(best[0], output), jnp.where(output > best[0], k, best[1])

    nobody = jnp.full(shift.shape, -jnp.inf, shift.dtype), jnp.zeros(shift.shape, jnp.int32)
    classes = over_classes(challenge, nobody, len(mean))[1]
    flipped = classes != jnp.argmax(mean, axis=0)[None, :]
    return jnp.sum(flipped, axis=1, dtype=mean.dtype)
