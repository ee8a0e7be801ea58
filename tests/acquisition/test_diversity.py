import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import KINDS, problem

from ntkal.acquisition import badge, coreset, lcmd, probabilities


def brute_badge(probs, features, k, rng):
    """k-means++ on the explicit gradient embeddings, with the same draws."""
    hot = np.eye(probs.shape[1])[probs.argmax(axis=1)]
    g = np.einsum("mc,md->mcd", probs - hot, features).reshape(len(probs), -1)
    picks = [int(rng.integers(len(g)))]
    while len(picks) < k:
        distance = np.min([((g - g[i]) ** 2).sum(axis=1) for i in picks], axis=0)
        distance[picks] = 0.0
        picks.append(int(rng.choice(len(g), p=distance / distance.sum())))
    return picks


def test_badge_is_k_means_plus_plus_on_explicit_gradients(rng):
    probs, features = np.asarray(probabilities(rng.normal(size=(40, 3)))), rng.normal(size=(40, 5))
    for seed in range(5):
        have = badge(probs, features, 10, np.random.default_rng(seed))
        assert have.tolist() == brute_badge(probs, features, 10, np.random.default_rng(seed))


def test_badge_prefers_uncertain_points(rng):
    probs = np.vstack([np.tile([0.98, 0.02], (90, 1)), np.tile([0.55, 0.45], (10, 1))])
    features = rng.normal(size=(100, 4))
    picks = np.concatenate([badge(probs, features, 6, np.random.default_rng(s))[1:] for s in range(20)])
    assert np.mean(picks >= 90) > 0.8


def test_badge_picks_every_point_once_even_among_copies():
    probs, features = np.tile([0.7, 0.3], (6, 1)), np.ones((6, 2))
    picks = badge(probs, features, 6, np.random.default_rng(0))
    assert sorted(picks.tolist()) == list(range(6))


def test_coreset_is_the_greedy_k_centre(rng):
    pool, labelled = rng.normal(size=(30, 4)), rng.normal(size=(5, 4))
    picks = coreset(pool, labelled, 8).tolist()
    centres = list(labelled)
    for pick in picks:
        radius = [min(np.linalg.norm(x - c) for c in centres) for x in pool]
        assert pick == int(np.argmax(radius))
        centres.append(pool[pick])


def test_coreset_takes_copies_last():
    pool = np.array([[0.0], [3.0], [3.0], [1.0]])
    assert coreset(pool, np.array([[0.0]]), 4).tolist() == [1, 3, 0, 2]


@pytest.mark.parametrize("k", [0, 4, True, 2.0])
def test_what_is_no_number_of_picks_is_refused(as_user, k):
    with pytest.raises(ValueError, match=f"k: expected a whole number.*, got {k}"):
        coreset(np.ones((3, 2)), np.ones((1, 2)), k)
    with pytest.raises(ValueError, match="k: expected a whole number"):
        badge(np.full((3, 2), 0.5), np.ones((3, 2)), k, np.random.default_rng(0))


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


@given(seed=st.integers(0, 9999), m=st.sampled_from([1, 2, 15]), n=st.sampled_from([0, 1, 4]))
def test_the_picks_are_those_of_clusters_made_anew_each_time(seed, m, n):
    rng = np.random.default_rng(seed)
    points, labelled = rng.normal(size=(m, 3)), rng.normal(size=(n, 3))
    k = int(rng.integers(1, min(m, 8) + 1))
    centres = ((labelled[:, None] - points[None]) ** 2).sum(axis=2) if n else None
    picks = lcmd(points @ points.T, k, centres=centres)
    assert picks.tolist() == from_scratch(points, k, labelled)


def test_the_posterior_kernel_is_the_distance_of_features_once_the_labels_are_projected_out():
    case = problem(n=4, m=12, parameters=9, ridge=0.0)
    onto = case.phi_l.T @ np.linalg.solve(case.phi_l @ case.phi_l.T, case.phi_l)
    left = case.phi_p @ (np.eye(9) - onto)
    for kind in KINDS:
        post = case.fit(kind)
        assert lcmd(post, 6).tolist() == lcmd(post.columns(0, 12), 6).tolist() == from_scratch(left, 6)


def test_it_differs_from_the_farthest_point_where_many_crowd_together():
    points = np.concatenate([np.linspace(0, 2, 60), [10.0, 14.0]])[:, None]
    centres = (points[:, 0] - np.array([[0.0], [12.5]])) ** 2
    assert lcmd(points @ points.T, 1, centres=centres).tolist() == [59]
    assert np.argmax(centres.min(axis=0)) == 60


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
        ((np.eye(3), True), "k: expected a whole number, got True"),
        ((np.eye(3), 2.0), "k: expected a whole number, got 2.0"),
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
