import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import problem

from ntkal import Lookahead, emoc, mlmoc, mlmoc_norm
from ntkal.acquisition import candidates as blocks
from ntkal.acquisition import most_likely, probabilities

shapes = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 999),
        "n": st.sampled_from([1, 6]),
        "m": st.sampled_from([1, 9]),
        "classes": st.sampled_from([2, 5]),
        "ridge": st.sampled_from([0.0, 0.5]),
    }
)


def refitted(case, c, k):
    """Outputs over the pool after really refitting on the labelled set and candidate c with label k."""
    return case.refit([(c, np.eye(case.y_l.shape[1])[k])])


@given(shapes)
def test_norm_form_is_the_change_that_refitting_makes(shape):
    case = problem(**shape)
    before = case.refit()
    want = [
        np.linalg.norm(refitted(case, c, before[c].argmax()) - before, axis=1).sum()
        for c in range(shape["m"])
    ]
    np.testing.assert_allclose(mlmoc_norm(case.fit()), want, rtol=1e-9, atol=1e-12)


@given(shapes)
def test_flip_form_counts_the_predictions_that_refitting_flips(shape):
    case = problem(**shape)
    before = case.refit()
    flips = [
        np.sum(refitted(case, c, before[c].argmax()).argmax(axis=1) != before.argmax(axis=1))
        for c in range(shape["m"])
    ]
    scores = np.asarray(mlmoc(case.fit()))
    np.testing.assert_array_equal(np.floor(scores), flips)
    norm = np.asarray(mlmoc_norm(case.fit()))
    np.testing.assert_allclose(scores - flips, 0.5 * norm / max(norm.max(), 1e-300), rtol=1e-9, atol=1e-12)


@given(shapes)
def test_emoc_is_the_expected_change_over_all_labels(shape):
    case = problem(**shape)
    before, probs = case.refit(), np.asarray(probabilities(case.refit()))
    want = [
        sum(
            probs[c, k] * np.linalg.norm(refitted(case, c, k) - before, axis=1).sum()
            for k in range(shape["classes"])
        )
        for c in range(shape["m"])
    ]
    np.testing.assert_allclose(emoc(case.fit(), probs), want, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("memory", [1, 4000])
def test_the_block_size_changes_no_score(monkeypatch, memory):
    post = problem(m=23, n=5).fit()
    whole = mlmoc(post)
    monkeypatch.setattr(blocks, "MEMORY", memory)
    np.testing.assert_array_equal(mlmoc(post), whole)


def test_temporaries_stay_below_the_stated_memory(as_user, monkeypatch):
    """Compiled memory analysis: one block's temporaries, not an m x m x C array (9.6 MB here)."""
    from ntkal.acquisition.change import _flips

    post = problem(m=200, n=5, classes=30).fit()
    monkeypatch.setattr(blocks, "MEMORY", 2**18)
    of_pool = jax.jit(lambda post, surprise: blocks.over_candidates(_flips, post, surprise, arrays=2))
    compiled = of_pool.lower(post, most_likely(post) - post.mean).compile()
    assert compiled.memory_analysis().temp_size_in_bytes < 2 * blocks.MEMORY + 8 * 200 * 30 * 4


def test_a_tie_keeps_the_lower_class_as_arg_max_does():
    mean = jnp.array([[0.75, 0.25], [0.5, 0.25]])
    cov = jnp.array([[1.0, -0.5], [-0.5, 1.0]])
    tied = Lookahead(mean, cov, ridge=0.0)
    assert np.argmax(tied.after(0, np.array([1.0, 0.0]))[1]) == 0
    np.testing.assert_array_equal(np.floor(mlmoc(tied)), [0, 0])
    swapped = Lookahead(mean[:, ::-1], cov, ridge=0.0)
    assert np.argmax(swapped.after(0, np.array([0.0, 1.0]))[1]) == 0
    np.testing.assert_array_equal(np.floor(mlmoc(swapped)), [1, 0])


def test_a_determined_candidate_scores_nothing():
    post = problem(ridge=0.0).with_copies().fit()
    for scores in (mlmoc(post), mlmoc_norm(post), emoc(post, probabilities(post.mean))):
        assert scores[8] == 0
        assert bool(jnp.isfinite(scores).all())
        assert float(scores[:8].min()) > 0


def test_an_output_that_is_nan_makes_every_score_nan():
    post = Lookahead(jnp.array([[0.0, 0.0], [jnp.nan, 0.0], [0.0, 1.0]]), jnp.eye(3), ridge=1.0)
    assert np.isnan(mlmoc(post)).all()
    assert np.isnan(mlmoc_norm(post)[1])


def test_a_pool_that_nothing_moves_scores_zero():
    post = Lookahead(jnp.array([[1.0, 0.0], [0.0, 1.0]]), jnp.eye(2), ridge=0.0)
    np.testing.assert_array_equal(mlmoc(post), [0.0, 0.0])


def test_emoc_needs_probabilities_of_the_pool(as_user):
    post = problem().fit()
    with pytest.raises(ValueError, match=r"probs: expected shape \(9, 3\), got \(8, 3\)"):
        emoc(post, np.full((8, 3), 1 / 3))
    with pytest.raises(ValueError, match="row sums run from 3 to 3"):
        emoc(post, np.ones((9, 3)))
