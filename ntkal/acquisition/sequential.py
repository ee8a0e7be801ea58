"""Queries one by one: pick a candidate, put its label through the look-ahead, score again; no training."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int, Shaped

from ntkal import acquisition
from ntkal.acquisition.change import most_likely
from ntkal.acquisition.myopic import check_classes
from ntkal.acquisition.registry import PoolView, Strategy, best
from ntkal.inputs import ArrayLike, as_labels, check_int
from ntkal.lookahead.posterior import Posterior

MODES = ("batch", "sequential", "hallucinated")
# Strategies that rank by the outputs alone: one label at a time, they rank by the linearised mean.
MYOPIC = ("entropy", "least_confident", "margin")


def pick(
    strategy: Strategy,
    post: Posterior,
    k: int,
    rng: np.random.Generator,
    *,
    labels: Shaped[ArrayLike, "m C"] | None = None,
) -> Int[np.ndarray, " k"]:
    """Pick k candidates, each after the labels of those before it went through the look-ahead.

    The pool keeps its size, so that nothing is compiled again: a candidate already picked is masked instead.
    Strategies see the linearised mean as the model's outputs.

    Args:
        strategy: One that scores candidates by the outputs or the look-ahead; :func:`check` says which do.
        post: The linearised network over the pool, held in any form.
        k: Number of candidates to pick, 1 to m.
        rng: For strategies that draw or break ties.
        labels: True label vectors, shape (m, C), revealed after each pick; if None, the candidate is taken to
            have the class that the linearised mean gives it at that moment.

    Returns:
        Positions in the pool, shape (k,), in the order they were picked.

    Raises:
        ValueError: When k is not between 1 and m, a score is NaN, the strategy cannot use labels one by one,
            the labels have another shape, or there are none and the look-ahead has a single output.
        SingularKernelError: When the labels so far determine a pick already and the ridge is 0.

    Example:
        >>> from ntkal import Lookahead
        >>> post = Lookahead(jnp.zeros((3, 2)), jnp.diag(jnp.array([1.0, 3.0, 2.0])), ridge=1.0)
        >>> pick(acquisition.get("mlmoc_norm"), post, 2, np.random.default_rng(0)).tolist()
        [1, 2]
    """
    k, labels = _checked(strategy, post, k, labels)
    picks: list[int] = []
    while True:
        scores = np.array(strategy.score(PoolView(post.mean, post=post), rng))
        best(scores, 1)  # refuses NaN, as a batch does
        scores[picks] = -np.inf
        picks.append(int(np.argmax(scores)))
        if len(picks) == k:
            return np.asarray(picks)
        post = post.reveal(picks[-1], (most_likely(post) if labels is None else labels)[picks[-1]])


def pick_compiled(
    strategy: Strategy, post: Posterior, k: int, *, labels: Shaped[ArrayLike, "m C"] | None = None
) -> Int[np.ndarray, " k"]:
    """Return the picks of :func:`pick` from one compiled loop, for strategies that draw nothing.

    Args:
        strategy: This and the rest as in :func:`pick`; its score has to be traceable, as the registry's are.
        post: The linearised network over the pool.
        k: Number of candidates to pick.
        labels: True label vectors, or None.

    Raises:
        ValueError: As :func:`pick`, also when a pick was determined already: its label leaves NaN.

    Example:
        >>> from ntkal import Lookahead
        >>> post = Lookahead(jnp.zeros((3, 2)), jnp.diag(jnp.array([1.0, 3.0, 2.0])), ridge=1.0)
        >>> pick_compiled(acquisition.get("mlmoc_norm"), post, 2).tolist()
        [1, 2]
    """
    k, labels = _checked(strategy, post, k, labels)
    picks, bad = (np.asarray(out) for out in _scan(strategy, post.with_room(k), k, labels))
    if bad.any():
        raise ValueError(
            f"scores: some are NaN at pick {int(bad.argmax())} of {k}: an output was NaN, or the labels "
            "so far determined the pick before. Choose fewer, or fit with a ridge above 0."
        )
    return picks


@partial(jax.jit, static_argnums=(0, 2))
def _scan(strategy, post, k, labels):
    def step(carry, _):
        post, free = carry
        scores = strategy.score(PoolView(post.mean, post=post), None)
        c = jnp.argmax(jnp.where(free, scores, -jnp.inf))
        bad = jnp.isnan(scores).any() | jnp.isnan(post.mean).any()
        later = post.reveal(c, (most_likely(post) if labels is None else labels)[c])
        return (later, free.at[c].set(False)), (c, bad)

    return jax.lax.scan(step, (post, jnp.ones(len(post.mean), bool)), length=k)[1]


def _checked(strategy: Strategy, post: Posterior, k: int, labels: ArrayLike | None):
    check(strategy, "sequential")
    k = check_int("k", k, low=1, high=len(post.mean))
    if labels is not None:
        return k, as_labels("labels", labels, post.mean.shape)
    check_classes("labels: without them the most likely class counts", post.mean.shape[1])
    return k, None


def check(strategy: Strategy, mode: str) -> None:
    """Raise a ValueError when a strategy cannot use labels that come one by one.

    Example:
        >>> check(acquisition.get("random"), "batch")
    """
    if mode == "batch" or (
        strategy.name != "random" and strategy.score is not None and strategy.needs <= {"lookahead"}
    ):
        return
    able = [name for name in acquisition.names() if "lookahead" in acquisition.get(name).needs]
    raise ValueError(
        f"mode: {strategy.name!r} does not score candidates by the model's outputs, so it cannot use "
        f"labels one by one; give it mode 'batch', or take one of {', '.join(sorted({*able, *MYOPIC}))}."
    )
