"""Expected error reduction: how certain the pool would be, on average over a candidate's labels."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ntkal.acquisition.blocks import over_candidates
from ntkal.acquisition.myopic import check_probabilities
from ntkal.errors import check_choice
from ntkal.posterior import Posterior
from ntkal.types import ArrayLike


def eer(post: Posterior, probs: Float[ArrayLike, "m C"], *, link: str = "softmax") -> Float[Array, " m"]:
    r"""Return minus the expected entropy of the pool over each candidate's possible labels.

    .. math:: a_c = -\sum_k p_{ck} \sum_u H\big(q(M^{+(c,k)}_u)\big), \qquad H(q) = -\sum_j q_j \log q_j

    The expectation is exact, over all C classes, at the price of little more than one: label k differs from
    the others by one term of each sum over classes.

    Args:
        post: The look-ahead over the pool.
        probs: Probability of each label for each candidate, shape (m, C), rows sum to one.
        link: From outputs to probabilities q. ``"softmax"`` suits any outputs; ``"clip"`` (clip at 0 and
            normalise, :func:`ntkal.acquisition.probabilities`) reads squared-loss outputs as probabilities.

    Returns:
        Scores in nats, shape (m,), larger is better, at most 0. A candidate that the labelled points
        determine leaves the pool as it is.

    Raises:
        ValueError: When ``probs`` has another shape than the mean, when a row is not a probability vector,
            or for an unknown link.

    Source:
        Roy and McCallum (2001); Mohamadi, Bae and Sutherland (2022), equation (2).

    Example:
        >>> import jax.numpy as jnp
        >>> from ntkal import Lookahead
        >>> post = Lookahead(jnp.zeros((2, 2)), jnp.eye(2), ridge=0.0)
        >>> eer(post, jnp.full((2, 2), 0.5)).round(4).tolist()
        [-1.2754, -1.2754]
    """
    probs = check_probabilities(probs, post.mean.shape)
    check_choice("link", link, _ENTROPY)
    classes = post.mean.shape[1]
    return over_candidates(_ENTROPY[link], post, post.mean, probs, arrays=6 * classes)


def _leave_one_out(terms: Float[Array, "C m b"]) -> Float[Array, "C m b"]:
    """Sum over the classes but one, by running sums from both ends: no cancellation, unlike total - own."""

    def running(total, term):
        return total + term, total

    zero = jnp.zeros_like(terms[0])
    before = jax.lax.scan(running, zero, terms)[1]
    after = jax.lax.scan(running, zero, terms, reverse=True)[1]
    return before + after


def _expected_softmax_entropy(
    mean: Float[Array, "m C"], shift: Float[Array, "m b"], at: Float[Array, "b C"], probs: Float[Array, "b C"]
) -> Float[Array, " b"]:
    """Label k adds w = S_uc / (S_cc + ridge) to output k alone, of outputs a_j = M_uj - w M_cj."""
    base = mean.T[:, :, None] - shift[None] * at.T[:, None, :]
    base = base - base.max(axis=0, keepdims=True)
    others = _leave_one_out(jnp.exp(base))
    others_first = _leave_one_out(jnp.exp(base) * base)
    lifted = base + shift[None]
    # Where label k becomes the largest output, everything is measured from it: no exponential overflows.
    top = jnp.maximum(lifted, 0.0)
    scale, own = jnp.exp(-top), jnp.exp(lifted - top)
    total = scale * others + own
    first = scale * (others_first - top * others) + own * (lifted - top)
    safe = jnp.where(total > 0, total, 1.0)
    entropy = jnp.where(total > 0, jnp.log(safe) - first / safe, 0.0)
    return -jnp.einsum("kub,bk->b", entropy, probs)


def _expected_clipped_entropy(
    mean: Float[Array, "m C"], shift: Float[Array, "m b"], at: Float[Array, "b C"], probs: Float[Array, "b C"]
) -> Float[Array, " b"]:
    """As above for clipped outputs q, where H = log(sum q) - (sum q log q) / (sum q), or log C for q = 0."""
    base = jnp.maximum(mean.T[:, :, None] - shift[None] * at.T[:, None, :], 0.0)
    lifted = jnp.maximum(mean.T[:, :, None] - shift[None] * (at.T[:, None, :] - 1.0), 0.0)
    total = _leave_one_out(base) + lifted
    first = _leave_one_out(_xlogx(base)) + _xlogx(lifted)
    positive = total > 0
    safe = jnp.where(positive, total, 1.0)
    entropy = jnp.where(positive, jnp.log(safe) - first / safe, jnp.log(1.0 * mean.shape[1]))
    return -jnp.einsum("kub,bk->b", entropy, probs)


def _xlogx(x: Float[Array, "..."]) -> Float[Array, "..."]:
    return jnp.where(x > 0, x * jnp.log(jnp.where(x > 0, x, 1.0)), 0.0)


_ENTROPY = {"softmax": _expected_softmax_entropy, "clip": _expected_clipped_entropy}
