"""Chapter 13: naive look-ahead against the NTK."""

import numpy as np

from ntkal.textbook.check import Checker


def _ratio(n, m, C, E, g, p, *, gradient=3, looks=1, labels=1, jacobians=1):
    """Operations of naive look-ahead over those of this book's form."""
    naive = labels * m * (gradient * g * E * (n + 1) + looks * g * m)
    kernels = jacobians * 3 * g * (n + m) + 2 * p * (n + m) ** 2
    return naive / (kernels + n**3 / 3 + n**2 * m + 2 * n * m**2 + 4 * m**2 * C)


def _student(count):
    from scipy.stats import t

    return t.ppf(0.975, count - 1)


def _interval(values, quantile=None):
    quantile = _student(len(values)) if quantile is None else quantile
    half = quantile * values.std(ddof=1) / np.sqrt(len(values))
    return np.array([values.mean(), values.mean() - half, values.mean() + half])


def _geometric(slow, fast, quantile=None):
    return np.exp(_interval(np.log(slow / fast), quantile))


def _change(kernel, to_pool, residual, rate, epochs, *, mean=True, learnt=None):
    """The pool's change after full-batch gradient descent; ``learnt`` maps eigenvalues to fractions."""
    values, vectors = np.linalg.eigh(kernel)
    pace = rate * values / (len(kernel) if mean else 1)
    fraction = 1 - (1 - pace) ** epochs if learnt is None else learnt(pace, epochs)
    return to_pool @ (vectors @ ((fraction / values)[:, None] * (vectors.T @ residual)))


CHECKERS = {
    "13.2": Checker(
        expected=_ratio,
        mistakes={
            "You counted a forward pass only; a gradient takes three times as much.": (
                lambda **given: _ratio(**given, gradient=1)
            ),
            "After each retraining the whole pool has to be looked at: g m operations a candidate.": (
                lambda **given: _ratio(**given, looks=0)
            ),
            "MLMOC retrains with the most likely label only, not with each of the C labels.": (
                lambda **given: _ratio(**given, labels=given["C"])
            ),
            "You left out the Jacobians: one gradient for each labelled and each pool input.": (
                lambda **given: _ratio(**given, jacobians=0)
            ),
            "That is ours over naive; turn it over.": lambda **given: 1 / _ratio(**given),
        },
        rtol=1e-6,
    ),
    "13.3": Checker(
        expected=_geometric,
        mistakes={
            "That is the arithmetic mean of the ratios; take logarithms first and exponentials last.": (
                lambda slow, fast: _interval(slow / fast)
            ),
            "Those are the logarithms; take exponentials of all three.": (
                lambda slow, fast: _interval(np.log(slow / fast))
            ),
            "You took 1.96; with so few seeds use Student's t with one degree of freedom less than seeds.": (
                lambda slow, fast: _geometric(slow, fast, 1.959963984540054)
            ),
            "You left out the root of the number of seeds: that is the spread, not the error of the mean.": (
                lambda slow, fast: _geometric(slow, fast, _student(len(slow)) * np.sqrt(len(slow)))
            ),
        },
        rtol=1e-3,
    ),
    "13.4": Checker(
        expected=_change,
        mistakes={
            "The loss is a mean over n + 1 inputs, so the rate is divided by n + 1.": (
                lambda **given: _change(**given, mean=False)
            ),
            "That is the limit of many epochs, equation (11).": (
                lambda **given: _change(**given, learnt=lambda pace, epochs: np.ones_like(pace))
            ),
            "That is gradient flow, exp(-t); gradient descent has the power (I - B)^t.": (
                lambda **given: _change(**given, learnt=lambda pace, epochs: 1 - np.exp(-epochs * pace))
            ),
            "That is what has not been learnt yet; subtract the power from I.": (
                lambda **given: _change(**given, learnt=lambda pace, epochs: (1 - pace) ** epochs)
            ),
        },
        rtol=1e-6,
    ),
}
