"""Chapter 15: against the state of the art."""

import math

import numpy as np
from scipy import stats

from ntkal.textbook.check import Checker


def _power(n: int, ratio: float, alpha: float) -> float:
    """Chance that Student's interval of level 1 - alpha excludes zero, for an effect of ratio deviations."""
    edge, shift = float(stats.t.ppf(1 - alpha / 2, n - 1)), ratio * math.sqrt(n)
    return float(stats.nct.sf(edge, n - 1, shift) + stats.nct.cdf(-edge, n - 1, shift))


def _seeds(spread, effect, power, comparisons, *, alpha: float | None = None) -> int:
    """The least number of seeds that has the power at Holm's first step."""
    alpha = 0.05 / comparisons if alpha is None else alpha
    n = 2
    while _power(n, effect / spread, alpha) < power:
        n += 1
    return n


def _excluding(spread, effect, power, comparisons) -> int:
    """The least number whose interval excludes zero when mean and deviation are exactly the true ones."""
    n = 2
    while stats.t.ppf(1 - 0.025 / comparisons, n - 1) * spread / math.sqrt(n) >= effect:
        n += 1
    return n


def _normal(spread, effect, power, comparisons) -> int:
    quantiles = stats.norm.ppf(1 - 0.025 / comparisons) + stats.norm.ppf(power)
    return math.ceil((quantiles * spread / effect) ** 2)


def _price(ours, theirs, rounds, saved, rent) -> float:
    """The price of a label at which the labels saved are worth the seconds of the machine."""
    return rounds * (np.float64(ours) - theirs) * rent / 3600 / saved


CHECKERS = {
    "15.2": Checker(
        expected=_seeds,
        mistakes={
            "You left out the correction: the smallest of k p values has to be below 0.05 / k.": (
                lambda spread, effect, power, comparisons: _seeds(
                    spread, effect, power, comparisons, alpha=0.05
                )
            ),
            "With so many seeds the interval excludes zero if their mean is exactly the true one; that has "
            "a chance of about one half. Ask for the power.": _excluding,
            "That is the formula with normal quantiles; with few seeds Student's t, and the noncentral t, "
            "need some more.": _normal,
            "The level is two-sided already: power() halves alpha itself.": (
                lambda spread, effect, power, comparisons: _seeds(
                    spread, effect, power, comparisons, alpha=0.025 / comparisons
                )
            ),
            "You exchanged effect and spread: what counts is the effect over the spread.": (
                lambda spread, effect, power, comparisons: _seeds(effect, spread, power, comparisons)
            ),
            "That is one too few: its power is still below the one asked for.": (
                lambda **given: _seeds(**given) - 1
            ),
        },
    ),
    "15.3": Checker(
        expected=_price,
        mistakes={
            "The rent is that of an hour, the times are seconds: divide by 3600.": (
                lambda **given: 3600 * _price(**given)
            ),
            "Only the extra seconds count: subtract those of the rival.": (
                lambda ours, theirs, rounds, saved, rent: _price(ours, 0.0, rounds, saved, rent)
            ),
            "The seconds are those of one round; there are several.": (
                lambda ours, theirs, rounds, saved, rent: _price(ours, theirs, 1, saved, rent)
            ),
            "That is what the extra seconds cost in all; divide by the labels that they save.": (
                lambda ours, theirs, rounds, saved, rent: _price(ours, theirs, rounds, 1, rent)
            ),
            "That is one over the price: labels per unit of money.": lambda **given: 1 / _price(**given),
        },
    ),
}
