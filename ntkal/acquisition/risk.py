"""Expected error reduction for any risk: what the pool would cost, on average over a candidate's labels."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ntkal.acquisition.candidates import each_candidate
from ntkal.acquisition.myopic import check_probabilities, clipped
from ntkal.inputs import ArrayLike
from ntkal.lookahead.posterior import Posterior

Risk = Callable[[Float[Array, "*m C"]], Float[Array, "*m"]]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Entropy:
    r"""The entropy of softmax probabilities at a temperature: :math:`H(\operatorname{softmax}(f / T))`.

    Attributes:
        temperature: T, above 0. With 1 this is the risk of :func:`ntkal.acquisition.eer` for
            ``link="softmax"``.

    Example:
        >>> Entropy(0.5)(jnp.zeros((1, 2))).round(4).tolist()
        [0.6931]
    """

    temperature: Float[Array, ""] | float = 1.0

    def __call__(self, outputs: Float[Array, "*m C"]) -> Float[Array, "*m"]:
        """Return the entropy of each row in nats."""
        scaled = outputs / self.temperature
        log_q = scaled - jax.nn.logsumexp(scaled, axis=-1, keepdims=True)
        return -jnp.sum(jnp.exp(log_q) * log_q, axis=-1)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class DecisionCost:
    r"""The cost of the best decision, :math:`\min_a \sum_j q_j\, G_{ja}`, with q the clipped outputs.

    Attributes:
        costs: G, shape (C, A): what decision a costs when class j is true.

    Example:
        >>> miss_costs_ten = DecisionCost(jnp.array([[0.0, 1.0], [10.0, 0.0]]))
        >>> miss_costs_ten(jnp.array([[0.95, 0.05], [0.8, 0.2]])).round(2).tolist()
        [0.5, 0.8]
    """

    costs: Float[ArrayLike, "C A"]

    def __call__(self, outputs: Float[Array, "*m C"]) -> Float[Array, "*m"]:
        """Return the least expected cost of each row."""
        return jnp.min(clipped(outputs) @ jnp.asarray(self.costs, dtype=outputs.dtype), axis=-1)

    def decide(self, outputs: Float[ArrayLike, "m C"]) -> Array:
        """Return the decision of least expected cost for each row, shape (m,).

        Example:
            >>> DecisionCost(jnp.array([[0.0, 1.0], [10.0, 0.0]])).decide(jnp.array([[0.8, 0.2]])).tolist()
            [1]
        """
        return jnp.argmin(clipped(jnp.asarray(outputs)) @ jnp.asarray(self.costs), axis=-1)


def expected_risk(post: Posterior, probs: Float[ArrayLike, "m C"], risk: Risk) -> Float[Array, " m"]:
    r"""Return minus the pool's expected risk over each candidate's possible labels.

    .. math:: a_c = -\sum_k p_{ck} \sum_u R\big(M^{+(c,k)}_u\big)

    :func:`ntkal.acquisition.eer` is the case of an entropy, and C times as fast.

    Args:
        post: The look-ahead over the pool.
        probs: Probability of each label for each candidate, shape (m, C), rows sum to one.
        risk: R, from outputs of shape (..., C) to risks of shape (...), a JAX pytree such as
            :class:`ntkal.acquisition.Entropy` or :class:`ntkal.acquisition.DecisionCost`.

    Returns:
        Scores, shape (m,), larger is better, in units of the risk. A candidate that the labelled points
        determine leaves the pool as it is.

    Raises:
        ValueError: When ``probs`` has another shape than the mean, or a row is not a probability vector.

    Source:
        Roy and McCallum (2001), whose loss is left open there.

    Example:
        >>> from ntkal import Lookahead
        >>> post = Lookahead(jnp.zeros((2, 2)), jnp.eye(2), ridge=0.0)
        >>> expected_risk(post, jnp.full((2, 2), 0.5), Entropy()).round(4).tolist()
        [-1.2754, -1.2754]
    """
    probs = check_probabilities(probs, post.mean.shape)
    return each_candidate(_of_candidate, post, probs, risk, arrays=4 * post.mean.shape[1] ** 2)


def _of_candidate(post, shift, c, probs, risk):
    surprise = jnp.eye(post.mean.shape[1], dtype=post.mean.dtype) - post.mean[c][None]
    after = post.mean[None] + shift[None] * surprise[:, None, :]
    return -jnp.dot(probs[c], jnp.sum(risk(after), axis=1))
