"""Checkers of chapters 1 to 6: few labels, kernel regression, wide networks, the neural tangent kernel."""

import numpy as np

from ntkal.textbook.answers import formulas
from ntkal.textbook.answers.formulas import NEGATED, NO_RIDGE, NORMAL, ONE_LESS, ROUNDED, absolute, interval
from ntkal.textbook.check import Checker


def _paired(ours, theirs, **slip):
    return interval(ours - theirs, **slip)


PAIRED = {
    "That is the interval for two independent samples: the seeds are shared, so take the differences "
    "within seeds first.": formulas.unpaired,
    "The quantile is that of the normal distribution: with so few seeds Student's t is wider.": NORMAL,
    "The quantile 1.96 is that of the normal distribution: with so few seeds Student's t is wider.": ROUNDED,
    "The standard deviation divides by R: with an estimated mean it is R - 1 (ddof=1 in NumPy).": {"ddof": 0},
    "The square root of the number of seeds is missing: the interval is for the mean, not for one "
    "more seed.": {"root": False},
    "The degrees of freedom are R - 1, not R.": {"lost": 0},
    "The quantile is that of a one-sided interval: 95% between two ends needs 0.975.": {"level": 0.95},
    "The sign is reversed: the difference is ours minus theirs.": (
        lambda ours, theirs: interval(theirs - ours)
    ),
}


def _money_saved(labels, chance, strategy, price, *, at=formulas.labels_at, bought=1):
    return price * (bought * labels[-1] - np.nan_to_num(at(labels, strategy, chance[-1]), nan=labels[-1]))


MONEY_SAVED = {
    "That is the number of labels saved; multiply by the price of a label.": {"price": 1.0},
    "That is the price of the labels needed, the start set included, not of those saved.": (
        lambda **given: -_money_saved(**given, bought=0)
    ),
    "You stopped at the first cycle that is above the target: interpolate between the cycles.": {
        "at": formulas.cycle_at
    },
    "You stopped at the last cycle that is below the target: interpolate between the cycles.": {
        "at": lambda labels, curve, target: labels[np.argmax(curve >= target) - 1]
    },
    "You asked what random needs for the strategy's last accuracy, which it never reaches. Turn it "
    "round: where does the strategy reach random's last accuracy?": (
        lambda labels, chance, strategy, price: (
            price * (labels[-1] - np.interp(strategy[-1], np.maximum.accumulate(chance), labels))
        )
    ),
    "That is the difference of the final accuracies times the price: a price is per label.": (
        lambda labels, chance, strategy, price: price * (strategy[-1] - chance[-1])
    ),
}
ONE_BY_ONE = {
    "The second update used the covariance from before the first: a reveal changes S as well.": {
        "keep_cov": True
    },
    "The ridge is missing from the denominator: divide by S[c, c] + ridge.": NO_RIDGE,
    "The update is driven by the surprise y - M[c], not by the label y itself.": {
        "surprise": lambda y, now, before: y + 0 * now
    },
    "The second surprise was measured against the old mean: the first update has moved M[c].": {
        "surprise": lambda y, now, before: y - before
    },
    "The sign of the surprise is reversed: it is y - M[c].": {"surprise": lambda y, now, before: now - y},
    "Only the first of the reveals was made.": {"reveals": lambda reveals: reveals[:1]},
}


def _smallest_ridge(kernel, cond, *, smallest=1, raised=1):
    low, *_, high = np.linalg.eigvalsh(kernel)
    return max((high - smallest * cond * low) / (cond - raised), 0.0)


SMALLEST_RIDGE = {
    "That is the bound lambda_max / cond: the ridge raises the largest eigenvalue too, and the "
    "smallest is not zero.": {"smallest": 0, "raised": 0},
    "You left out what the ridge adds to the largest eigenvalue: divide by cond - 1, not by cond.": {
        "raised": 0
    },
    "You took the smallest eigenvalue for zero.": {"smallest": 0},
    "The sign is reversed: the ridge that is asked for is positive.": NEGATED,
}


def _relu(k, norm):
    rho = np.clip(k / norm, -1.0, 1.0)
    return norm / (2 * np.pi) * (np.sqrt(1 - rho**2) + rho * (np.pi - np.arccos(rho)))


def _nngp(x, depth, sw2, sb2, *, pair=absolute, later_bias=1.0, fan_in=True):
    k = sb2 + sw2 * x @ x.T / (x.shape[1] if fan_in else 1)
    for _ in range(depth):
        k = later_bias * sb2 + sw2 * pair(k, formulas.deviations(k))
    return k


NNGP = {
    "That is the kernel of a ReLU network: |z| has a second half, max(-z, 0).": {"pair": _relu},
    "A factor of 2 is missing: of the four products, two have covariance k and two have -k.": {
        "pair": lambda k, norm: absolute(k, norm) / 2
    },
    "You left out the mixed products, those of the pair (u, -v).": {
        "pair": lambda k, norm: 2 * _relu(k, norm)
    },
    "Every layer has biases: the later ones add sb2 as well.": {"later_bias": 0.0},
    "The first layer divides the inner product by the number of inputs d.": {"fan_in": False},
    "That is one hidden layer too few.": {"depth": lambda depth: depth - 1},
    "That is one hidden layer too many: the readout has no activation.": {"depth": lambda depth: depth + 1},
}


def _width(depth, kurtosis, *, fourth=5):
    return int(np.ceil(fourth / ((1 + kurtosis / 3) ** (1 / depth) - 1)))


WIDTH = {
    "That is the first-order rule 15 L / kurtosis; the layers' factors multiply.": (
        lambda depth, kurtosis: np.ceil(15 * depth / kurtosis)
    ),
    "The bracket is multiplied by 3: the outputs are Gaussian given the covariance.": {
        "kurtosis": lambda kurtosis: 3 * kurtosis
    },
    "That is one too small: round up, for the kurtosis must not exceed the bound.": ONE_LESS,
    "That is the width for a single layer.": {"depth": 1},
    "The fourth moment of max(z, 0) is 3/2, half that of z: the factor is 1 + 5/N, not 1 + 2/N.": {
        "fourth": 2
    },
}


def _decay_time(kernel, y, share, *, place=0, logarithm=np.log):
    return float(logarithm(1 / share) / np.linalg.eigvalsh(kernel)[place])


DECAY_TIME = {
    "You used the largest eigenvalue: the slowest mode, the smallest one, decides.": {"place": -1},
    "The decay is exp(-lambda t): take the natural logarithm, not that to base 10.": {"logarithm": np.log10},
    "The sign is reversed: the logarithm of the share is negative, and the time is not.": NEGATED,
    "That is the clock of a loss divided by n C, as in nt.predict; here the loss is a plain sum.": (
        lambda **given: given["y"].size * _decay_time(**given)
    ),
    "That is when the loss, the square of the residual, has fallen to this share.": {
        "then": lambda time: time / 2
    },
}


def _ntk(x, depth, sw2, sb2, *, own=1.0, relu_slope=False, below=1.0, start=1.0, late_slope=False):
    k = sb2 + sw2 * x @ x.T / x.shape[1]
    theta = start * k
    for _ in range(depth):
        rho = np.clip(k / formulas.deviations(k), -1.0, 1.0)
        k = sb2 + sw2 * absolute(k, formulas.deviations(k))
        if late_slope:
            rho = np.clip(k / formulas.deviations(k), -1.0, 1.0)
        slope = (np.pi - np.arccos(rho)) / (2 * np.pi) if relu_slope else 2 / np.pi * np.arcsin(rho)
        theta = own * k + below * sw2 * slope * theta
    return theta


NTK = {
    "That is the NNGP kernel: the term with the derivative kernel is missing.": {"below": 0.0},
    "Each layer adds its own NNGP kernel: only what comes from below was passed on.": {"own": 0.0},
    "That slope is ReLU's; for |z| it is E[sign(u) sign(v)] = (2 / pi) arcsin(rho).": {"relu_slope": True},
    "The first layer has parameters too: the recursion starts at Sigma^1, not at zero.": {"start": 0.0},
    "The derivative kernel belongs to the covariance of the layer below, before it is updated.": {
        "late_slope": True
    },
    "That is one hidden layer too few.": {"depth": lambda depth: depth - 1},
}


def _descent(k_train, k_test, y, f_train, f_test, rate, steps, **slip):
    return f_test + formulas.trained(k_train, k_test, y - f_train, rate, steps, **slip)


DESCENT = {
    "That is the continuous flow at t = rate x steps: a step multiplies the residual by 1 - rate * "
    "eigenvalue, not by its exponential.": {"learned": formulas.flow},
    "The outputs before training are missing: add f_test.": {"f_test": lambda f: 0 * f},
    "The residual is y - f_train: the network does not start from zero.": {"f_train": lambda f: 0 * f},
    "That is the limit of infinitely many steps.": {"learned": formulas.limit},
    "One step too few: the sum runs over i = 0 to steps - 1.": {"steps": lambda steps: steps - 1},
    "One step too many: the sum runs over i = 0 to steps - 1.": {"steps": lambda steps: steps + 1},
    "The rate was divided by n: the loss of this chapter is a sum over inputs, not a mean.": {"mean": True},
}


def _steps_needed(k_train, level, *, factor=lambda low, high: (high - low) / (high + low)):
    low, *_, high = np.linalg.eigvalsh(k_train)
    return float(np.ceil(np.log(level) / np.log(factor(low, high))))


STEPS_NEEDED = {
    "You took the rate 1 / (largest eigenvalue): twice that, nearly, is allowed and better.": {
        "factor": lambda low, high: 1 - low / high
    },
    "Round up: with the number rounded down, the slowest direction is still above the level.": ONE_LESS,
    "The level is for the residual, not for its square.": {"level": np.sqrt},
}


def _share_of_layer(h, delta, *, bias=1.0, beside=0.0, joined=np.multiply):
    return joined(h @ h.T + bias, delta @ delta.T + beside)


SHARE_OF_LAYER = {
    "The bias is missing: its derivative is delta itself, which adds 1 to h . h'.": {"bias": 0.0},
    "The two Gram matrices are multiplied entry by entry, not as matrices.": {"joined": np.matmul},
    "The two Gram matrices are multiplied, not added.": {"joined": np.add, "bias": 0.0},
    "The 1 goes with the activations: the bias has derivative delta, its share is delta . delta'.": {
        "bias": 0.0,
        "beside": 1.0,
    },
    "That is the share of the bias alone.": {"h": lambda h: 0 * h},
    "The cotangents are missing: that is the kernel of a last layer.": {
        "delta": lambda d: 0 * d,
        "beside": 1,
    },
}


def _margin(full, first, second, *, weights=(1, 1, -1, -1)):
    parts = [(first, first), (second, second), (first, second), (second, first)]
    return sum(weight * full[:, :, one, other] for weight, (one, other) in zip(weights, parts, strict=True))


MARGIN = {
    "The mixed terms are missing: the two logits share parameters.": {"weights": (1, 1, 0, 0)},
    "That is the kernel of the sum: the mixed terms of a difference are subtracted.": {
        "weights": (1, 1, 1, 1)
    },
    "There are two mixed terms, transposes of each other: yours is not symmetric.": {
        "weights": (1, 1, -2, 0)
    },
    "Only one of the two mixed terms was subtracted.": {"weights": (1, 1, -1, 0)},
    "That is the difference of the two kernels; wanted is the kernel of the difference.": {
        "weights": (1, -1, 0, 0)
    },
}

CHECKERS = {
    "1.2": Checker(_paired, PAIRED),
    "1.3": Checker(_money_saved, MONEY_SAVED),
    "2.2": Checker(formulas.one_by_one, ONE_BY_ONE),
    "2.3": Checker(_smallest_ridge, SMALLEST_RIDGE),
    "3.2": Checker(_nngp, NNGP),
    "3.3": Checker(_width, WIDTH, rtol=1e-9),
    "4.2": Checker(_decay_time, DECAY_TIME),
    "4.3": Checker(_ntk, NTK),
    "5.2": Checker(_descent, DESCENT),
    "5.3": Checker(_steps_needed, STEPS_NEEDED, rtol=1e-9),
    "6.2": Checker(_share_of_layer, SHARE_OF_LAYER),
    "6.3": Checker(_margin, MARGIN),
}
