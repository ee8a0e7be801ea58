"""Expected error reduction: what the pool would cost, on average over a candidate's labels."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ntkal.acquisition.candidates import over_candidates, over_classes
from ntkal.acquisition.myopic import check_probabilities
from ntkal.inputs import ArrayLike, check_choice
from ntkal.lookahead.posterior import Posterior

Risk = Callable[[Float[Array, "*m C"]], Float[Array, "*m"]]


def eer(post: Posterior, probs: Float[ArrayLike, "m C"], *, link: str = "clip") -> Float[Array, " m"]:
    r"""Return minus the expected entropy of the pool over each candidate's possible labels.

    .. math:: a_c = -\sum_k p_{ck} \sum_u H\big(q(M^{+(c,k)}_u)\big), \qquad H(q) = -\sum_j q_j \log q_j

    The expectation is exact, over all C classes, at the price of little more than one label: label k differs
    from the others by one term of each sum over classes.

    Args:
        post: The look-ahead over the pool.
        probs: Probability of each label for each candidate, shape (m, C), rows sum to one.
        link: From outputs to probabilities q, here and in ``ntkal.acquisition.get("eer", link=...)``.
            ``"clip"`` (clip at 0 and normalise, :func:`ntkal.acquisition.probabilities`) reads squared-loss
            outputs as the probabilities that they estimate; ``"softmax"``, the customary one, suits any
            outputs, but of those it makes nearly uniform rows.

    Returns:
        Scores in nats, shape (m,), larger is better, at most 0. A candidate that the labelled points
        determine leaves the pool as it is.

    Raises:
        ValueError: When ``probs`` has another shape than the mean, when a row is not a probability vector,
            for one class, or for an unknown link.

    Source:
        Roy and McCallum (2001); Mohamadi, Bae and Sutherland (2022), equation (2).

    Example:
        >>> from ntkal import Lookahead
        >>> post = Lookahead(jnp.zeros((2, 2)), jnp.eye(2), ridge=0.0)
        >>> even = jnp.full((2, 2), 0.5)
        >>> eer(post, even).round(4).tolist(), eer(post, even, link="softmax").round(4).tolist()
        ([-0.6931, -0.6931], [-1.2754, -1.2754])
    """
    probs = check_probabilities(probs, post.mean.shape)
    check_choice("link", link, _ENTROPY)
    return over_candidates(_ENTROPY[link], post, post.mean, probs, arrays=3)


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


def expected_risk(post: Posterior, probs: Float[ArrayLike, "m C"], risk: Risk) -> Float[Array, " m"]:
    r"""Return minus the pool's expected risk over each candidate's possible labels.

    .. math:: a_c = -\sum_k p_{ck} \sum_u R\big(M^{+(c,k)}_u\big)

    :func:`ntkal.acquisition.eer` is the case of an entropy, and C times as fast.

    Args:
        post: The look-ahead over the pool.
        probs: Probability of each label for each candidate, shape (m, C), rows sum to one.
        risk: R, from outputs of shape (..., C) to risks of shape (...), a JAX pytree such as
            :class:`ntkal.acquisition.Entropy` or ``jax.tree_util.Partial`` of a function and its arrays.

    Returns:
        Scores, shape (m,), larger is better, in units of the risk. A candidate that the labelled points
        determine leaves the pool as it is.

    Raises:
        ValueError: When ``probs`` has another shape than the mean, a row is not a probability vector, or
            there is one class.

    Source:
        Roy and McCallum (2001), whose loss is left open there.

    Example:
        >>> from ntkal import Lookahead
        >>> post = Lookahead(jnp.zeros((2, 2)), jnp.eye(2), ridge=0.0)
        >>> expected_risk(post, jnp.full((2, 2), 0.5), Entropy()).round(4).tolist()
        [-1.2754, -1.2754]
    """
    probs = check_probabilities(probs, post.mean.shape)
    return over_candidates(_expected, post, post.mean, probs, arrays=4 * len(probs[0]) ** 2, whole=(risk,))


def _expected(
    mean: Float[Array, "C m"],
    shift: Float[Array, "b m"],
    at: Float[Array, "b C"],
    probs: Float[Array, "b C"],
    risk: Risk,
) -> Float[Array, " b"]:
    surprise = jnp.eye(len(mean))[None] - at[:, None, :]
    after = mean.T[None, None] + shift[:, None, :, None] * surprise[:, :, None, :]
    return -jnp.sum(probs * jnp.sum(risk(after), axis=2), axis=1)


def _expected_softmax_entropy(
    mean: Float[Array, "C m"], shift: Float[Array, "b m"], at: Float[Array, "b C"], probs: Float[Array, "b C"]
) -> Float[Array, " b"]:
    """By sums of exponentials as they are, while the outputs of a point stay close enough to each other.

    Where they are at most d apart, what is left of a sum when its largest term is taken out may be exp(-d) of
    it, with a relative error of eps exp(d): at the limit eps^0.7, which is 1e-11 in float64.
    """
    mean, at = mean - jnp.max(mean, axis=0, keepdims=True), at - jnp.max(at, axis=1, keepdims=True)
    furthest = jnp.max(jnp.abs(shift))
    apart = furthest - jnp.min(mean) - furthest * jnp.min(at)
    bearable = -0.3 * np.log(jnp.finfo(mean.dtype).eps)
    return jax.lax.cond(apart < bearable, _by_sums, _by_each_label, mean, shift, at, probs)


def _by_sums(
    mean: Float[Array, "C m"], shift: Float[Array, "b m"], at: Float[Array, "b C"], probs: Float[Array, "b C"]
) -> Float[Array, " b"]:
    """Label k adds w = S_uc / (S_cc + ridge) to output k alone, of outputs a_j = M_uj - w M_cj.

    With Z the sum of exp(a_j) and F that of a_j exp(a_j), label k adds exp(a_k) (e^w - 1) to Z, and
    exp(a_k) ((e^w - 1) a_k + e^w w) to F; the entropy is log Z - F / Z.
    """
    growth = jnp.expm1(shift)
    lift = jnp.exp(shift) * shift

    def add(k, sums):
        output = _output(k, mean, shift, at)
        weight = jnp.exp(output)
        return sums[0] + weight, sums[1] + weight * output

    zero = jnp.zeros_like(shift)
    total, first = over_classes(add, (zero, zero), len(mean))

    def label(k, expected):
        output = _output(k, mean, shift, at)
        weight = jnp.exp(output)
        new_total, new_first = total + weight * growth, first + weight * (growth * output + lift)
        return expected + probs[:, k, None] * (jnp.log(new_total) - new_first / new_total)

    return -jnp.sum(over_classes(label, zero, len(mean)), axis=1)


def _by_each_label(
    mean: Float[Array, "C m"], shift: Float[Array, "b m"], at: Float[Array, "b C"], probs: Float[Array, "b C"]
) -> Float[Array, " b"]:
    """For outputs of any size: all sums anew for each label, from the largest output down."""
    zero = jnp.zeros_like(shift)

    def label(k, expected):
        def output(j):
            return _output(j, mean, shift, at) + jnp.where(j == k, shift, 0.0)

        def add(j, sums):
            below = output(j) - largest
            weight = jnp.exp(below)
            return sums[0] + weight, sums[1] + weight * below

        largest = over_classes(lambda j, top: jnp.maximum(top, output(j)), zero - jnp.inf, len(mean))
        total, first = over_classes(add, (zero, zero), len(mean))
        return expected + probs[:, k, None] * (jnp.log(total) - first / total)

    return -jnp.sum(jax.lax.fori_loop(0, len(mean), label, zero), axis=1)


def _expected_clipped_entropy(
    mean: Float[Array, "C m"], shift: Float[Array, "b m"], at: Float[Array, "b C"], probs: Float[Array, "b C"]
) -> Float[Array, " b"]:
    """As above for clipped outputs q, where H = log(sum q) - (sum q log q) / (sum q), or log C for q = 0."""
    count = len(mean)

    def add(k, sums):
        largest, rest, rest_first = sums
        output = jnp.maximum(_output(k, mean, shift, at), 0.0)
        smaller = jnp.minimum(largest, output)
        return jnp.maximum(largest, output), rest + smaller, rest_first + _xlogx(smaller)

    zero = jnp.zeros_like(shift)
    largest, rest, rest_first = over_classes(add, (zero, zero, zero), count)

    def label(k, expected):
        output = _output(k, mean, shift, at)
        base, lifted = jnp.maximum(output, 0.0), jnp.maximum(output + shift, 0.0)
        is_largest = base >= largest
        others = jnp.where(is_largest, rest, rest - base + largest)
        first = jnp.where(is_largest, rest_first, rest_first - _xlogx(base) + _xlogx(largest))
        total = others + lifted
        positive = total > 0
        safe = jnp.where(positive, total, 1.0)
        entropy = jnp.log(safe) - (first + _xlogx(lifted)) / safe
        return expected + probs[:, k, None] * jnp.where(positive, entropy, jnp.log(1.0 * count))

    return -jnp.sum(over_classes(label, zero, count), axis=1)


def _output(k, mean, shift, at):
    """Output k of the pool once the candidates' outputs count as their labels: M_uk - w M_ck."""
    return mean[k][None, :] - shift * at[:, k, None]


def _xlogx(x: Float[Array, "..."]) -> Float[Array, "..."]:
    return x * jnp.log(jnp.maximum(x, jnp.finfo(x.dtype).tiny))


_ENTROPY = {"softmax": _expected_softmax_entropy, "clip": _expected_clipped_entropy}
