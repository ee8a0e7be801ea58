"""One registry of query strategies, and what a strategy may look at."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float, Int

from ntkal.acquisition.change import emoc, mlmoc, mlmoc_norm
from ntkal.acquisition.diversity import badge, coreset
from ntkal.acquisition.myopic import bald, entropy, least_confident, margin, probabilities
from ntkal.acquisition.risk import eer
from ntkal.inputs import ArrayLike, as_float64, as_positions, check_choice, check_int
from ntkal.lookahead.posterior import Posterior


@dataclass(frozen=True)
class PoolView:
    """What a strategy may look at; what it does not need can be left out.

    Attributes:
        outputs: The model's outputs on the pool, shape (m, C).
        features_pool: Inputs of the last layer on the pool, shape (m, d).
        features_labelled: The same on the labelled inputs, shape (n, d).
        post: The look-ahead over the pool, of any kind.
        ensemble: Outputs on the pool of E networks trained alike, shape (E, m, C);
            :mod:`ntkal.training.ensemble`.
        predicted_loss: The loss that a trained module predicts, shape (m,);
            :mod:`ntkal.training.loss_prediction`.

    Example:
        >>> PoolView(np.array([[0.6, 0.2]])).probs.round(2).tolist()
        [[0.75, 0.25]]
    """

    outputs: Float[ArrayLike, "m C"]
    features_pool: Float[ArrayLike, "m d"] | None = None
    features_labelled: Float[ArrayLike, "n d"] | None = None
    post: Posterior | None = None
    ensemble: Float[ArrayLike, "E m C"] | None = None
    predicted_loss: Float[ArrayLike, " m"] | None = None

    @cached_property
    def probs(self) -> Float[Array, "m C"]:
        """Class probabilities of the pool, shape (m, C)."""
        return probabilities(self.outputs)


# The field of a view that each need asks for.
_FIELDS = {
    "features": "features_pool",
    "lookahead": "post",
    "ensemble": "ensemble",
    "predicted_loss": "predicted_loss",
}

Pick = Callable[[PoolView, int, np.random.Generator], ArrayLike]
Score = Callable[[PoolView, np.random.Generator], ArrayLike]


@dataclass(frozen=True)
class Strategy:
    """A named way to choose k pool points.

    Attributes:
        name: The name in the registry.
        needs: What it reads beside the outputs: a subset of ``{"features", "lookahead", "ensemble",
            "predicted_loss"}``.
        score: ``score(view, rng) -> (m,)``, larger is better, or None when it picks sets.
        pick: ``pick(view, k, rng) -> (k,)`` positions, or None when it takes the best scores.

    Example:
        >>> view = PoolView(np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3]]))
        >>> get("margin")(view, 2, np.random.default_rng(0)).tolist()
        [1, 2]
    """

    name: str
    needs: frozenset[str] = frozenset()
    score: Score | None = None
    pick: Pick | None = None

    def __call__(self, view: PoolView, k: int, rng: np.random.Generator) -> Int[np.ndarray, " k"]:
        """Return k distinct pool positions, best first; equal scores go to the lower position.

        Raises:
            ValueError: When k is not between 1 and m, the view lacks what the strategy needs, or a score is
                NaN.
        """
        m = len(view.outputs)
        k = check_int("k", k, low=1, high=m)
        missing = [_FIELDS[need] for need in sorted(self.needs) if getattr(view, _FIELDS[need]) is None]
        if missing:
            raise ValueError(
                f"view: strategy {self.name!r} needs {' and '.join(missing)}, which this PoolView lacks; "
                "give it when you make the view."
            )
        if self.pick is None:
            return best(self.score(view, rng), k)
        picks = as_positions("picks", self.pick(view, k, rng), m - 1)
        if len(picks) != k:
            raise ValueError(f"picks: strategy {self.name!r} was asked for {k} and gave {len(picks)}.")
        return picks


def best(scores: Float[ArrayLike, " m"], k: int) -> Int[np.ndarray, " k"]:
    """Return the positions of the k largest scores, best first; ties go to the lower position.

    Raises:
        ValueError: When a score is NaN, or k is not between 1 and m.
    """
    scores = np.asarray(scores)
    if np.isnan(scores).any():
        raise ValueError(
            f"scores: {int(np.isnan(scores).sum())} of {scores.size} are NaN; nothing can be picked."
        )
    return np.argsort(-scores, kind="stable")[: check_int("k", k, low=1, high=len(scores))]


def _of_probs(score: Callable[..., jax.Array]) -> Score:
    return lambda view, rng: score(view.probs)


def _of_post(score: Callable[..., jax.Array]) -> Score:
    return lambda view, rng: score(view.post)


def _expected(score: Callable[..., jax.Array]) -> Score:
    """Expectation over the probabilities that the linearised network's own outputs give to each label."""
    return lambda view, rng, **options: score(view.post, probabilities(view.post.mean), **options)


def _disagreement(view: PoolView, rng: np.random.Generator) -> jax.Array:
    return bald(probabilities(as_float64("ensemble", view.ensemble, (None, *np.shape(view.outputs)))))


def _predicted_loss(view: PoolView, rng: np.random.Generator) -> jax.Array:
    return as_float64("predicted_loss", view.predicted_loss, (len(view.outputs),))


_LOOKAHEAD = frozenset({"lookahead"})
_FEATURES = frozenset({"features"})

_REGISTRY = {
    strategy.name: strategy
    for strategy in (
        Strategy("random", score=lambda view, rng: rng.random(len(view.outputs))),
        *(Strategy(score.__name__, score=_of_probs(score)) for score in (least_confident, margin, entropy)),
        Strategy("bald", frozenset({"ensemble"}), score=_disagreement),
        Strategy("badge", _FEATURES, pick=lambda view, k, rng: badge(view.probs, view.features_pool, k, rng)),
        Strategy(
            "coreset", _FEATURES, pick=lambda v, k, rng: coreset(v.features_pool, v.features_labelled, k)
        ),
        Strategy("ll4al", frozenset({"predicted_loss"}), score=_predicted_loss),
        *(Strategy(score.__name__, _LOOKAHEAD, score=_of_post(score)) for score in (mlmoc, mlmoc_norm)),
        *(Strategy(score.__name__, _LOOKAHEAD, score=_expected(score)) for score in (emoc, eer)),
    )
}
_OPTIONS = {"eer": ("link",)}


def names() -> tuple[str, ...]:
    """Return the names of all strategies.

    Example:
        >>> "mlmoc" in names()
        True
    """
    return tuple(_REGISTRY)


def get(name: str, **options: Any) -> Strategy:
    """Return the strategy of that name.

    Args:
        name: One of :func:`names`.
        **options: Options of its score: ``link`` for ``"eer"``, as in :func:`ntkal.acquisition.eer`.

    Raises:
        ValueError: For an unknown name or option; the message lists the known ones.

    Example:
        >>> get("mlmoc").needs, get("eer", link="softmax").name
        (frozenset({'lookahead'}), 'eer')
    """
    strategy = _REGISTRY[check_choice("strategy", name, _REGISTRY)]
    for option in options:
        check_choice(f"an option of {name!r}", option, _OPTIONS.get(name, ()))
    return replace(strategy, score=partial(strategy.score, **options)) if options else strategy
