"""The checkers of chapters 7 to 12 accept the right answer and name each slip of the bank."""

import dataclasses

import numpy as np
import pytest
from bank import bank_tests
from problems import problem
from scipy.linalg import expm
from scipy.stats import entropy

from ntkal import gradient_flow
from ntkal.acquisition import bald, coreset, probabilities
from ntkal.lookahead.dense import Lookahead
from ntkal.textbook.answers import CHECKERS
from ntkal.textbook.answers.part2_looking_ahead import FIRST as ASKED
from ntkal.textbook.check import answer


def givens_of_7(rng):
    return {
        "7.2": {"samples": rng.dirichlet(np.ones(3), (4, 5))},
        "7.3": {"pool": rng.standard_normal((30, 3)), "labelled": rng.standard_normal((4, 3)), "k": 5},
        "7.4": {"q": 0.85},
    }


@pytest.fixture(scope="module")
def givens():
    made = {}
    for of_chapter in (givens_of_7, givens_of_8, givens_of_9, givens_of_10, givens_of_11, givens_of_12):
        made |= of_chapter(np.random.default_rng(20220612))
    return made


def test_bald_is_that_of_the_library(givens):
    assert CHECKERS["7.2"].problem(bald(**givens["7.2"]), **givens["7.2"]) is None


def test_radii_are_those_of_the_library_s_picks(givens):
    given = givens["7.3"]
    picks = coreset(given["pool"], given["labelled"], 5)
    centres = [np.vstack([given["labelled"], given["pool"][picks[: i + 1]]]) for i in range(5)]
    radii = [np.linalg.norm(given["pool"][:, None] - c[None], axis=2).min(axis=1).max() for c in centres]
    assert CHECKERS["7.3"].problem(radii, **given) is None


@pytest.mark.parametrize("q", [0.7, 0.8, 0.9])
def test_the_number_of_classes_is_the_smallest_that_does_it(q):
    C = CHECKERS["7.4"].expected(q=q)

    def entropy(classes):
        return -q * np.log(q) - (1 - q) * np.log((1 - q) / (classes - 1))

    assert entropy(C) > np.log(2) >= entropy(C - 1)


def givens_of_8(rng):
    return {
        "8.2": {"prior": rng.dirichlet(np.ones(8))},
        "8.3": {
            "seconds": 0.3,
            "small": {"n": 120, "p": 19146, "E": 15},
            "large": {"n": 1000, "p": 11.2e6, "E": 200, "m": 6000, "C": 10},
        },
    }


def test_eer_is_minus_the_conditional_entropies_of_all_pairs(givens):
    prior = givens["8.2"]["prior"]
    m = len(prior) - 1
    scores = np.zeros(m)
    for c in range(m):
        for u in range(m):
            table = np.zeros((2, 2))
            for t, weight in enumerate(prior):
                table[int(c + 1 > t), int(u + 1 > t)] += weight
            scores[c] -= entropy(table.ravel()) - entropy(table.sum(axis=1))
    assert CHECKERS["8.2"].problem(scores, prior=prior) is None


def test_a_prior_without_doubt_about_a_label_is_allowed():
    prior = np.array([0.0, 0.5, 0.5, 0.0])
    np.testing.assert_allclose(
        CHECKERS["8.2"].expected(prior=prior), [-np.log(2), 0.0, -np.log(2)], atol=1e-12
    )


def test_rounding_in_the_prior_does_no_harm():
    prior = np.array([9, 2, 2, 2, 1, 1, 1, 1, 1, 1]) / 21  # its sum is not one to the last digit
    assert np.isfinite(CHECKERS["8.2"].expected(prior=prior)).all()


def test_the_bill_is_a_product(givens):
    hours = 0.3 * (1000 / 120) * (11.2e6 / 19146) * (200 / 15) * 60_000 / 3600
    assert CHECKERS["8.3"].problem(hours, **givens["8.3"]) is None


def _kernel(rng, size):
    z = rng.normal(size=(size, size + 5))
    return z @ z.T / size


def givens_of_9(rng):
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


FIRST, N, POOL = 3, 7, 5


def kernel_and_labels():
    rng = np.random.default_rng(10)
    phi = rng.standard_normal((N + POOL, 20)) / 4
    return phi @ phi.T, rng.standard_normal((N, 2))


def givens_of_10(rng):
    kernel, labels = kernel_and_labels()
    shared = {"kernel": kernel, "labels": labels, "first": FIRST}
    return {"10.2": {**shared, "t": 0.8}, "10.3": {**shared, "ridge": 0.3}}


def two_rounds(kernel, labels, t, ridge):
    """Warm minus fresh by the library's own gradient flow."""
    start = np.zeros((N + POOL, 2))

    def flow(begin, n, time):
        k = kernel[:n, :n]
        return np.asarray(gradient_flow(k, labels[:n], begin[:n], kernel[:, :n], begin, t=time, ridge=ridge))

    return (flow(flow(start, FIRST, None), N, t) - flow(start, N, t))[N:]


def test_the_trace_is_that_of_the_library(givens):
    assert (
        CHECKERS["10.2"].problem(two_rounds(*kernel_and_labels(), t=0.8, ridge=0.0), **givens["10.2"]) is None
    )


def test_the_trace_is_the_closed_formula(givens):
    kernel, labels = kernel_and_labels()
    k = kernel[:N, :N]
    after_first = kernel[:N, :FIRST] @ np.linalg.solve(kernel[:FIRST, :FIRST], labels[:FIRST])
    trace = kernel[N:, :N] @ np.linalg.solve(k, expm(-0.8 * k) @ after_first)
    assert CHECKERS["10.2"].problem(trace, **givens["10.2"]) is None


def test_the_anchored_difference_is_that_of_the_library(givens):
    assert (
        CHECKERS["10.3"].problem(
            two_rounds(*kernel_and_labels(), t=None, ridge=0.3),
            **givens["10.3"],
        )
        is None
    )


def a_problem():
    return problem(seed=4, m=30, classes=4, parameters=12, ridge=0.5)


def givens_of_11(rng):
    post = a_problem().fit()
    common = {"mean": np.asarray(post.mean), "cov": np.asarray(post.cov), "ridge": 0.5}
    return {"11.2": common | {"probs": np.asarray(probabilities(post.mean))}, "11.3": common}


def test_expected_flips_are_those_of_refitting_with_each_label(givens):
    case, given = a_problem(), givens["11.2"]
    before = case.refit().argmax(axis=1)
    flips = [
        sum(
            given["probs"][c, k] * np.sum(case.refit([(c, np.eye(4)[k])]).argmax(axis=1) != before)
            for k in range(4)
        )
        for c in range(ASKED)
    ]
    assert CHECKERS["11.2"].problem(np.array(flips), **given) is None


def test_the_two_shares_of_the_variance_add_up_to_one(givens):
    given = givens["11.3"]
    reach = CHECKERS["11.3"].expected(**given)
    (swapped, *_) = CHECKERS["11.3"].mistakes.values()
    assert reach + swapped(**given) == pytest.approx(1.0)
    assert CHECKERS["11.3"].problem(reach, **given) is None


def an_uneven_problem():
    """Pool points of unequal size, so that a small one moves a large one further than itself."""
    plain = problem(seed=7, m=12, parameters=20, ridge=0.5)
    return dataclasses.replace(plain, phi_p=plain.phi_p * np.linspace(0.3, 3.0, 12)[:, None])


def givens_of_12(rng):
    post = an_uneven_problem().fit()
    mean, cov = np.asarray(post.mean), np.asarray(post.cov)
    c = int(np.argmax(np.abs(cov).max(axis=0) / np.diag(cov)))
    return {
        "12.2": {"mean": mean, "cov": cov, "ridge": 0.5, "picks": [2, 5, 9], "labels": np.eye(3)[[1, 0, 2]]},
        "12.3": {"cov": cov, "ridge": 0.5, "c": c},
    }


def test_the_block_update_is_refitting_on_all_three_labels(givens):
    case, given = an_uneven_problem(), givens["12.2"]
    pairs = list(zip(given["picks"], given["labels"], strict=True))
    assert CHECKERS["12.2"].problem(case.refit(pairs), **given) is None


def test_the_worst_change_is_that_of_two_refits_with_different_labels(givens):
    case, given = an_uneven_problem(), givens["12.3"]
    one, other = (case.refit([(given["c"], np.eye(3)[k])]) for k in (0, 2))
    worst = np.linalg.norm(one - other, axis=1).max()
    assert CHECKERS["12.3"].problem(worst, **given) is None


test_each_slip_is_named, test_another_wrong_answer_is_refused, test_forms_do_not_matter = bank_tests(7, 12)
