"""Queries one by one: pick a candidate, put its label through the look-ahead, score again; no training."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from ntkal import acquisition
from ntkal.acquisition import PoolView, Strategy
from ntkal.inputs import ArrayLike
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
    labels: Float[ArrayLike, "m C"] | None = None,
) -> Int[np.ndarray, " k"]:
    """Pick k candidates, each after the labels of those before it went through the look-ahead.

    The pool keeps its size, so that nothing is compiled again: a candidate already picked is masked instead.
    Strategies see the linearised mean as the model's outputs.

    Args:
        strategy: One that scores candidates by the outputs or the look-ahead; :func:`check` says which do.
        post: The linearised network over the pool.
        k: Number of candidates to pick, at most m.
        rng: For strategies that draw or break ties.
        labels: True label vectors, shape (m, C), revealed after each pick; if None, the candidate is taken to
            have the class that the linearised mean gives it at that moment.

    Returns:
        Positions in the pool, shape (k,), in the order they were picked.

    Example:
        >>> from ntkal import Lookahead
        >>> post = Lookahead(jnp.zeros((3, 2)), jnp.diag(jnp.array([1.0, 3.0, 2.0])), ridge=1.0)
        >>> pick(acquisition.get("mlmoc_norm"), post, 2, np.random.default_rng(0)).tolist()
        [1, 2]
    """
    picks: list[int] = []
    for _ in range(k):
        scores = np.array(strategy.score(PoolView(post.mean, post=post), rng))
        scores[picks] = -np.inf
        best = int(np.argmax(scores))
        picks.append(best)
        if labels is None:
            y = jax.nn.one_hot(jnp.argmax(post.mean[best]), post.mean.shape[1], dtype=post.mean.dtype)
        else:
            y = jnp.asarray(labels[best])
        if len(picks) < k:
            post = post.reveal(best, y)
    return np.asarray(picks)


def check(strategy: Strategy, mode: str) -> None:
    """Raise a ValueError when a strategy cannot use labels that come one by one.

    Example:
        >>> check(acquisition.get("random"), "batch")
    """
    if mode == "batch" or "lookahead" in strategy.needs or strategy.name in MYOPIC:
        return
    able = [name for name in acquisition.names() if "lookahead" in acquisition.get(name).needs]
    raise ValueError(
        f"mode: {strategy.name!r} does not score candidates by the model's outputs, so it cannot use "
        f"labels one by one; give it mode 'batch', or take one of {', '.join(sorted({*able, *MYOPIC}))}."
    )
