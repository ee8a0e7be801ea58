"""Checkers of chapter 9, "Retraining in closed form"."""

import numpy as np

from ntkal.textbook.check import Checker


def _arrays(post):
    return np.asarray(post.mean), np.asarray(post.cov), float(post.ridge)


def _norm_form(post, *, pick=np.argmax, reach=np.abs, ridge=True, surprise=2, power=1.0):
    """The norm form of MLMOC, or what it becomes with one thing wrong."""
    mean, cov, lam = _arrays(post)
    label = np.eye(mean.shape[1])[pick(mean, axis=1)]
    size = np.linalg.norm(label - mean, ord=surprise, axis=1) if surprise else 1.0
    freedom = np.diag(cov) + (lam if ridge else 0.0)
    return size * reach(cov).sum(axis=0) / freedom**power


def _leave_one_out(k_ll, f_l, y_l, ridge, *, diagonal="inverse", sign=1.0):
    """The leave-one-out residuals, or what comes out when the divisor is another one."""
    kernel = np.asarray(k_ll) + ridge * np.eye(len(k_ll))
    inverse = np.linalg.inv(kernel)
    divisors = {"inverse": np.diag(inverse), "kernel": 1 / np.diag(kernel), "none": np.ones(len(kernel))}
    return sign * inverse @ (np.asarray(y_l) - np.asarray(f_l)) / divisors[diagonal][:, None]


def _in_sample(k_ll, f_l, y_l, ridge):
    kernel, residual = np.asarray(k_ll), np.asarray(y_l) - np.asarray(f_l)
    return residual - kernel @ np.linalg.solve(kernel + ridge * np.eye(len(kernel)), residual)


def _pair(post, pair, labels, *, ridge=True):
    mean, cov, lam = _arrays(post)
    pair = list(pair)
    block = cov[np.ix_(pair, pair)] + (lam if ridge else 0.0) * np.eye(len(pair))
    return mean + cov[:, pair] @ np.linalg.solve(block, np.asarray(labels) - mean[pair])


def _one(mean, cov, lam, c, y):
    return np.outer(cov[:, c], (y - mean[c]) / (cov[c, c] + lam))


def _sum_of_singles(post, pair, labels):
    mean, cov, lam = _arrays(post)
    return mean + sum(_one(mean, cov, lam, c, y) for c, y in zip(pair, labels, strict=True))


def _stale_covariance(post, pair, labels):
    mean, cov, lam = _arrays(post)
    for c, y in zip(pair, labels, strict=True):
        mean = mean + _one(mean, cov, lam, c, y)
    return mean


def _first_only(post, pair, labels):
    mean, cov, lam = _arrays(post)
    return mean + _one(mean, cov, lam, pair[0], labels[0])


def _swapped(post, pair, labels):
    return _pair(post, pair, np.asarray(labels)[::-1])


CHECKERS = {
    "9.2": Checker(
        expected=_norm_form,
        mistakes={
            "The ridge is missing in the denominator: the freedom left is S_cc + ridge.": lambda post: (
                _norm_form(post, ridge=False)
            ),
            "This takes the least likely label: take the arg-max of the mean.": lambda post: _norm_form(
                post, pick=np.argmin
            ),
            "The entries of S were summed with signs: take absolute values.": lambda post: _norm_form(
                post, reach=lambda cov: cov
            ),
            "The entries of S were squared: sum their absolute values.": lambda post: _norm_form(
                post, reach=np.square
            ),
            "The surprise is missing: multiply by the norm of label minus mean.": lambda post: _norm_form(
                post, surprise=None
            ),
            "The surprise is measured by the 1-norm: use the 2-norm.": lambda post: _norm_form(
                post, surprise=1
            ),
            "The denominator is under a square root: divide by S_cc + ridge itself.": lambda post: _norm_form(
                post, power=0.5
            ),
            "The denominator is missing: divide by S_cc + ridge.": lambda post: _norm_form(post, power=0.0),
        },
    ),
    "9.3": Checker(
        expected=_leave_one_out,
        mistakes={
            "The ridge was forgotten: invert the kernel plus the ridge times the identity.": (
                lambda k_ll, f_l, y_l, ridge: _leave_one_out(k_ll, f_l, y_l, 0.0)
            ),
            "The sign is turned round: the residual is the label minus the prediction.": (
                lambda **given: _leave_one_out(**given, sign=-1.0)
            ),
            "The division is missing: divide row i by the i-th diagonal entry of the inverse.": (
                lambda **given: _leave_one_out(**given, diagonal="none")
            ),
            "Multiplied by the kernel's diagonal: divide by the inverse's diagonal.": lambda **given: (
                _leave_one_out(**given, diagonal="kernel")
            ),
            "These are the residuals of the fit on all inputs: input i has to be left out.": _in_sample,
        },
    ),
    "9.4": Checker(
        expected=_pair,
        mistakes={
            "The ridge is missing: both readings are noisy, so it stands on both diagonal places.": (
                lambda **given: _pair(**given, ridge=False)
            ),
            "This adds the two single changes, as if the candidates had nothing to do with each other; use "
            "one 2 x 2 system.": _sum_of_singles,
            "The second label was added with the old covariance: reveal the first one fully, or solve the "
            "2 x 2 system.": _stale_covariance,
            "Only the first of the two labels is in.": _first_only,
            "The two labels are exchanged: row 0 of the labels belongs to pair[0].": _swapped,
        },
    ),
}
