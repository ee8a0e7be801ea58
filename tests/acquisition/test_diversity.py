import numpy as np
import pytest

from ntkal.acquisition import badge, coreset, probabilities


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


@pytest.mark.parametrize("k", [0, 4])
def test_more_picks_than_points_are_refused(k):
    with pytest.raises(ValueError, match=f"k: expected a whole number between 1 and 3, got {k}"):
        coreset(np.ones((3, 2)), np.ones((1, 2)), k)
    with pytest.raises(ValueError, match="k: expected a whole number"):
        badge(np.full((3, 2), 0.5), np.ones((3, 2)), k, np.random.default_rng(0))
