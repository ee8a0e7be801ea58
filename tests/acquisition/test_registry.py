import numpy as np
import pytest
from problems import problem

from ntkal import acquisition
from ntkal.acquisition import PoolView
from ntkal.acquisition.registry import best


@pytest.fixture
def view(rng):
    post = problem(m=12).fit()
    return PoolView(np.asarray(post.mean), rng.normal(size=(12, 4)), rng.normal(size=(5, 4)), post)


@pytest.mark.parametrize("name", acquisition.names())
def test_every_strategy_picks_distinct_points_of_the_pool_and_repeats_itself(view, name):
    strategy = acquisition.get(name)
    picks = strategy(view, 5, np.random.default_rng(3))
    assert picks.shape == (5,)
    assert len(set(picks.tolist())) == 5
    assert set(picks.tolist()) <= set(range(12))
    np.testing.assert_array_equal(picks, strategy(view, 5, np.random.default_rng(3)))
    assert sorted(strategy(view, 12, np.random.default_rng(3)).tolist()) == list(range(12))


@pytest.mark.parametrize("name", acquisition.names())
def test_a_strategy_reads_only_what_it_says_it_needs(view, name):
    strategy = acquisition.get(name)
    bare = PoolView(
        view.outputs,
        view.features_pool if "features" in strategy.needs else None,
        view.features_labelled if "features" in strategy.needs else None,
        view.post if "lookahead" in strategy.needs else None,
    )
    strategy(bare, 3, np.random.default_rng(0))
    if strategy.needs:
        with pytest.raises(ValueError, match=f"strategy '{name}' needs"):
            strategy(PoolView(view.outputs), 3, np.random.default_rng(0))


@pytest.mark.parametrize("name", ["margin", "mlmoc", "eer"])
def test_picks_are_the_best_scores_best_first(view, name):
    strategy = acquisition.get(name)
    scores = np.asarray(strategy.score(view, None))
    picks = strategy(view, 4, np.random.default_rng(0))
    assert scores[picks].tolist() == sorted(scores, reverse=True)[:4]


def test_equal_scores_go_to_the_lower_position_and_nan_is_refused():
    assert best(np.array([1.0, 2.0, 2.0, 1.0]), 3).tolist() == [1, 2, 0]
    with pytest.raises(ValueError, match="scores: 1 of 2 are NaN"):
        best(np.array([np.nan, 1.0]), 1)


def test_unknown_names_and_too_many_picks_are_refused(view):
    with pytest.raises(ValueError, match="strategy: unknown 'best'; choose one of badge, coreset"):
        acquisition.get("best")
    with pytest.raises(ValueError, match="k: expected a whole number between 1 and 12, got 13"):
        acquisition.get("margin")(view, 13, np.random.default_rng(0))
