"""Checkers of chapters 7 to 12: myopic and look-ahead acquisition, closed forms, equivalence, sequences."""

import numpy as np
from scipy.special import entr

from ntkal.textbook.answers import formulas
from ntkal.textbook.answers.formulas import at_once, one_by_one, surprise_of

FIRST = 5
"""Candidates that exercise 11.2 asks for."""


def bald(samples, *, whole=1.0, within=1.0, average=np.mean):
    """Mutual information of a label and the model, from the models' probabilities."""
    doubts = entr(samples).sum(axis=-1)
    return whole * entr(samples.mean(axis=0)).sum(axis=-1) - within * average(doubts, axis=0)


def radii(pool, labelled, k, *, skip=1, update=True, size=np.max):
    """The radii of the core-set after each of k greedy picks."""
    nearest = np.linalg.norm(pool[:, None] - labelled[None], axis=2).min(axis=1)
    far, radii = nearest.copy(), [size(nearest)]
    for _ in range(k):
        pick = int(far.argmax())
        nearest = np.minimum(nearest, np.linalg.norm(pool - pool[pick], axis=1))
        far = nearest.copy() if update else np.where(np.arange(len(pool)) == pick, -1.0, far)
        radii.append(size(nearest))
    return np.array(radii[skip:][:k])


def classes(q, *, doubt=1.0, share=True, whole=np.floor, best=1):
    """The least number of classes at which a spread-out doubt beats that of two classes."""
    rest = np.log(2) - doubt * entr([q, 1 - q]).sum()
    others = np.exp(rest / (1 - q) if share else rest)
    return whole(others + 1) + best


def _thresholds(prior):
    """The labels of the points under each threshold."""
    return np.arange(1, len(prior))[:, None] > np.arange(len(prior))[None]


def doubts(prior):
    """The entropies of the points' labels under a distribution of the threshold."""
    one = np.clip(_thresholds(prior) @ prior, 0.0, 1.0)  # sums may exceed one by a rounding error
    return entr(one) + entr(1 - one)


def eer(prior, *, weigh=lambda p: p, over=np.sum, doubts=doubts):
    """Minus the doubt that is left on average once a point's label is known."""
    scores = []
    for row in _thresholds(prior):
        cases = [prior * (row == value) for value in (True, False)]
        cases = [case for case in cases if case.sum() > 0]
        scores.append(over([-weigh(case.sum()) * doubts(case / case.sum()).sum() for case in cases]))
    return np.array(scores)


def hours(seconds, small, large, *, ratios="npE", times="mC", unit=3600.0):
    """The hours of naive look-ahead, scaled up from a small problem."""
    scaled = [large[name] / small[name] for name in ratios] + [large[name] for name in times]
    return seconds * np.prod(scaled) / unit


def _arrays(post):
    """The mean, the covariance and the ridge of any posterior."""
    mean = np.asarray(post.mean)
    return mean, np.asarray(post.columns(0, len(mean))), float(post.ridge)


def norm_form(post, *, pick=np.argmax, reach=np.abs, ridge=True, surprise=2, power=1.0):
    """The scores of the norm form of MLMOC."""
    mean, cov, lam = _arrays(post)
    label = np.eye(mean.shape[1])[pick(mean, axis=1)]
    size = np.linalg.norm(label - mean, ord=surprise, axis=1) if surprise else 1.0
    return size * reach(cov).sum(axis=0) / (np.diag(cov) + ridge * lam) ** power


def left_out(k_ll, f_l, y_l, ridge, *, divisor=np.diag):
    """The residuals of leaving out each labelled input."""
    inverse = np.linalg.inv(k_ll + ridge * np.eye(len(k_ll)))
    return inverse @ (y_l - f_l) / np.reshape(divisor(inverse), (-1, 1))


def two_labels(post, pair, labels, *, ridge=True, **slip):
    """The pool's outputs once a pair of candidates has labels."""
    mean, cov, lam = _arrays(post)
    return at_once(mean, cov, ridge * lam, pair, labels, **slip)


def stale_covariance(post, pair, labels):
    """The same with the second label revealed by the covariance from before the first."""
    mean, cov, lam = _arrays(post)
    return one_by_one(mean, cov, zip(pair, labels, strict=True), lam, keep_cov=True)


def _after(kernel, rows, labels, start, time, ridge):
    """Outputs on all rows of the kernel after training on some of them for a time (infinity allowed)."""
    among = kernel[rows, rows] + ridge * np.eye(len(labels))
    residual = labels - start[rows]
    return start + formulas.trained(among, kernel[:, rows], residual, 1.0, time, learned=formulas.flow)


def _two_rounds(kernel, labels, count, rounds, fresh, *, carry=1, again=0, itself=0):
    """The pool after a round on ``count`` inputs and one on all, minus that after one on all from nothing."""
    n, start = len(labels), np.zeros((len(kernel), labels.shape[1]))
    warm = _after(kernel, slice(count), labels[:count], start, *rounds[0])
    warm[n:] *= carry
    warm = _after(kernel, slice(again, n), labels[again:] + itself * warm[again:n], warm, *rounds[1])
    return (warm - _after(kernel, slice(n), labels, start, *fresh))[n:]


def trace(kernel, labels, first, t, *, first_time=np.inf, fresh=None, **slip):
    """The difference of two rounds of training and one, stopped at a time."""
    rounds = (first_time, 0.0), (t, 0.0)
    return _two_rounds(kernel, labels, first, rounds, (fresh or t, 0.0), **slip)


def anchored(kernel, labels, first, ridge, *, ridges=(1.0, 1.0), **slip):
    """The same at convergence, with a ridge."""
    rounds = [(np.inf, ridge * share) for share in ridges]
    return _two_rounds(kernel, labels, first, rounds, (np.inf, ridge), **slip)


def expected_flips(mean, cov, ridge, probs, *, label=lambda k, row: k, weigh=np.positive):
    """Of the first candidates, the flips averaged over the model's labels."""
    present, eye, flips = mean.argmax(axis=1), np.eye(mean.shape[1]), np.zeros(FIRST)
    for c in range(FIRST):
        for k, weight in enumerate(weigh(probs[c])):
            after = one_by_one(mean, cov, [(c, eye[label(k, mean[c])])], ridge, keep_cov=True)
            flips[c] += weight * np.sum(after.argmax(axis=1) != present)
    return flips


def fraction(mean, cov, ridge, *, absolute=True, swap=False):
    """The share of the variance of log scores that is due to the reach."""
    columns = np.abs(cov).sum(axis=0) if absolute else np.abs(cov.sum(axis=0))
    surprise, reach = surprise_of(mean), columns / (np.diag(cov) + ridge)
    score, part = np.log(surprise * reach), np.log(surprise if swap else reach)
    return np.cov(score, part)[0, 1] / np.var(score, ddof=1)


def worst(cov, ridge, c, *, apart=2**0.5, own=False):
    """The largest change between two labels of one candidate."""
    return apart * (cov[c, c] if own else np.abs(cov[:, c]).max()) / (cov[c, c] + ridge)


SLIPS = {
    "first_model": lambda doubts, axis: doubts[0],
    "without_labelled": lambda pool, labelled, k: radii(pool, pool[:1], k),
    "reduction": lambda prior: eer(prior) + doubts(prior).sum(),
    "even": lambda p: 0.5,
    "a_point": lambda scores: scores / len(scores),
    "undivided": lambda _: 1,
    "kernel_diagonal": lambda inverse: 1 / np.diag(np.linalg.inv(inverse)),
    "in_sample": lambda **given: left_out(**given, divisor=lambda inverse: 1 / given["ridge"]),
    "first_round_stopped": lambda **given: trace(**given, first_time=given["t"]),
    "new_inputs_alone": lambda **given: trace(**given, again=given["first"]),
    "likely": lambda k, row: row.argmax(),
    "alike": lambda p: 0 * p + 1 / len(p),
}
