"""Checkers of chapters 13 to 17: the paper's experiments and the report on them."""

import math

import numpy as np
from scipy import stats

from ntkal.textbook.answers import formulas
from ntkal.textbook.answers.formulas import interval, unpaired
from ntkal.textbook.answers.mistakes import checkers


def _bill(n, m, C, E, g, p, *, gradient=3, looks=1, labels=1, jacobians=1):
    """Operations of naive look-ahead over those of this book's form."""
    naive = labels * m * (gradient * g * E * (n + 1) + looks * g * m)
    kernels = jacobians * 3 * g * (n + m) + 2 * p * (n + m) ** 2
    return naive / (kernels + n**3 / 3 + n**2 * m + 2 * n * m**2 + 4 * m**2 * C)


def _geometric(slow, fast, **slip):
    return np.exp(interval(np.log(slow / fast), **slip))


def _change(kernel, to_pool, residual, rate, epochs, *, mean=True, **slip):
    return formulas.trained(kernel, to_pool, residual, rate, epochs, mean=mean, **slip)


def _step(outputs, kernel, rate, *, conditioned=False, surprise=True, reach=np.abs):
    size = formulas.surprise_of(outputs) if surprise else 1.0
    return size * reach(kernel).sum(axis=0) * (1 / np.diag(kernel) if conditioned else rate)


def _between(ours, ours_random, theirs, theirs_random, **slip):
    return interval((ours - ours_random) - (theirs - theirs_random), **slip)


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


def _price(ours, theirs, rounds, saved, rent):
    """The price of a label at which the labels saved are worth the seconds of the machine."""
    return rounds * (ours - theirs) * rent / 3600 / saved


def _labels_saved(labels, ours, theirs, target, *, at=formulas.labels_at, arrives=1.0, dropped=False):
    """Mean over seeds of theirs minus ours, a seed of theirs that never arrives put at the end."""
    mine, other = (np.array([at(labels, curve, target) for curve in curves]) for curves in (ours, theirs))
    if dropped:
        return np.nanmean(other - mine)
    return np.mean(np.where(np.isnan(other), arrives * (labels[-1] - mine), other - mine))


def _mean_curve(curves):
    return np.mean(curves, axis=0, keepdims=True)


def _seeds_to_exclude(differences, *, quantile=lambda n, had: stats.t.ppf(0.975, n - 1)):
    """The least number of seeds whose interval, with this mean and this spread, excludes zero."""
    ratio = abs(np.mean(differences)) / np.std(differences, ddof=1)
    return formulas.first(lambda n: quantile(n, len(differences)) / math.sqrt(n) < ratio)


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


def _margin_shown(
    ours, rivals, *, of=np.min, ends=lambda ours, theirs, **slip: interval(ours - theirs, **slip), **slip
):
    """The largest lower end, over the rivals, of theirs minus ours, in points."""
    return -of([ends(ours, theirs, **slip)[1] for theirs in rivals])


_SLIPS = {
    "each_label": lambda **given: _bill(**given, labels=given["C"]),
    "arithmetic": lambda slow, fast: interval(slow / fast),
    "not_learned": lambda pace, epochs: (1 - pace) ** epochs,
    "unpaired_gains": lambda ours, ours_random, theirs, theirs_random: unpaired(
        ours - ours_random, theirs - theirs_random
    ),
    "excluding": _excluding,
    "by_normal_quantiles": _by_normal_quantiles,
    "exchanged": lambda spread, effect, **given: _seeds_for_power(effect, spread, **given),
    "times_3600": lambda price: 3600 * price,
    "mean_curve": _mean_curve,
    "rounded_quantile": lambda n, had: 1.96,
    "quantile_at_hand": lambda n, had: stats.t.ppf(0.975, had - 1),
    "one_sided_quantile": lambda n, had: stats.t.ppf(0.95, n - 1),
    "first_to_last": _first_to_last,
    "one_regression": _one_regression,
    "hundredth": lambda points: points / 100,
}

CHECKERS = checkers(
    {
        "13.2": _bill,
        "13.3": _geometric,
        "13.4": _change,
        "14.2": _step,
        "14.3": _between,
        "15.2": _seeds_for_power,
        "15.3": _price,
        "16.2": _labels_saved,
        "16.3": _seeds_to_exclude,
        "17.2": _slope,
        "17.3": _margin_shown,
    },
    _SLIPS,
    {"13.3": 0.001},
)
