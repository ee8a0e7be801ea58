import jax.numpy as jnp
import numpy as np
import pytest
from problems import KINDS, problem

from ntkal import acquisition
from ntkal.acquisition import sequential
from ntkal.inputs import SingularKernelError
from ntkal.lookahead.dense import Lookahead

M, C = 12, 3


@pytest.fixture
def blocks(rng):
    x = rng.normal(size=(M + 5, 40))
    kernel = x @ x.T
    f, labels = rng.normal(size=(M + 5, C)), np.eye(C)[rng.integers(0, C, M + 5)]
    return kernel, f, labels


def fit(blocks, labelled, ridge=0.1):
    """The look-ahead of a kernel machine fitted from scratch on the given inputs, over the pool 0..M-1."""
    kernel, f, labels = blocks
    return Lookahead.fit(
        kernel[np.ix_(labelled, labelled)],
        kernel[:M, labelled],
        kernel[:M, :M],
        f[labelled],
        f[:M],
        labels[labelled],
        ridge=ridge,
    )


@pytest.mark.parametrize(
    "name", ["mlmoc_norm", "emoc", "eer", "mlmoc", "margin", "entropy", "least_confident"]
)
def test_each_pick_is_the_best_of_a_model_refitted_on_the_labels_so_far(blocks, name):
    strategy = acquisition.get(name)
    start = list(range(M, M + 5))
    picks = sequential.pick(strategy, fit(blocks, start), 4, np.random.default_rng(0), labels=blocks[2][:M])
    assert len(set(picks.tolist())) == 4
    for i, picked in enumerate(picks):
        revealed = picks[:i].tolist()
        post = fit(blocks, start + revealed)
        ranked = strategy(acquisition.PoolView(post.mean, None, None, post), M, np.random.default_rng(0))
        assert picked == next(c for c in ranked.tolist() if c not in revealed)


def test_hallucinated_labels_are_those_the_model_gives(blocks):
    start = list(range(M, M + 5))
    post = fit(blocks, start)
    strategy = acquisition.get("emoc")
    picks = sequential.pick(strategy, post, 3, np.random.default_rng(0))
    guessed = np.zeros((M, C))
    for picked in picks:
        guessed[picked, int(np.argmax(post.mean[picked]))] = 1
        post = post.reveal(int(picked), guessed[picked])
    same = sequential.pick(strategy, fit(blocks, start), 3, np.random.default_rng(0), labels=guessed)
    np.testing.assert_array_equal(picks, same)


def test_the_whole_pool_can_be_picked_without_a_repeat(blocks):
    post = fit(blocks, list(range(M, M + 5)))
    picks = sequential.pick(acquisition.get("mlmoc"), post, M, np.random.default_rng(0), labels=blocks[2][:M])
    assert sorted(picks.tolist()) == list(range(M))


def test_a_label_changes_the_picks_after_it():
    # Two clusters; the answer at the first pick settles its whole cluster, so the second goes elsewhere.
    cov = np.kron(np.eye(2), np.full((3, 3), 1.0)) + 0.01 * np.eye(6)
    cov[:3, :3] *= 1.5
    post = Lookahead(jnp.zeros((6, 2)), jnp.asarray(cov), ridge=0.01)
    labels = np.tile([1.0, 0.0], (6, 1))
    picks = sequential.pick(acquisition.get("mlmoc_norm"), post, 2, np.random.default_rng(0), labels=labels)
    assert picks[0] < 3 <= picks[1]
    view = acquisition.PoolView(post.mean, None, None, post)
    at_once = acquisition.get("mlmoc_norm")(view, 2, np.random.default_rng(0))
    assert max(at_once) < 3


def test_strategies_that_labels_cannot_move_are_refused():
    for name in acquisition.names():
        sequential.check(acquisition.get(name), "batch")
    for name in ("mlmoc", "mlmoc_norm", "emoc", "eer", *sequential.MYOPIC):
        sequential.check(acquisition.get(name), "sequential")
    for name in ("random", "badge", "coreset", "bald", "ll4al"):
        with pytest.raises(ValueError, match=f"mode: '{name}' does not score .* take one of .*mlmoc"):
            sequential.check(acquisition.get(name), "hallucinated")


RULE = acquisition.get("mlmoc_norm")


@pytest.mark.parametrize("way", [sequential.pick, sequential.pick_compiled])
def test_what_a_batch_refuses_is_refused_one_by_one(as_user, blocks, way):
    post = fit(blocks, [12, 13, 14])
    draws = [np.random.default_rng(0)] if way is sequential.pick else []
    for k, message in (
        (0, "between 1 and 12, got 0"),
        (13, "between 1 and 12, got 13"),
        (True, ", got True"),
    ):
        with pytest.raises(ValueError, match=f"k: expected a whole number.*{message}"):
            way(RULE, post, k, *draws)
    nan = Lookahead(post.mean.at[1, 0].set(jnp.nan), post.cov, ridge=0.1)
    for name in ("mlmoc_norm", "mlmoc"):
        with pytest.raises(ValueError, match="scores: .* NaN"):
            way(acquisition.get(name), nan, 1, *draws)
    with pytest.raises(ValueError, match=r"labels: expected label vectors .* np.eye\(3\)\[labels\]"):
        way(RULE, post, 2, *draws, labels=np.zeros(12, int))
    with pytest.raises(ValueError, match=r"labels: expected shape \(12, 3\), got \(11, 3\)"):
        way(RULE, post, 2, *draws, labels=np.zeros((11, 3)))
    with pytest.raises(ValueError, match="mode: 'random' does not score"):
        way(acquisition.get("random"), post, 2, *draws)
    picks = way(RULE, post, 4, *draws, labels=blocks[2][:M])
    np.testing.assert_array_equal(picks, way(RULE, post, 4, *draws, labels=blocks[2][:M] == 1))


def test_a_regression_is_queried_by_a_rule_of_one_s_own_with_its_labels_and_refused_without(rng):
    post, y = problem(classes=1).fit(), rng.normal(size=(9, 1))
    rule = acquisition.Strategy("mine", score=lambda view, rng: acquisition.variance_reduction(view.post))
    picks = sequential.pick(rule, post, 3, rng, labels=y)
    np.testing.assert_array_equal(sequential.pick_compiled(rule, post, 3, labels=y), picks)
    with pytest.raises(
        ValueError, match="labels: without them the most likely class counts: .* got 1 output"
    ):
        sequential.pick(rule, post, 3, rng)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["mlmoc", "mlmoc_norm", "emoc", "eer", "margin"])
def test_any_posterior_gives_the_same_picks_in_a_loop_and_compiled(rng, kind, name):
    case, rule = problem(m=30, n=5), acquisition.get(name)
    labels = np.eye(3)[rng.integers(3, size=30)]
    for known in (None, labels):
        want = sequential.pick(rule, case.fit(), 4, rng, labels=known)
        np.testing.assert_array_equal(sequential.pick(rule, case.fit(kind), 4, rng, labels=known), want)
        np.testing.assert_array_equal(sequential.pick_compiled(rule, case.fit(kind), 4, labels=known), want)


def test_a_pick_that_is_determined_is_refused_compiled_as_in_a_loop(rng):
    post = problem(ridge=0.0).with_copies().fit()
    with pytest.raises(SingularKernelError, match="c: the labelled points determine pool point"):
        sequential.pick(RULE, post, 9, rng)
    with pytest.raises(
        ValueError, match="scores: some are NaN at pick 8 of 9: .* determined the pick before"
    ):
        sequential.pick_compiled(RULE, post, 9)


@pytest.mark.slow
def test_a_thousand_picks_in_one_scan_are_those_of_the_plain_loop():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(1000, 1000)) / 30
    labels = np.eye(2)[rng.integers(2, size=1000)]
    post = Lookahead(jnp.zeros((1000, 2)), jnp.asarray(root @ root.T), ridge=0.1)
    picks = sequential.pick_compiled(RULE, post, 1000, labels=labels)
    assert sorted(picks.tolist()) == list(range(1000))
    np.testing.assert_array_equal(picks, sequential.pick(RULE, post, 1000, rng, labels=labels))
