"""Checkers of chapters 7 to 12: myopic and look-ahead acquisition, closed forms, equivalence, sequences."""

import numpy as np
from scipy.special import entr

from ntkal.textbook.answers import formulas
from ntkal.textbook.answers.formulas import IN_BITS, NEGATED, NO_RIDGE, at_once, one_by_one, surprise_of
from ntkal.textbook.check import Checker

FIRST = 5
"""Candidates that exercise 11.2 asks for."""


def _bald(samples, *, whole=1.0, within=1.0, average=np.mean):
    doubts = entr(samples).sum(axis=-1)
    return whole * entr(samples.mean(axis=0)).sum(axis=-1) - within * average(doubts, axis=0)


BALD = {
    "That is the entropy of the average alone: subtract the average entropy, the doubt that would "
    "remain if the model were known.": {"within": 0.0},
    "That is the average entropy alone, the part that BALD takes away.": {"whole": 0.0, "within": -1.0},
    "The sign is reversed: the entropy of the average is the larger of the two.": NEGATED,
    "That is in bits: use the natural logarithm.": IN_BITS,
    "You added the entropies of the models: take their average.": {"average": np.sum},
    "You compared with the first model only: average over all of them.": {
        "average": lambda doubts, axis: doubts[0]
    },
}


def _radii(pool, labelled, k, *, skip=1, update=True, size=np.max):
    nearest = np.linalg.norm(pool[:, None] - labelled[None], axis=2).min(axis=1)
    far, radii = nearest.copy(), [size(nearest)]
    for _ in range(k):
        pick = int(far.argmax())
        nearest = np.minimum(nearest, np.linalg.norm(pool - pool[pick], axis=1))
        far = nearest.copy() if update else np.where(np.arange(len(pool)) == pick, -1.0, far)
        radii.append(size(nearest))
    return np.array(radii[skip:][:k])


RADII = {
    "Those are the radii before each pick: the radius asked for counts the pick as a centre.": {"skip": 0},
    "Your picks are the points farthest from the labelled ones: a pick becomes a centre too, and "
    "lowers the distances before the next.": {"update": False},
    "That is the mean distance to the nearest centre: the radius is the largest.": {"size": np.mean},
    "The labelled points are centres from the start: do not begin with a pool one.": (
        lambda pool, labelled, k: _radii(pool, pool[:1], k)
    ),
    "Those are squared distances.": {"then": np.square},
}


def _classes(q, *, doubt=1.0, share=True, whole=np.floor, best=1):
    rest = np.log(2) - doubt * entr([q, 1 - q]).sum()
    others = np.exp(rest / (1 - q) if share else rest)
    return whole(others + 1) + best


CLASSES = {
    "That is the number of the other classes: the best one counts too.": {"best": 0},
    "That is where the two are equal: C is a whole number, and the entropy must be larger.": {
        "whole": np.positive,
        "best": 0,
    },
    "You left out h(q), the entropy of best class against the rest.": {"doubt": 0.0},
    "You forgot that the tail counts only with its share 1 - q.": {"share": False},
}


def _thresholds(prior):
    """The labels of the points under each threshold."""
    return np.arange(1, len(prior))[:, None] > np.arange(len(prior))[None]


def _doubts(prior):
    """The entropies of the points' labels under a distribution of the threshold."""
    one = np.clip(_thresholds(prior) @ prior, 0.0, 1.0)  # sums may exceed one by a rounding error
    return entr(one) + entr(1 - one)


def _eer(prior, *, weigh=lambda p: p, over=np.sum, doubts=_doubts):
    scores = []
    for row in _thresholds(prior):
        cases = [prior * (row == value) for value in (True, False)]
        cases = [case for case in cases if case.sum() > 0]
        scores.append(over([-weigh(case.sum()) * doubts(case / case.sum()).sum() for case in cases]))
    return np.array(scores)


EER = {
    "The sign is reversed: a score is larger when less doubt is left.": NEGATED,
    "That is the reduction of the doubt: the same order, but EER is minus the doubt that is left.": (
        lambda prior: _eer(prior) + _doubts(prior).sum()
    ),
    "You took both labels for equally likely: weigh them by their probabilities.": {"weigh": lambda p: 0.5},
    "You added the two labels without their probabilities.": {"weigh": lambda p: 1.0},
    "You took the more favourable label: the candidate's label is not ours to choose, so average.": {
        "weigh": lambda p: 1.0,
        "over": np.max,
    },
    "That is the entropy of the candidate's own label, the myopic score.": _doubts,
    "That is in bits: use the natural logarithm.": IN_BITS,
    "That is the mean over the points; EER is their sum.": {"then": lambda scores: scores / len(scores)},
    "That is the doubt about the threshold: EER asks about the points' labels.": {"doubts": entr},
}


def _hours(seconds, small, large, *, ratios="npE", times="mC", unit=3600.0):
    scaled = [large[name] / small[name] for name in ratios] + [large[name] for name in times]
    return seconds * np.prod(scaled) / unit


HOURS = {
    "The classes are missing: there is one retraining for each candidate and each label.": {"times": "m"},
    "The candidates are missing: that is the time for one of them.": {"times": "C"},
    "That is a single retraining: multiply by candidates and labels.": {"times": ""},
    "The epochs are not scaled.": {"ratios": "np"},
    "The parameters are not scaled.": {"ratios": "nE"},
    "The labelled inputs are not scaled.": {"ratios": "pE"},
    "Nothing is scaled to the larger problem but the number of retrainings.": {"ratios": ""},
    "That is in seconds.": {"unit": 1.0},
    "That is in minutes.": {"unit": 60.0},
    "That is in days.": {"unit": 86400.0},
}


def _arrays(post):
    """The mean, the covariance and the ridge of any posterior."""
    mean = np.asarray(post.mean)
    return mean, np.asarray(post.columns(0, len(mean))), float(post.ridge)


def _norm_form(post, *, pick=np.argmax, reach=np.abs, ridge=True, surprise=2, power=1.0):
    mean, cov, lam = _arrays(post)
    label = np.eye(mean.shape[1])[pick(mean, axis=1)]
    size = np.linalg.norm(label - mean, ord=surprise, axis=1) if surprise else 1.0
    return size * reach(cov).sum(axis=0) / (np.diag(cov) + ridge * lam) ** power


NORM_FORM = {
    "The ridge is missing in the denominator: the freedom left is S_cc + ridge.": {"ridge": False},
    "This takes the least likely label: take the arg-max of the mean.": {"pick": np.argmin},
    "The entries of S were summed with signs: take absolute values.": {"reach": np.positive},
    "The entries of S were squared: sum their absolute values.": {"reach": np.square},
    "The surprise is missing: multiply by the norm of label minus mean.": {"surprise": None},
    "The surprise is measured by the 1-norm: use the 2-norm.": {"surprise": 1},
    "The denominator is under a square root: divide by S_cc + ridge itself.": {"power": 0.5},
    "The denominator is missing: divide by S_cc + ridge.": {"power": 0.0},
}


def _left_out(k_ll, f_l, y_l, ridge, *, divisor=np.diag):
    inverse = np.linalg.inv(k_ll + ridge * np.eye(len(k_ll)))
    return inverse @ (y_l - f_l) / np.reshape(divisor(inverse), (-1, 1))


LEFT_OUT = {
    "The ridge was forgotten: invert the kernel plus the ridge times the identity.": NO_RIDGE,
    "The sign is turned round: the residual is the label minus the prediction.": NEGATED,
    "The division is missing: divide row i by the i-th diagonal entry of the inverse.": {
        "divisor": lambda _: 1
    },
    "Multiplied by the kernel's diagonal: divide by the inverse's diagonal.": {
        "divisor": lambda inverse: 1 / np.diag(np.linalg.inv(inverse))
    },
    "These are the residuals of the fit on all inputs: input i has to be left out.": (
        lambda **given: _left_out(**given, divisor=lambda inverse: 1 / given["ridge"])
    ),
}


def _two_labels(post, pair, labels, *, ridge=True, **slip):
    mean, cov, lam = _arrays(post)
    return at_once(mean, cov, ridge * lam, pair, labels, **slip)


def _stale_covariance(post, pair, labels):
    mean, cov, lam = _arrays(post)
    return one_by_one(mean, cov, zip(pair, labels, strict=True), lam, keep_cov=True)


TWO_LABELS = {
    "The ridge is missing: both readings are noisy, so it stands on both diagonal places.": {"ridge": False},
    "This adds the two single changes, as if the candidates had nothing to do with each other; use "
    "one 2 x 2 system.": {"joint": False},
    "The second label was added with the old covariance: reveal the first one fully, or solve the "
    "2 x 2 system.": _stale_covariance,
    "Only the first of the two labels is in.": {"pair": lambda pair: pair[:1], "labels": lambda y: y[:1]},
    "The two labels are exchanged: row 0 of the labels belongs to pair[0].": {"labels": lambda y: y[::-1]},
}


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


def _trace(kernel, labels, first, t, *, first_time=np.inf, fresh=None, **slip):
    rounds = (first_time, 0.0), (t, 0.0)
    return _two_rounds(kernel, labels, first, rounds, (fresh or t, 0.0), **slip)


TRACE = {
    "Run A's first round was stopped at time t too: it runs to convergence.": (
        lambda **given: _trace(**given, first_time=given["t"])
    ),
    "You compared with run B at convergence: B stops at time t as well.": {"fresh": np.inf},
    "The sign is reversed: A minus B.": NEGATED,
    "A's second round started from zero on the pool: carry the outputs of round one there too.": {"carry": 0},
    "The second round of A trained on the new inputs only: it trains on all sixteen.": (
        lambda **given: _trace(**given, again=given["first"])
    ),
}


def _anchored(kernel, labels, first, ridge, *, ridges=(1.0, 1.0), **slip):
    rounds = [(np.inf, ridge * share) for share in ridges]
    return _two_rounds(kernel, labels, first, rounds, (np.inf, ridge), **slip)


ANCHORED = {
    "The first fit was made without the ridge.": {"ridges": (0.0, 1.0)},
    "The second fit was made without the ridge.": {"ridges": (1.0, 0.0)},
    "The sign is reversed: moving anchor minus fixed anchor.": NEGATED,
    "The second fit was given the labels themselves: it fits what the first has left, Y - h(X).": {
        "itself": 1
    },
}


def _expected_flips(mean, cov, ridge, probs, *, label=lambda k, row: k, weigh=np.positive):
    present, eye, flips = mean.argmax(axis=1), np.eye(mean.shape[1]), np.zeros(FIRST)
    for c in range(FIRST):
        for k, weight in enumerate(weigh(probs[c])):
            after = one_by_one(mean, cov, [(c, eye[label(k, mean[c])])], ridge, keep_cov=True)
            flips[c] += weight * np.sum(after.argmax(axis=1) != present)
    return flips


EXPECTED_FLIPS = {
    "You used the most likely label for every k; label k is the one-hot vector e_k.": {
        "label": lambda k, row: row.argmax()
    },
    "You weighted all labels alike; weight label k by probs[c, k].": {"weigh": lambda p: 0 * p + 1 / len(p)},
    "You summed over the labels without weights; weight label k by probs[c, k].": {"weigh": np.ones_like},
    "You left the ridge out of the denominator.": NO_RIDGE,
}


def _fraction(mean, cov, ridge, *, absolute=True, swap=False):
    columns = np.abs(cov).sum(axis=0) if absolute else np.abs(cov.sum(axis=0))
    surprise, reach = surprise_of(mean), columns / (np.diag(cov) + ridge)
    score, part = np.log(surprise * reach), np.log(surprise if swap else reach)
    return np.cov(score, part)[0, 1] / np.var(score, ddof=1)


FRACTION = {
    "That is the share of surprise; take the covariance with log reach.": {"swap": True},
    "You summed the column before taking the absolute value; reach sums |S_uc|.": {"absolute": False},
}
AT_ONCE = {
    "You updated for each candidate on its own; solve with all of S[picks, picks].": {"joint": False},
    "You multiplied the labels themselves; it is the surprise, labels minus mean[picks].": {
        "surprise": False
    },
    "You left the ridge out of the system.": NO_RIDGE,
}


def _worst(cov, ridge, c, *, apart=2**0.5, own=False):
    return apart * (cov[c, c] if own else np.abs(cov[:, c]).max()) / (cov[c, c] + ridge)


WORST = {
    "Two different one-hot vectors are sqrt(2) apart, not 1.": {"apart": 1.0},
    "Two different one-hot vectors are sqrt(2) apart, not 2.": {"apart": 2.0},
    "That is the change at the candidate itself; look for the pool point most affected.": {"own": True},
    "You left the ridge out of the denominator.": NO_RIDGE,
}

CHECKERS = {
    "7.2": Checker(_bald, BALD),
    "7.3": Checker(_radii, RADII),
    "7.4": Checker(_classes, CLASSES),
    "8.2": Checker(_eer, EER),
    "8.3": Checker(_hours, HOURS, rtol=0.005),
    "9.2": Checker(_norm_form, NORM_FORM),
    "9.3": Checker(_left_out, LEFT_OUT),
    "9.4": Checker(_two_labels, TWO_LABELS),
    "10.2": Checker(_trace, TRACE),
    "10.3": Checker(_anchored, ANCHORED),
    "11.2": Checker(_expected_flips, EXPECTED_FLIPS),
    "11.3": Checker(_fraction, FRACTION),
    "12.2": Checker(at_once, AT_ONCE, rtol=1e-8),
    "12.3": Checker(_worst, WORST),
}
