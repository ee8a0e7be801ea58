"""The checkers of chapter 9: right answers pass, likely mistakes are named, nonsense gets a general word."""

import numpy as np
import pytest

from ntkal.lookahead.dense import Lookahead
from ntkal.textbook.answers.ch09 import CHECKERS
from ntkal.textbook.check import WrongAnswer, answer


def _kernel(rng, size):
    z = rng.normal(size=(size, size + 5))
    return z @ z.T / size


@pytest.fixture
def givens():
    """For each exercise what it gives, with sizes other than the book's."""
    rng = np.random.default_rng(9)
    n, m, classes, ridge = 7, 11, 4, 0.5
    kernel = _kernel(rng, n + m)
    y_l, f_l, f_p = np.eye(classes)[rng.integers(classes, size=n)], *_outputs(rng, n, m, classes)
    blocks = kernel[:n, :n], kernel[n:, :n], kernel[n:, n:]
    post = Lookahead.fit(*blocks, f_l, f_p, y_l, ridge=ridge)
    return {
        "9.2": {"post": post},
        "9.3": {"k_ll": blocks[0], "f_l": f_l, "y_l": y_l, "ridge": ridge},
        "9.4": {"post": post, "pair": (2, 9), "labels": np.eye(classes)[[1, 3]]},
    }


def _outputs(rng, n, m, classes):
    return 0.3 * rng.normal(size=(n, classes)), 0.3 * rng.normal(size=(m, classes))


def test_scores_from_a_loop_over_candidates_pass(givens):
    post = givens["9.2"]["post"]
    scores = []
    for c, row in enumerate(np.asarray(post.mean)):
        change = post.after(c, np.eye(4)[row.argmax()]) - post.mean
        scores.append(float(np.linalg.norm(change, axis=1).sum()))
    answer("9.2", scores, **givens["9.2"])


def test_residuals_from_leaving_each_input_out_pass(givens):
    k_ll, f_l, y_l, ridge = (givens["9.3"][name] for name in ("k_ll", "f_l", "y_l", "ridge"))
    residuals = []
    for i in range(len(k_ll)):
        rest = [j for j in range(len(k_ll)) if j != i]
        kernel = k_ll[np.ix_(rest, rest)] + ridge * np.eye(len(rest))
        residuals.append(y_l[i] - f_l[i] - k_ll[i, rest] @ np.linalg.solve(kernel, y_l[rest] - f_l[rest]))
    answer("9.3", residuals, **givens["9.3"])


def test_two_reveals_pass_as_two_labels_at_once(givens):
    post, (c, d), (y_c, y_d) = (givens["9.4"][name] for name in ("post", "pair", "labels"))
    answer("9.4", post.reveal(d, y_d).reveal(c, y_c).mean, **givens["9.4"])


MISTAKES = [(name, told) for name, checker in CHECKERS.items() for told in checker.mistakes]


@pytest.mark.parametrize(("name", "told"), MISTAKES)
def test_each_mistake_is_named(givens, name, told):
    wrong = CHECKERS[name].mistakes[told](**givens[name])
    with pytest.raises(WrongAnswer) as caught:
        answer(name, wrong, **givens[name])
    assert str(caught.value) == told


@pytest.mark.parametrize("name", CHECKERS)
def test_nonsense_gets_a_general_word(givens, name):
    right = np.asarray(CHECKERS[name].expected(**givens[name]))
    with pytest.raises(WrongAnswer, match="work it through once more"):
        answer(name, right + 1.2345, **givens[name])
    with pytest.raises(WrongAnswer, match="Expected shape"):
        answer(name, right[:-1], **givens[name])
