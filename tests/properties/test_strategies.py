"""Strategies on copies, constants and single classes: distinct picks, finite scores, copies last."""

import jax.numpy as jnp
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import ntkal
from ntkal.acquisition import badge, bald, coreset, entropy, least_confident, margin, probabilities

M = 8


@st.composite
def pools(draw):
    """Outputs (M, C) and features (M, d) with copies among them, of any size, in either precision."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    classes, d = draw(st.sampled_from([2, 5])), draw(st.sampled_from([1, 4]))
    copies = rng.integers(draw(st.sampled_from([1, 3, M])), size=M)
    size = 10.0 ** draw(st.integers(-6, 6))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    outputs, features = rng.normal(size=(M, classes))[copies], size * rng.normal(size=(M, d))[copies]
    return outputs.astype(dtype), features.astype(dtype), len(set(copies.tolist())), copies


@given(pool=pools(), seed=st.integers(0, 99))
def test_badge_picks_each_point_once_and_a_copy_only_when_nothing_else_is_left(pool, seed):
    outputs, features, different, copies = pool
    probs = probabilities(outputs)
    picks = badge(probs, features, M, np.random.default_rng(seed))
    assert sorted(picks.tolist()) == list(range(M))
    if np.asarray(margin(probs)).min() > -1:  # a sure point has no gradient, and is a copy of every other
        assert len(set(copies[picks[:different]].tolist())) == different


@given(pool=pools())
def test_coreset_picks_each_point_once_and_copies_last(pool):
    _, features, different, copies = pool
    picks = coreset(features, features[:1] + 1, M)
    assert sorted(picks.tolist()) == list(range(M))
    assert len(set(copies[picks[:different]].tolist())) == different


@given(pool=pools())
def test_myopic_scores_are_finite_within_their_bounds_and_equal_for_copies(pool):
    outputs, _, _, copies = pool
    probs, classes = probabilities(outputs), outputs.shape[1]
    bounds = {least_confident: (0, 1 - 1 / classes), margin: (-1, 0), entropy: (0, np.log(classes))}
    scores = [(score(probs), low, high) for score, (low, high) in bounds.items()]
    together = np.stack([probs, np.roll(probs, 1, axis=1)])
    scores.append((bald(together), 0.0, min(np.log(classes), np.log(2))))
    for values, low, high in scores:
        values = np.asarray(values)
        assert np.isfinite(values).all()
        assert (values >= low - 1e-12).all()
        assert (values <= high + 1e-12).all()
        for one in set(copies.tolist()):
            assert np.ptp(values[copies == one]) <= 1e-15


@given(pool=pools(), name=st.sampled_from(ntkal.acquisition.names()), k=st.sampled_from([1, 3, M]))
def test_every_strategy_picks_distinct_points_of_any_pool(pool, name, k):
    outputs, features, _, _ = pool
    root = jnp.asarray(features, dtype=jnp.float64)
    cov, mean = root @ root.T, jnp.asarray(outputs, dtype=jnp.float64)
    view = ntkal.acquisition.PoolView(
        outputs=outputs,
        features_pool=features,
        features_labelled=features[:2],
        post=ntkal.Lookahead(mean, cov, ridge=0.0, floor=1e-12 * float(cov.max())),
        ensemble=np.stack([outputs, -outputs]),
        predicted_loss=outputs[:, 0],
    )
    picks = ntkal.acquisition.get(name)(view, k, np.random.default_rng(0))
    assert len(set(picks.tolist())) == k
    assert set(picks.tolist()) <= set(range(M))
