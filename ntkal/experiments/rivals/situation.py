"""What every way to look ahead is given, the face it shows, and the scores that are made of what it says."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ntkal.acquisition import mlmoc, mlmoc_norm
from ntkal.acquisition.myopic import check_classes
from ntkal.inputs import ArrayLike, as_float64, as_inputs, as_labels, check_choice, check_int, check_number
from ntkal.lookahead import Posterior
from ntkal.models import Model
from ntkal.training.sgd import TrainConfig

OBJECTIVES = {"mlmoc": mlmoc, "mlmoc_norm": mlmoc_norm}
MEMORY = 2**28
"""Bytes that one block of candidates may take, if it is more than a single candidate."""


@dataclass(frozen=True)
class Situation:
    """A trained network, its labelled inputs, and the pool that a query is to be chosen from.

    Attributes:
        model: The network.
        params: Its parameters, trained on the labelled inputs.
        x_l: Labelled inputs (n, ...); y_l are their label vectors (n, C), one-hot, and f_l the outputs there.
        x_p: Pool inputs (m, ...); f_p are the outputs there (m, C).
        logit: The logit of the empirical kernel, as in :func:`ntkal.empirical_ntk`, except ``"all"``.
        relative_ridge: Ridge as a fraction of the labelled kernel's mean diagonal, at least 0.
        train: How the network was trained.
        key: A JAX random key; it draws the batches of those who train.
        infinite: Name of an infinitely wide network, as in :func:`ntkal.kernels.kernel_fn`.

    Raises:
        ValueError: When inputs, outputs and labels do not fit, are none or have NaN; for a negative ridge.

    Example:
        >>> from ntkal import models
        >>> x, model = np.eye(2), models.mlp((2,), 2, width=4)
        >>> Situation(model, model.init(jax.random.key(0)), x, x, x, 0 * x, 0 * x).relative_ridge
        0.01
    """

    model: Model
    params: Any
    x_l: ArrayLike
    y_l: ArrayLike
    x_p: ArrayLike
    f_l: ArrayLike
    f_p: ArrayLike
    logit: int | str = "sum"
    relative_ridge: float = 1e-2
    train: TrainConfig = field(default_factory=TrainConfig)
    key: jax.Array | None = None
    infinite: str = "mlp"

    def __post_init__(self):
        x_l, x_p = as_inputs("x_l", self.x_l), as_inputs("x_p", self.x_p)
        if x_l.shape[1:] != x_p.shape[1:]:
            raise ValueError(f"x_p: expected inputs of shape {x_l.shape[1:]} like x_l, got {x_p.shape[1:]}.")
        classes = as_float64("f_p", self.f_p, (len(x_p), None)).shape[1]
        as_float64("f_l", self.f_l, (len(x_l), classes))
        object.__setattr__(self, "y_l", np.asarray(as_labels("y_l", self.y_l, (len(x_l), classes))))
        check_number("relative_ridge", self.relative_ridge, low=0)

    def ridge(self, k_ll: Float[ArrayLike, "n n"]) -> float:
        """Return the absolute ridge for a labelled kernel: the stated fraction of its mean diagonal."""
        return float(self.relative_ridge) * float(jnp.mean(jnp.diagonal(jnp.asarray(k_ll))))


@dataclass(frozen=True)
class Rival:
    """A named way to tell what the pool's outputs would be once a candidate has its most likely label.

    Attributes:
        name: The name in the registry.
        prepare: ``prepare(situation) -> state``: all that is done once for the whole pool, such as kernels.
        before: ``before(state) -> (m, C)``: the outputs that changes are counted from. A candidate's most
            likely label is their arg-max.
        after: ``after(state, block=None)`` yields ``(positions (b,), outputs (b, m, C))`` until each
            candidate has come once; ``block`` is the largest b, and None lets the rival choose.
        closed: Whether the state is a look-ahead, which has closed forms of the scores.
        centred: Whether changes are counted from the mean of the outputs after all candidates, in place of
            ``before``: it takes out what happens whoever the candidate is, and keeps m * m * C numbers.

    Example:
        >>> from ntkal import Lookahead
        >>> post = Lookahead(jnp.zeros((2, 1)), jnp.eye(2), ridge=1.0)
        >>> rival = of_lookahead("as it is", lambda post: post)
        >>> [positions.tolist() for positions, _ in rival.after(rival.prepare(post), 1)]
        [[0], [1]]
    """

    name: str
    prepare: Callable[[Any], Any]
    before: Callable[[Any], Float[ArrayLike, "m C"]]
    after: Callable[..., Iterator[tuple[np.ndarray, ArrayLike]]]
    closed: bool = False
    centred: bool = False


def score(rival: Rival, state: Any, objective: str = "mlmoc", block: int | None = None) -> Float[Array, " m"]:
    r"""Return how much each candidate, with its most likely label, would change the pool's outputs.

    .. math:: b_c = \sum_u \| f^{+c}_u - f_u \|_2, \qquad
              a_c = \#\{u : \arg\max_k f^{+c}_{uk} \ne \arg\max_k f_{uk}\} + \tfrac12 b_c / \max_{c'} b_{c'}

    With a look-ahead as its state these are :func:`ntkal.mlmoc` and :func:`ntkal.mlmoc_norm` themselves.
    For a ``centred`` rival :math:`f` is the mean of :math:`f^{+c}` over the candidates c.

    Args:
        rival: The way to look ahead.
        state: What its ``prepare`` returned.
        objective: ``"mlmoc"`` for a, the flips of the paper's released code with ties broken by b;
            ``"mlmoc_norm"`` for b, its equation (13).
        block: Candidates at a time, at least 1, for speed and memory; None lets the rival choose.

    Returns:
        Scores, shape (m,), float64, larger is better.

    Raises:
        ValueError: For an unknown objective, a block below 1, or a single output, which has no flips.
        FloatingPointError: When a candidate's outputs are not finite: its training diverged.

    Example:
        >>> from ntkal import Lookahead
        >>> post = Lookahead(jnp.array([[0.75, 0.0]]), jnp.eye(1), ridge=0.0)
        >>> score(of_lookahead("as it is", lambda post: post), post, "mlmoc_norm").tolist()
        [0.25]
    """
    check_choice("objective", objective, OBJECTIVES)
    if rival.closed and block is None:
        return OBJECTIVES[objective](state)
    block = None if block is None else check_int("block", block, low=1)
    before = jnp.asarray(rival.before(state))
    if objective == "mlmoc":
        check_classes("before", before.shape[1])
    flips, norm = np.full((2, len(before)), np.nan)
    changed = rival.after(state, block)
    if rival.centred:
        every = np.empty((len(before), *before.shape))
        for positions, outputs in changed:
            every[positions] = outputs
        before = jnp.asarray(every.mean(axis=0))
        changed = ((at, every[at]) for at in spans(len(every), None, before.shape[1]))
    for positions, outputs in changed:
        flips[positions], norm[positions] = map(np.asarray, _change(before, jnp.asarray(outputs)))
    bad = np.flatnonzero(~np.isfinite(norm))
    if bad.size:
        raise FloatingPointError(
            f"{rival.name}: the outputs after {len(bad)} of {len(norm)} candidates are not finite, first "
            f"after candidate {bad[0]}: training diverged. Use a smaller learning rate."
        )
    return jnp.asarray(norm if objective == "mlmoc_norm" else flips + 0.5 * norm / (norm.max() or 1.0))


@jax.jit
def _change(before, outputs):
    before, outputs = before[None].astype(jnp.float64), outputs.astype(jnp.float64)
    flips = jnp.sum(outputs.argmax(axis=2) != before.argmax(axis=2), axis=1)
    return flips, jnp.sum(jnp.linalg.norm(outputs - before, axis=2), axis=1)


def likely(outputs: Float[ArrayLike, "m C"]) -> Float[Array, "m C"]:
    """Return each row's largest entry as a one-hot vector; the first of several."""
    outputs = jnp.asarray(outputs)
    return jax.nn.one_hot(jnp.argmax(outputs, axis=1), outputs.shape[1], dtype=jnp.float64)


def spans(m: int, block: int | None, classes: int = 1) -> Iterator[np.ndarray]:
    """Yield the positions 0 to m - 1 in blocks of one size; the last may go over ground of the one before.

    A block of None stands for as many as there is ``MEMORY`` for (m, C) arrays of float64.

    Example:
        >>> [part.tolist() for part in spans(5, 2)]
        [[0, 1], [2, 3], [3, 4]]
    """
    block = min(block or max(1, MEMORY // (8 * m * classes)), m)
    for start in range(0, m, block):
        yield np.arange(block) + min(start, m - block)


def of_lookahead(name: str, prepare: Callable[[Any], Posterior]) -> Rival:
    """Return the rival whose state is the look-ahead that ``prepare(situation)`` gives."""

    def after(post, block=None):
        labels = likely(post.mean)
        for at in spans(len(labels), block, labels.shape[1]):
            yield at, jax.vmap(post.after)(at, labels[at])

    return Rival(name, prepare, before=lambda post: post.mean, after=after, closed=True)
