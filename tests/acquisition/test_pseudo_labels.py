import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import problem

from ntkal import FactorLookahead
from ntkal.acquisition import clusters, coverage


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 999),
    n=st.sampled_from([1, 6]),
    m=st.sampled_from([1, 2, 11]),
    classes=st.sampled_from([2, 5]),
    ridge=st.sampled_from([0.0, 0.5]),
)
def test_the_share_is_that_of_a_refit_for_each_candidate(seed, n, m, classes, ridge):
    case = problem(seed=seed, n=n, m=m, classes=classes, ridge=ridge)
    pseudo = np.random.default_rng(seed).integers(classes, size=m)
    want = [np.mean(case.refit([(c, np.eye(classes)[pseudo[c]])]).argmax(axis=1) == pseudo) for c in range(m)]
    np.testing.assert_allclose(coverage(case.fit(), pseudo), want, atol=1e-12)


def test_a_covariance_in_factors_gives_the_same(rng):
    case = problem(m=30, parameters=12)
    pseudo = rng.integers(3, size=30)
    post = FactorLookahead.fit(case.phi_l, case.phi_p, case.f_l, case.f_p, case.y_l, ridge=case.ridge)
    np.testing.assert_allclose(coverage(post, pseudo), coverage(case.fit(), pseudo), atol=1e-12)


def test_a_candidate_that_is_known_leaves_the_share_as_it_is():
    case = problem(m=8, ridge=0.0)
    case = dataclasses.replace(case, phi_p=np.vstack([case.phi_p[:7], case.phi_l[:1]]))
    post, pseudo = case.fit(), np.arange(8) % 3
    now = np.mean(np.asarray(post.mean).argmax(axis=1) == pseudo)
    assert float(coverage(post, pseudo)[7]) == pytest.approx(now, abs=1e-12)


def test_clusters_are_those_of_k_means_on_the_features(rng):
    centre = 50 * np.eye(4)[:3]
    points = np.concatenate([rng.normal(size=(9, 4)) + c for c in centre])
    found = clusters(points @ points.T, 3)
    assert sorted(set(found.tolist())) == [0, 1, 2]
    assert all(len(set(found[start : start + 9].tolist())) == 1 for start in (0, 9, 18))
    np.testing.assert_array_equal(found, clusters(points @ points.T, 3))
    assert clusters(points @ points.T, 1).tolist() == [0] * 27
    assert clusters(np.zeros((4, 4)), 2).tolist() == [0] * 4


@pytest.mark.parametrize(
    ("pseudo", "message"),
    [
        (np.zeros(3, dtype=int), r"pseudo: expected one label for each of 9 pool inputs, got \(3,\)"),
        (np.full(9, 3), "pseudo: labels run from 3 to 3, but the look-ahead has 3 outputs, 0 to 2"),
        (np.full(9, -1), "pseudo: labels run from -1 to -1"),
    ],
)
def test_labels_that_no_output_stands_for_are_refused(pseudo, message, as_user):
    with pytest.raises(ValueError, match=message):
        coverage(problem().fit(), pseudo)


def test_kernels_and_numbers_of_clusters_that_do_not_fit_are_refused(as_user):
    with pytest.raises(ValueError, match=r"kernel: expected a square matrix, got shape \(2, 3\)"):
        clusters(np.ones((2, 3)), 1)
    with pytest.raises(ValueError, match="k: expected a whole number between 1 and 2, got 3"):
        clusters(np.eye(2), 3)
