"""Checkers of chapters 13 to 17: the paper's experiments and the report on them."""

import math

import numpy as np
from scipy import stats

from ntkal.textbook.answers import formulas
from ntkal.textbook.answers.formulas import INVERTED, NEGATED, NORMAL, ONE_LESS, ROUNDED, interval, unpaired
from ntkal.textbook.check import Checker


def _bill(n, m, C, E, g, p, *, gradient=3, looks=1, labels=1, jacobians=1):
    """Operations of naive look-ahead over those of this book's form."""
    naive = labels * m * (gradient * g * E * (n + 1) + looks * g * m)
    kernels = jacobians * 3 * g * (n + m) + 2 * p * (n + m) ** 2
    return naive / (kernels + n**3 / 3 + n**2 * m + 2 * n * m**2 + 4 * m**2 * C)


BILL = {
    "You counted a forward pass only; a gradient takes three times as much.": {"gradient": 1},
    "After each retraining the whole pool has to be looked at: g m operations a candidate.": {"looks": 0},
    "MLMOC retrains with the most likely label only, not with each of the C labels.": (
        lambda **given: _bill(**given, labels=given["C"])
    ),
    "You left out the Jacobians: one gradient for each labelled and each pool input.": {"jacobians": 0},
    "That is ours over naive; turn it over.": INVERTED,
}


def _geometric(slow, fast, **slip):
    return np.exp(interval(np.log(slow / fast), **slip))


GEOMETRIC = {
    "That is the arithmetic mean of the ratios; take logarithms first and exponentials last.": (
        lambda slow, fast: interval(slow / fast)
    ),
    "Those are the logarithms; take exponentials of all three.": {"then": np.log},
    "You took 1.96; with so few seeds use Student's t with one degree of freedom less than seeds.": NORMAL,
    "You left out the root of the number of seeds: that is the spread, not the error of the mean.": {
        "root": False
    },
}


def _change(kernel, to_pool, residual, rate, epochs, *, mean=True, **slip):
    return formulas.trained(kernel, to_pool, residual, rate, epochs, mean=mean, **slip)


CHANGE = {
    "The loss is a mean over n + 1 inputs, so the rate is divided by n + 1.": {"mean": False},
    "That is the limit of many epochs, equation (11).": {"learned": formulas.limit},
    "That is gradient flow, exp(-t); gradient descent has the power (I - B)^t.": {"learned": formulas.flow},
    "That is what has not been learnt yet; subtract the power from I.": {
        "learned": lambda pace, epochs: (1 - pace) ** epochs
    },
}


def _step(outputs, kernel, rate, *, conditioned=False, surprise=True, reach=np.abs):
    size = formulas.surprise_of(outputs) if surprise else 1.0
    return size * reach(kernel).sum(axis=0) * (1 / np.diag(kernel) if conditioned else rate)


STEP = {
    "You divided by the diagonal of the kernel; a step has no denominator, only its rate.": {
        "conditioned": True
    },
    "You left out the surprise, the length of the likely label minus the outputs.": {"surprise": False},
    "You added up a column of the kernel with its signs; movement has none.": {"reach": np.positive},
    "You left out the learning rate.": {"rate": 1.0},
}


def _between(ours, ours_random, theirs, theirs_random, **slip):
    return interval((ours - ours_random) - (theirs - theirs_random), **slip)


BETWEEN = {
    "You used the normal quantile; with so few seeds take Student's, of n - 1 degrees of freedom.": NORMAL,
    "You divided the sum of squares by n; the sample variance divides by n - 1.": {"ddof": 0},
    "You treated the two gains as independent; take their difference within each seed.": (
        lambda ours, ours_random, theirs, theirs_random: unpaired(ours - ours_random, theirs - theirs_random)
    ),
    "You left the baselines out; take each way's gain over its own random picks first.": {
        "ours_random": lambda gain: 0 * gain,
        "theirs_random": lambda gain: 0 * gain,
    },
}


def _power(n, ratio, alpha):
    """Chance that Student's interval of level 1 - alpha excludes zero, for an effect of ratio deviations."""
    edge, shift = stats.t.ppf(1 - alpha / 2, n - 1), ratio * math.sqrt(n)
    return stats.nct.sf(edge, n - 1, shift) + stats.nct.cdf(-edge, n - 1, shift)


def _seeds_for_power(spread, effect, power, comparisons, *, alpha=0.05):
    """The least number of seeds that has the power at Holm's first step."""
    return formulas.first(lambda n: _power(n, effect / spread, alpha / comparisons) >= power)


def _excluding(spread, effect, power, comparisons):
    """The least number whose interval excludes zero when mean and deviation are exactly the true ones."""
    level = 1 - 0.025 / comparisons
    return formulas.first(lambda n: stats.t.ppf(level, n - 1) * spread / math.sqrt(n) < effect)


def _by_normal_quantiles(spread, effect, power, comparisons):
    quantiles = stats.norm.ppf(1 - 0.025 / comparisons) + stats.norm.ppf(power)
    return math.ceil((quantiles * spread / effect) ** 2)


SEEDS_FOR_POWER = {
    "You left out the correction: the smallest of k p values has to be below 0.05 / k.": {"comparisons": 1},
    "With so many seeds the interval excludes zero if their mean is exactly the true one; that has "
    "a chance of about one half. Ask for the power.": _excluding,
    "That is the formula with normal quantiles; with few seeds Student's t, and the noncentral t, "
    "need some more.": _by_normal_quantiles,
    "The level is two-sided already: power() halves alpha itself.": {"alpha": 0.025},
    "You exchanged effect and spread: what counts is the effect over the spread.": (
        lambda spread, effect, **given: _seeds_for_power(effect, spread, **given)
    ),
    "That is one too few: its power is still below the one asked for.": ONE_LESS,
}


def _price(ours, theirs, rounds, saved, rent):
    """The price of a label at which the labels saved are worth the seconds of the machine."""
    return rounds * (ours - theirs) * rent / 3600 / saved


PRICE = {
    "The rent is that of an hour, the times are seconds: divide by 3600.": {
        "then": lambda price: 3600 * price
    },
    "Only the extra seconds count: subtract those of the rival.": {"theirs": 0.0},
    "The seconds are those of one round; there are several.": {"rounds": 1},
    "That is what the extra seconds cost in all; divide by the labels that they save.": {"saved": 1},
    "That is one over the price: labels per unit of money.": INVERTED,
}


def _labels_saved(labels, ours, theirs, target, *, at=formulas.labels_at, never="last"):
    """Mean over seeds of theirs minus ours, a seed of theirs that never arrives taken as ``never`` says."""
    mine, other = (np.array([at(labels, curve, target) for curve in curves]) for curves in (ours, theirs))
    if never == "drop":
        return np.nanmean(other - mine)
    return np.mean(np.where(np.isnan(other), labels[-1] - mine if never == "last" else 0.0, other - mine))


def _mean_curve(curves):
    return np.mean(curves, axis=0, keepdims=True)


LABELS_SAVED = {
    "You dropped the seeds in which theirs never arrives. They are those in which most is saved; "
    "count each with the last number of labels that it has.": {"never": "drop"},
    "You let a seed in which theirs never arrives save nothing; it saves at least what ours has "
    "left when the run ends.": {"never": "nothing"},
    "The sign is reversed: labels saved are theirs minus ours.": NEGATED,
    "You stopped at the first cycle that is above the target: interpolate between the cycles.": {
        "at": formulas.cycle_at
    },
    "You read the labels off the mean curves; read them off each seed's own, and then take the mean.": {
        "ours": _mean_curve,
        "theirs": _mean_curve,
    },
}


def _seeds_to_exclude(differences, *, quantile=lambda n, had: stats.t.ppf(0.975, n - 1)):
    """The least number of seeds whose interval, with this mean and this spread, excludes zero."""
    ratio = abs(np.mean(differences)) / np.std(differences, ddof=1)
    return formulas.first(lambda n: quantile(n, len(differences)) / math.sqrt(n) < ratio)


SEEDS_TO_EXCLUDE = {
    "The quantile 1.96 is that of the normal distribution; with few seeds Student's t is wider.": {
        "quantile": lambda n, had: 1.96
    },
    "You kept the quantile of the seeds at hand; Student's t has n - 1 degrees of freedom for the n "
    "that you try.": {"quantile": lambda n, had: stats.t.ppf(0.975, had - 1)},
    "The quantile is that of a one-sided interval: 95% between two ends needs 0.975.": {
        "quantile": lambda n, had: stats.t.ppf(0.95, n - 1)
    },
    "That is one too few: its interval still holds zero.": ONE_LESS,
}


def _slope(gains, widths, *, scale=np.log2, **slip):
    """The slope of each seed's gain against the width on a scale."""
    return interval(np.polyfit(scale(widths), gains.T, 1)[0], **slip)


def _first_to_last(gains, widths):
    order = np.argsort(widths)
    return interval(gains[:, order[-1]] - gains[:, order[0]])


def _one_regression(gains, widths):
    """What a regression through all points prints, seeds taken for independent."""
    line = stats.linregress(np.tile(np.log2(widths), len(gains)), gains.ravel())
    half = stats.t.ppf(0.975, gains.size - 2) * line.stderr
    return line.slope + np.array([0.0, -half, half])


SLOPE = {
    "That is for each unit of the natural logarithm; a doubling is a unit of the binary one.": {
        "scale": np.log
    },
    "That is the slope against the width itself; a doubling is a unit of its binary logarithm.": {
        "scale": np.positive
    },
    "That is the widest minus the narrowest; divide by the doublings between them, and let the "
    "widths in between count.": _first_to_last,
    "You took all points for independent. Fit one line a seed; the seeds are what is independent.": (
        _one_regression
    ),
    "The quantile 1.96 is that of the normal distribution; with few seeds Student's t is wider.": ROUNDED,
    "The standard deviation over seeds has divisor n - 1 (ddof=1).": {"ddof": 0},
}


def _margin_shown(
    ours, rivals, *, of=np.min, ends=lambda ours, theirs, **slip: interval(ours - theirs, **slip), **slip
):
    """The largest lower end, over the rivals, of theirs minus ours, in points."""
    return -of([ends(ours, theirs, **slip)[1] for theirs in rivals])


MARGIN_SHOWN = {
    "That is enough for the rival that is easiest to match; every part has to be shown, so the "
    "worst of them decides.": {"of": np.max},
    "That is from the mean differences. A part is shown when the lower end of its interval is above "
    "the mark.": {"quantile": 0.0},
    "The sign is reversed: a loss is positive when a lower end is below zero.": NEGATED,
    "You took the two series for independent. Runs of one seed share their start: form the "
    "differences first, then the interval.": {"ends": unpaired},
    "The quantile 1.96 is that of the normal distribution; with few seeds Student's t is wider.": ROUNDED,
    "Expected points: multiply accuracies by a hundred.": {"then": lambda points: points / 100},
}

CHECKERS = {
    "13.2": Checker(_bill, BILL),
    "13.3": Checker(_geometric, GEOMETRIC, rtol=1e-3),
    "13.4": Checker(_change, CHANGE),
    "14.2": Checker(_step, STEP),
    "14.3": Checker(_between, BETWEEN),
    "15.2": Checker(_seeds_for_power, SEEDS_FOR_POWER),
    "15.3": Checker(_price, PRICE),
    "16.2": Checker(_labels_saved, LABELS_SAVED),
    "16.3": Checker(_seeds_to_exclude, SEEDS_TO_EXCLUDE),
    "17.2": Checker(_slope, SLOPE),
    "17.3": Checker(_margin_shown, MARGIN_SHOWN),
}
