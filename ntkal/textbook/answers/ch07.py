"""Checkers for the exercises of chapter 7, myopic acquisition."""

import numpy as np
from scipy.special import xlogy

from ntkal.textbook.check import Checker


def _entropy(p: np.ndarray) -> np.ndarray:
    return np.asarray(-xlogy(p, p).sum(axis=-1))


def _whole(samples: np.ndarray) -> np.ndarray:
    return _entropy(samples.mean(axis=0))


def _within(samples: np.ndarray) -> np.ndarray:
    return _entropy(samples).mean(axis=0)


def _distances(pool: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    return np.linalg.norm(pool[:, None] - labelled[None], axis=2)


def _radii(
    pool: np.ndarray, labelled: np.ndarray, k: int, *, before: bool = False, update: bool = True
) -> list:
    nearest = _distances(pool, labelled).min(axis=1)
    open_ = nearest.copy()
    radii = []
    for _ in range(k):
        if before:
            radii.append(nearest.max())
        pick = int(open_.argmax())
        nearest = np.minimum(nearest, np.linalg.norm(pool - pool[pick], axis=1))
        if update:
            open_ = nearest
        else:
            open_[pick] = -1.0
        if not before:
            radii.append(nearest.max())
    return radii


def _mean_radii(pool: np.ndarray, labelled: np.ndarray, k: int) -> list:
    nearest = _distances(pool, labelled).min(axis=1)
    means = []
    for _ in range(k):
        nearest = np.minimum(nearest, np.linalg.norm(pool - pool[int(nearest.argmax())], axis=1))
        means.append(nearest.mean())
    return means


def _ignoring_labels(pool: np.ndarray, labelled: np.ndarray, k: int) -> list:
    return _radii(pool, pool[:1], k)


def _bound(q: float, target: float = np.log(2)) -> float:
    rest = target - _entropy(np.array([q, 1 - q]))
    return float(np.exp(rest / (1 - q)))


CHECKERS = {
    "7.2": Checker(
        expected=lambda samples: _whole(samples) - _within(samples),
        mistakes={
            "That is the entropy of the average alone: subtract the average entropy, the doubt that would "
            "remain if the model were known.": _whole,
            "That is the average entropy alone, the part that BALD takes away.": _within,
            "The sign is reversed: the entropy of the average is the larger of the two.": (
                lambda samples: _within(samples) - _whole(samples)
            ),
            "That is in bits: use the natural logarithm.": (
                lambda samples: (_whole(samples) - _within(samples)) / np.log(2)
            ),
            "You added the entropies of the models: take their average.": (
                lambda samples: _whole(samples) - _entropy(samples).sum(axis=0)
            ),
            "You compared with the first model only: average over all of them.": (
                lambda samples: _whole(samples) - _entropy(samples[0])
            ),
        },
        rtol=1e-6,
    ),
    "7.3": Checker(
        expected=_radii,
        mistakes={
            "Those are the radii before each pick: the radius asked for counts the pick as a centre.": (
                lambda **given: _radii(**given, before=True)
            ),
            "Your picks are the points farthest from the labelled ones: a pick becomes a centre too, and "
            "lowers the distances before the next.": lambda **given: _radii(**given, update=False),
            "That is the mean distance to the nearest centre: the radius is the largest.": _mean_radii,
            "The labelled points are centres from the start: do not begin with a pool one.": _ignoring_labels,
            "Those are squared distances.": lambda **given: np.square(_radii(**given)),
        },
    ),
    "7.4": Checker(
        expected=lambda q: int(np.floor(1 + _bound(q))) + 1,
        mistakes={
            "That is the number of the other classes: the best one counts too.": (
                lambda q: int(np.floor(1 + _bound(q)))
            ),
            "That is where the two are equal: C is a whole number, and the entropy must be larger.": (
                lambda q: 1 + _bound(q)
            ),
            "You left out h(q), the entropy of best class against the rest.": (
                lambda q: int(np.floor(1 + np.exp(np.log(2) / (1 - q)))) + 1
            ),
            "You forgot that the tail counts only with its share 1 - q.": (
                lambda q: int(np.floor(1 + _bound(q) ** (1 - q))) + 1
            ),
        },
    ),
}
