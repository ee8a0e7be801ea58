import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import problem

from ntkal.acquisition import lcmd, squared_distances


def from_scratch(points, k, centres=()):
    """Every cluster anew for every pick, from the points themselves; centres are points too."""
    known, picks = [np.asarray(c) for c in centres], []
    while len(picks) < k:
        free = [i for i in range(len(points)) if i not in picks]
        if not known:
            picks.append(max(free, key=lambda i: points[i] @ points[i]))
        else:
            distance = np.array([[np.sum((c - p) ** 2) for c in known] for p in points])
            owner = distance.argmin(axis=1)
            totals = [distance[owner == b, b].sum() for b in range(len(known))]
            largest = int(np.argmax(totals))
            inside = [i for i in free if owner[i] == largest]
            picks.append(max(inside, key=lambda i: distance[i, largest]))
        known.append(points[picks[-1]])
    return picks


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 9999), m=st.sampled_from([1, 2, 15]), n=st.sampled_from([0, 1, 4]))
def test_the_picks_are_those_of_clusters_made_anew_each_time(seed, m, n):
    rng = np.random.default_rng(seed)
    points, labelled = rng.normal(size=(m, 3)), rng.normal(size=(n, 3))
    k = int(rng.integers(1, min(m, 8) + 1))
    centres = None
    if n:
        centres = squared_distances(labelled @ labelled.T, points @ labelled.T, points @ points.T)
    picks = lcmd(points @ points.T, k, centres=centres)
    assert picks.tolist() == from_scratch(points, k, labelled)


def test_the_posterior_kernel_is_the_distance_of_features_once_the_labels_are_projected_out():
    case = problem(n=4, m=12, parameters=9, ridge=0.0)
    onto = case.phi_l.T @ np.linalg.solve(case.phi_l @ case.phi_l.T, case.phi_l)
    left = case.phi_p @ (np.eye(9) - onto)
    assert lcmd(case.fit().cov, 6).tolist() == from_scratch(left, 6)


def test_it_differs_from_the_farthest_point_where_many_crowd_together():
    points = np.concatenate([np.linspace(0, 2, 60), [10.0, 14.0]])[:, None]
    centres = (points[:, 0] - np.array([[0.0], [12.5]])) ** 2
    assert lcmd(points @ points.T, 1, centres=centres).tolist() == [59]
    assert np.argmax(centres.min(axis=0)) == 60


def test_distances_of_labelled_inputs_are_those_of_their_features(rng):
    a, b = rng.normal(size=(4, 5)), rng.normal(size=(6, 5))
    want = ((a[:, None] - b[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(squared_distances(a @ a.T, b @ a.T, b @ b.T), want, rtol=1e-10)
    assert np.diag(squared_distances(b @ b.T, b @ b.T, b @ b.T)).tolist() == [0.0] * 6


@pytest.mark.parametrize("m", [6, 40])
def test_copies_are_picked_only_when_nothing_else_is_left(m, rng):
    points = np.repeat(rng.normal(size=(m // 2, 3)) * 1e3, 2, axis=0)
    picks = lcmd(points @ points.T, m)
    assert sorted(picks.tolist()) == list(range(m))
    assert len(set((picks[: m // 2] // 2).tolist())) == m // 2


def test_a_pool_without_any_distance_is_taken_in_its_order():
    assert lcmd(np.ones((4, 4)), 4).tolist() == [0, 1, 2, 3]
    assert lcmd(np.zeros((3, 3)), 2, centres=np.zeros((1, 3))).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones((3, 2)), 1), r"kernel: expected a square matrix, got shape \(3, 2\)"),
        ((np.full((2, 2), np.nan), 1), "kernel: 4 of 4 entries are NaN"),
        ((np.eye(3), 4), "k: expected a whole number between 1 and 3, got 4"),
    ],
)
def test_what_cannot_be_clustered_is_refused(arguments, message, as_user):
    with pytest.raises(ValueError, match=message):
        lcmd(*arguments)


def test_centres_that_do_not_fit_are_refused(as_user):
    with pytest.raises(ValueError, match=r"centres: expected shape \(any, 3\), got \(1, 2\)"):
        lcmd(np.eye(3), 1, centres=np.ones((1, 2)))
    with pytest.raises(ValueError, match="centres: squared distances are at least 0, got -1"):
        lcmd(np.eye(3), 1, centres=-np.ones((1, 3)))
