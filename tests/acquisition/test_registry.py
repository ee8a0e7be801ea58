import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads
from problems import KINDS, problem

from ntkal import Lookahead, acquisition
from ntkal.acquisition import PoolView
from ntkal.acquisition.registry import best


@pytest.fixture
def view(rng):
    post = problem(m=12).fit()
    ensemble = rng.normal(size=(3, *post.mean.shape))
    return PoolView(
        np.asarray(post.mean),
        rng.normal(size=(12, 4)),
        rng.normal(size=(5, 4)),
        post,
        ensemble,
        rng.normal(size=12),
    )


def test_the_names_are_those_of_the_contract():
    names = "random least_confident margin entropy bald badge coreset ll4al mlmoc mlmoc_norm emoc eer"
    assert acquisition.names() == tuple(names.split())


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
        view.ensemble if "ensemble" in strategy.needs else None,
        view.predicted_loss if "predicted_loss" in strategy.needs else None,
    )
    strategy(bare, 3, np.random.default_rng(0))
    if strategy.needs:
        fields = {"features": "features_pool", "lookahead": "post"}
        (field,) = (fields.get(need, need) for need in strategy.needs)
        message = f"view: strategy '{name}' needs {field}, which this PoolView lacks"
        with pytest.raises(ValueError, match=message):
            strategy(PoolView(view.outputs), 3, np.random.default_rng(0))


def test_bald_is_the_disagreement_of_the_members_probabilities(view):
    probs = np.maximum(view.ensemble, 0)
    total = probs.sum(axis=2, keepdims=True)
    probs = np.where(total > 0, probs / np.where(total > 0, total, 1), 1 / probs.shape[2])

    def entropy(p):
        return -np.sum(p * np.log(np.where(p > 0, p, 1)), axis=-1)

    expected = entropy(probs.mean(axis=0)) - entropy(probs).mean(axis=0)
    scores = acquisition.get("bald").score(view, np.random.default_rng(0))
    np.testing.assert_allclose(scores, expected, atol=1e-12)


def test_ll4al_takes_the_largest_predicted_losses():
    view = PoolView(np.zeros((4, 2)), predicted_loss=np.array([0.1, 0.7, -0.2, 0.7]))
    assert acquisition.get("ll4al")(view, 3, np.random.default_rng(0)).tolist() == [1, 3, 0]


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        (
            "bald",
            {"ensemble": np.ones((3, 5, 2))},
            r"ensemble: expected shape \(any, 4, 2\), got \(3, 5, 2\)",
        ),
        ("bald", {"ensemble": np.full((3, 4, 2), np.nan)}, "ensemble: 24 of 24 entries are NaN"),
        ("ll4al", {"predicted_loss": np.ones(5)}, r"predicted_loss: expected shape \(4,\), got \(5,\)"),
        ("ll4al", {"predicted_loss": np.full(4, np.nan)}, "predicted_loss: 4 of 4 entries are NaN"),
    ],
)
def test_what_does_not_fit_the_pool_is_refused(name, fields, message, as_user):
    with pytest.raises(ValueError, match=message):
        acquisition.get(name)(PoolView(np.ones((4, 2)), **fields), 1, np.random.default_rng(0))


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


SCORES = {
    "expected_risk": lambda post: acquisition.expected_risk(
        post, acquisition.probabilities(post.mean), acquisition.Entropy(0.3)
    ),
    "eer, softmax": lambda post: acquisition.eer(post, acquisition.probabilities(post.mean), link="softmax"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [*SCORES, "mlmoc", "mlmoc_norm", "emoc", "eer"])
def test_any_posterior_is_scored_as_the_dense_one_before_and_after_labels(kind, name):
    post, dense = problem().fit(kind), problem().fit()
    score = SCORES.get(name, lambda p: acquisition.get(name).score(PoolView(p.mean, post=p), None))
    for _ in range(2):
        np.testing.assert_allclose(score(post), score(dense), rtol=1e-8, atol=1e-8)
        post, dense = (p.reveal(4, np.eye(3)[1]) for p in (post, dense))


@pytest.mark.parametrize("name", ["mlmoc", "mlmoc_norm", "emoc", "eer"])
def test_scores_can_be_compiled_and_differentiated(name):
    post, strategy = problem().fit(), acquisition.get(name)

    def score(post):
        return strategy.score(PoolView(post.mean, post=post), None)

    np.testing.assert_allclose(jax.jit(score)(post), score(post), rtol=1e-10)
    weights = jnp.arange(9.0)

    def total(size):
        return weights @ score(Lookahead(size * post.mean, post.cov / size, post.ridge))

    check_grads(total, (1.3,), order=1, modes=["rev"], rtol=1e-4)


SINGLE = {
    "most_likely": acquisition.most_likely,
    "mlmoc": acquisition.mlmoc,
    "mlmoc_norm": acquisition.mlmoc_norm,
    "emoc": lambda post: acquisition.emoc(post, np.ones((9, 1))),
    "eer": lambda post: acquisition.eer(post, np.ones((9, 1))),
    "expected_risk": lambda post: acquisition.expected_risk(post, np.ones((9, 1)), acquisition.Entropy()),
    "probabilities": lambda post: acquisition.probabilities(post.mean),
    "entropy": lambda post: acquisition.entropy(np.ones((9, 1))),
    "margin": lambda post: acquisition.margin(np.ones((9, 1))),
    "least_confident": lambda post: acquisition.least_confident(np.ones((9, 1))),
    "bald": lambda post: acquisition.bald(np.ones((2, 9, 1))),
    "badge": lambda post: acquisition.badge(np.ones((9, 1)), np.ones((9, 2)), 2, np.random.default_rng(0)),
} | {
    f"the strategy {name}": lambda post, name=name: acquisition.get(name)(
        PoolView(post.mean, np.ones((9, 2)), np.ones((5, 2)), post, np.ones((2, 9, 1)), np.ones(9)),
        2,
        np.random.default_rng(0),
    )
    for name in acquisition.names()
    if name not in ("random", "coreset", "ll4al")
}


@pytest.mark.parametrize("name", SINGLE)
def test_with_one_output_there_is_no_class_and_the_message_says_what_to_use(as_user, name):
    message = "got 1 output; give a binary problem two outputs .* acquisition.variance_reduction"
    with pytest.raises(ValueError, match=message):
        SINGLE[name](problem(classes=1).fit())


@pytest.mark.parametrize(
    ("picks", "message"),
    [
        ([1, 1], "picks: position 1 stands there more than once"),
        ([1, 12], "picks: expected positions between 0 and 11, got 12"),
        (np.arange(12) < 2, "picks: expected positions, got a boolean mask"),
        ([0, 1, 2], "picks: strategy 'mine' was asked for 2 and gave 3"),
    ],
)
def test_picks_of_one_s_own_strategy_are_checked(as_user, view, picks, message):
    with pytest.raises(ValueError, match=message):
        acquisition.Strategy("mine", pick=lambda view, k, rng: picks)(view, 2, np.random.default_rng(0))


def test_options_that_a_score_does_not_have_are_refused():
    with pytest.raises(ValueError, match="an option of 'eer': unknown 'line' .did you mean 'link'"):
        acquisition.get("eer", line="clip")
    with pytest.raises(ValueError, match="an option of 'mlmoc': unknown 'link'"):
        acquisition.get("mlmoc", link="clip")


@pytest.mark.parametrize("k", [True, 3.0, np.array([1])])
def test_what_is_no_number_of_picks_is_refused(as_user, view, k):
    with pytest.raises(ValueError, match="k: expected a whole number, got"):
        acquisition.get("margin")(view, k, np.random.default_rng(0))


def test_unknown_names_and_too_many_picks_are_refused(view):
    with pytest.raises(ValueError, match="strategy: unknown 'best'.*; choose one of badge, bald, coreset"):
        acquisition.get("best")
    with pytest.raises(ValueError, match="k: expected a whole number between 1 and 12, got 13"):
        acquisition.get("margin")(view, 13, np.random.default_rng(0))
