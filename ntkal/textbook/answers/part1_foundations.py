"""Checkers of chapters 1 to 6: few labels, kernel regression, wide networks, the neural tangent kernel."""

import numpy as np

from ntkal.textbook.answers import formulas
from ntkal.textbook.answers.formulas import absolute, interval


def paired(ours, theirs, **slip):
    """The mean difference within seeds, and the ends of its interval."""
    return interval(ours - theirs, **slip)


def money_saved(labels, chance, strategy, price, *, at=formulas.labels_at, bought=1):
    """The price of the labels saved on the way to the last accuracy of random picks."""
    return price * (bought * labels[-1] - np.nan_to_num(at(labels, strategy, chance[-1]), nan=labels[-1]))


def smallest_ridge(kernel, cond, *, smallest=1, raised=1):
    """The least ridge with which the kernel's condition number is as asked."""
    low, *_, high = np.linalg.eigvalsh(kernel)
    return max((high - smallest * cond * low) / (cond - raised), 0.0)


def relu(k, norm):
    """E[max(u, 0) max(v, 0)], in the arguments of ``absolute``."""
    rho = np.clip(k / norm, -1.0, 1.0)
    return norm / (2 * np.pi) * (np.sqrt(1 - rho**2) + rho * (np.pi - np.arccos(rho)))


def nngp(x, depth, sw2, sb2, *, pair=absolute, later_bias=1.0, fan_in=True):
    """The covariance of the outputs of a wide network with the activation |z|."""
    k = sb2 + sw2 * x @ x.T / (x.shape[1] if fan_in else 1)
    for _ in range(depth):
        k = later_bias * sb2 + sw2 * pair(k, formulas.deviations(k))
    return k


def width(depth, kurtosis, *, fourth=5):
    """The least width that keeps the excess kurtosis below a bound."""
    return int(np.ceil(fourth / ((1 + kurtosis / 3) ** (1 / depth) - 1)))


def decay_time(kernel, y, share, *, place=0, logarithm=np.log):
    """The time after which the slowest residual has fallen to a share."""
    return float(logarithm(1 / share) / np.linalg.eigvalsh(kernel)[place])


def ntk(x, depth, sw2, sb2, *, own=1.0, relu_slope=False, below=1.0, start=1.0, late_slope=False):
    """The neural tangent kernel of a wide network with the activation |z|."""
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


def descent(k_train, k_test, y, f_train, f_test, rate, steps, **slip):
    """The outputs of a linearised network after some steps of gradient descent."""
    return f_test + formulas.trained(k_train, k_test, y - f_train, rate, steps, **slip)


def steps_needed(k_train, level, *, factor=lambda low, high: (high - low) / (high + low)):
    """The least steps after which every residual is below a level, at the best rate."""
    low, *_, high = np.linalg.eigvalsh(k_train)
    return float(np.ceil(np.log(level) / np.log(factor(low, high))))


def share_of_layer(h, delta, *, bias=1.0, beside=0.0, joined=np.multiply):
    """What a dense layer adds to the kernel, by its activations and cotangents."""
    return joined(h @ h.T + bias, delta @ delta.T + beside)


def margin(full, first, second, *, weights=(1, 1, -1, -1)):
    """The kernel of the difference of two logits."""
    parts = [(first, first), (second, second), (first, second), (second, first)]
    return sum(weight * full[:, :, one, other] for weight, (one, other) in zip(weights, parts, strict=True))


SLIPS = {
    "theirs_minus_ours": lambda ours, theirs: interval(theirs - ours),
    "price_of_all": lambda **given: -money_saved(**given, bought=0),
    "cycle_before": lambda labels, curve, target: labels[np.argmax(curve >= target) - 1],
    "turned_round": lambda labels, chance, strategy, price: (
        price * (labels[-1] - np.interp(strategy[-1], np.maximum.accumulate(chance), labels))
    ),
    "price_of_accuracy": lambda labels, chance, strategy, price: price * (strategy[-1] - chance[-1]),
    "label_alone": lambda y, now, before: y + 0 * now,
    "against_the_old_mean": lambda y, now, before: y - before,
    "mean_minus_label": lambda y, now, before: now - y,
    "half_of_absolute": lambda k, norm: absolute(k, norm) / 2,
    "twice_relu": lambda k, norm: 2 * relu(k, norm),
    "first_order": lambda depth, kurtosis: np.ceil(15 * depth / kurtosis),
    "three_times": lambda kurtosis: 3 * kurtosis,
    "clock_of_the_mean": lambda **given: given["y"].size * decay_time(**given),
    "at_inverse_top": lambda low, high: 1 - low / high,
}
