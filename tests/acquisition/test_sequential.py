import jax.numpy as jnp
import numpy as np
import pytest

from ntkal import acquisition
from ntkal.acquisition import sequential
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
    for name in ("random", "badge", "coreset"):
        with pytest.raises(ValueError, match=f"mode: '{name}' does not score .* take one of .*mlmoc"):
            sequential.check(acquisition.get(name), "hallucinated")
