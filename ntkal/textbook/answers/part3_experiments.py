"""Checkers of chapters 13 to 17: the paper's experiments and the report on them."""

import math

import numpy as np
from scipy import stats

from ntkal.textbook.answers import formulas
from ntkal.textbook.answers.formulas import interval, unpaired


def bill(n, m, C, E, g, p, *, gradient=3, looks=1, labels=1, jacobians=1):
    """Operations of naive look-ahead over those of this book's form."""
    naive = labels * m * (gradient * g * E * (n + 1) + looks * g * m)
    kernels = jacobians * 3 * g * (n + m) + 2 * p * (n + m) ** 2
    return naive / (kernels + n**3 / 3 + n**2 * m + 2 * n * m**2 + 4 * m**2 * C)


def geometric(slow, fast, **slip):
    """The geometric mean of ratios, with the ends of its interval."""
    return np.exp(interval(np.log(slow / fast), **slip))


def change(kernel, to_pool, residual, rate, epochs, *, mean=True, **slip):
    """What some epochs of descent on a mean loss change on the pool."""
    return formulas.trained(kernel, to_pool, residual, rate, epochs, mean=mean, **slip)


def step(outputs, kernel, rate, *, conditioned=False, surprise=True, reach=np.abs):
    """The scores of one step of SGD."""
    size = formulas.surprise_of(outputs) if surprise else 1.0
    return size * reach(kernel).sum(axis=0) * (1 / np.diag(kernel) if conditioned else rate)


def between(ours, ours_random, theirs, theirs_random, **slip):
    """The difference of two gains over random picks, with the ends of its interval."""
    return interval((ours - ours_random) - (theirs - theirs_random), **slip)


def _power(n, ratio, alpha):
    """Chance that Student's interval of level 1 - alpha excludes zero, for an effect of ratio deviations."""
    edge, shift = stats.t.ppf(1 - alpha / 2, n - 1), ratio * math.sqrt(n)
    return stats.nct.sf(edge, n - 1, shift) + stats.nct.cdf(-edge, n - 1, shift)


def seeds_for_power(spread, effect, power, comparisons, *, alpha=0.05):
    """The least number of seeds that has the power at Holm's first step."""
    return formulas.first(lambda n: _power(n, effect / spread, alpha / comparisons) >= power)


def excluding(spread, effect, power, comparisons):
    """The least number whose interval excludes zero when mean and deviation are exactly the true ones."""
    level = 1 - 0.025 / comparisons
    return formulas.first(lambda n: stats.t.ppf(level, n - 1) * spread / math.sqrt(n) < effect)


def by_normal_quantiles(spread, effect, power, comparisons):
    """The number of seeds as if the deviation were known."""
    quantiles = stats.norm.ppf(1 - 0.025 / comparisons) + stats.norm.ppf(power)
    return math.ceil((quantiles * spread / effect) ** 2)


def price(ours, theirs, rounds, saved, rent):
    """The price of a label at which the labels saved are worth the seconds of the machine."""
    return rounds * (ours - theirs) * rent / 3600 / saved


def labels_saved(labels, ours, theirs, target, *, at=formulas.labels_at, arrives=1.0, dropped=False):
    """Mean over seeds of theirs minus ours, a seed of theirs that never arrives put at the end."""
    mine, other = (np.array([at(labels, curve, target) for curve in curves]) for curves in (ours, theirs))
    if dropped:
        return np.nanmean(other - mine)
    return np.mean(np.where(np.isnan(other), arrives * (labels[-1] - mine), other - mine))


def mean_curve(curves):
    """The mean over seeds, as if there were one."""
    return np.mean(curves, axis=0, keepdims=True)


def seeds_to_exclude(differences, *, quantile=lambda n, had: stats.t.ppf(0.975, n - 1)):
    """The least number of seeds whose interval, with this mean and this spread, excludes zero."""
    ratio = abs(np.mean(differences)) / np.std(differences, ddof=1)
    return formulas.first(lambda n: quantile(n, len(differences)) / math.sqrt(n) < ratio)


def slope(gains, widths, *, scale=np.log2, **slip):
    """The slope of each seed's gain against the width on a scale."""
    return interval(np.polyfit(scale(widths), gains.T, 1)[0], **slip)


def first_to_last(gains, widths):
    """The gain of the widest network over the narrowest."""
    order = np.argsort(widths)
    return interval(gains[:, order[-1]] - gains[:, order[0]])


def one_regression(gains, widths):
    """What a regression through all points prints, seeds taken for independent."""
    line = stats.linregress(np.tile(np.log2(widths), len(gains)), gains.ravel())
    half = stats.t.ppf(0.975, gains.size - 2) * line.stderr
    return line.slope + np.array([0.0, -half, half])


def margin_shown(
    ours, rivals, *, of=np.min, ends=lambda ours, theirs, **slip: interval(ours - theirs, **slip), **slip
):
    """The largest lower end, over the rivals, of theirs minus ours, in points."""
    return -of([ends(ours, theirs, **slip)[1] for theirs in rivals])


SLIPS = {
    "each_label": lambda **given: bill(**given, labels=given["C"]),
    "arithmetic": lambda slow, fast: interval(slow / fast),
    "not_learned": lambda pace, epochs: (1 - pace) ** epochs,
    "unpaired_gains": lambda ours, ours_random, theirs, theirs_random: unpaired(
        ours - ours_random, theirs - theirs_random
    ),
    "exchanged": lambda spread, effect, **given: seeds_for_power(effect, spread, **given),
    "times_3600": lambda price: 3600 * price,
    "rounded_quantile": lambda n, had: 1.96,
    "quantile_at_hand": lambda n, had: stats.t.ppf(0.975, had - 1),
    "one_sided_quantile": lambda n, had: stats.t.ppf(0.95, n - 1),
    "hundredth": lambda points: points / 100,
}
