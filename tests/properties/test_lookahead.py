"""Degenerate kernels: a look-ahead is right as far as its kernel's digits go, or refused with a reason."""

from fractions import Fraction

import exact
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties.kernels import C, M, N, attempt, cases

from ntkal import ImplicitLookahead, Lookahead, eer, emoc, mlmoc, mlmoc_norm
from ntkal.acquisition import probabilities
from ntkal.inputs import SingularKernelError

BOTH = pytest.mark.parametrize("kind", [Lookahead, ImplicitLookahead])


def fitted(case, kind=Lookahead):
    """The look-ahead, or None when it is refused as it should be: by name and with a way out."""
    post, refusal = attempt(kind.fit, *case.blocks, case.f_l, case.f_p, case.y, ridge=case.ridge)
    if post is None:
        assert "cannot be inverted" in refusal
        assert "pass a ridge of about" in refusal
    return post


def rational(array):
    return [[Fraction(float(value)) for value in row] for row in array]


def refit(case, extra=()):
    """The exact answer after labelling the candidates, from the features themselves."""
    at, labels = [c for c, _ in extra], [label for _, label in extra]
    targets = np.vstack([case.y - case.f_l, *[label - case.f_p[c] for c, label in extra]])
    assert len(labels) == len(at)
    return exact.refit(
        [*case.x, *[case.pool[c] for c in at]], rational(targets), case.pool, Fraction(case.ridge)
    )


def right(have, want, case):
    """Within what rounding the kernel's entries does, by the exact sensitivity, and some operations more."""
    have = np.asarray(have)
    assert np.isfinite(have).all()
    bound = 40 * N * case.rounding * want.moved + 1e-12 * (1 + np.abs(want.outputs))
    assert (np.abs(have - case.f_p - want.outputs) <= bound).all()


@BOTH
@given(case=cases(), c=st.integers(0, M - 1), k=st.integers(0, C - 1))
def test_labelling_a_candidate_is_an_exact_refit_or_refused(kind, case, c, k):
    post = fitted(case, kind)
    if post is None:
        return
    now = refit(case)
    assert now is not None, "a kernel without an inverse was inverted"
    right(post.mean, now, case)
    label = np.eye(C)[k]
    want = refit(case, [(c, label)])
    after, refusal = attempt(post.after, c, label)
    if after is None:
        assert f"the labelled points determine pool point {c} already" in refusal
        return
    assert want is not None, "a candidate that is determined was labelled"
    right(after, want, case)
    later = post.reveal(c, label)
    np.testing.assert_array_equal(later.mean, after)
    assert np.isfinite(np.asarray(later.columns(0, M))).all()


@given(case=cases(dtypes=(np.float64,)))
def test_what_is_well_posed_is_not_refused(case):
    blocks = case.blocks
    whole = np.block([[blocks[0], blocks[1].T], [blocks[1], blocks[2]]]) + case.ridge * np.eye(N + M)
    labelled = whole[:N, :N]
    if np.linalg.cond(labelled) > 1e9:
        return
    post = fitted(case)
    assert post is not None
    for c in range(M):
        at = [*range(N), N + c]
        if np.linalg.cond(whole[np.ix_(at, at)]) < 1e9:
            post.after(c, np.zeros(C))


@BOTH
@given(case=cases())
def test_scores_are_finite_and_those_of_the_outputs_after(kind, case):
    post = fitted(case, kind)
    if post is None:
        return
    probs = np.asarray(probabilities(post.mean))
    flips, norm, expected = (np.asarray(s) for s in (mlmoc(post), mlmoc_norm(post), emoc(post, probs)))
    for scores in (flips, norm, expected, eer(post, probs), eer(post, probs, link="clip")):
        assert np.isfinite(np.asarray(scores)).all()
    before = np.asarray(post.mean)
    for c in range(M):
        try:
            moves = [np.asarray(post.after(c, label)) - before for label in np.eye(C)]
        except SingularKernelError:
            assert flips[c] == norm[c] == expected[c] == 0
            continue
        if kind is ImplicitLookahead:  # makes S anew for each use: beside the ridge its rounding may be large
            continue
        size = np.array([np.linalg.norm(move, axis=1).sum() for move in moves])
        close = {"rtol": 1e-9, "atol": 1e-9 * (1 + np.abs(before).max())}
        np.testing.assert_allclose(norm[c], size[before[c].argmax()], **close)
        np.testing.assert_allclose(expected[c], probs[c] @ size, **close)


@given(case=cases(ridges=(0.0,)), c=st.integers(0, M - 1))
def test_copies_of_what_was_revealed_are_determined(case, c):
    post = fitted(case)
    if post is None:
        return
    try:
        later = post.reveal(c, np.eye(C)[0])
    except SingularKernelError:
        return
    for u in range(M):
        if case.pool[u] == case.pool[c]:
            with pytest.raises(SingularKernelError, match=f"pool point {u}"):
                later.after(u, np.eye(C)[0])


@given(seed=st.integers(0, 10**6), size=st.sampled_from([1e-6, 1.0, 1e6]), shift=st.floats(0.01, 1.0))
def test_what_is_no_kernel_is_refused(seed, size, shift):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(M, M))
    kernel = size * (root @ root.T / M + 0.1 * np.eye(M))
    labelled, between = size * np.eye(N), np.zeros((M, N))
    rest = np.zeros((N, C)), np.zeros((M, C)), np.eye(C)[[0] * N]
    Lookahead.fit(labelled, between, kernel, *rest)
    lowest = np.linalg.eigvalsh(kernel)[0]
    indefinite = kernel - (lowest + shift * size) * np.eye(M)
    with pytest.raises(ValueError, match="k_pp: given the labelled inputs, .* compute k_ll, k_pl and k_pp"):
        Lookahead.fit(labelled, between, indefinite, *rest)
    asymmetric = kernel.copy()
    asymmetric[0, 1] += shift * size
    with pytest.raises(ValueError, match="k_pp: a kernel matrix is symmetric"):
        Lookahead.fit(labelled, between, asymmetric, *rest)
    # Inputs that went through other parameters than the kernel among them.
    with pytest.raises(ValueError, match="k_pp: given the labelled inputs, .* compute k_ll, k_pl and k_pp"):
        Lookahead.fit(labelled, between + 4 * np.sqrt(lowest * size) + size, kernel, *rest)
    bad = size * np.diag([1.0, 1.0, 1.0, -shift])
    with pytest.raises(SingularKernelError, match="k_ll .* no negative eigenvalue"):
        Lookahead.fit(bad, between, kernel, *rest)
