"""The scores against a plain loop in NumPy, and what the face refuses."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import problem

from ntkal import Lookahead, mlmoc, mlmoc_norm, models
from ntkal.experiments import rivals
from ntkal.experiments.rivals import situation as base


def by_loop(before, outputs):
    """Flips and summed change of each candidate, in NumPy; outputs is (m, m, C)."""
    flips = np.array([np.sum(out.argmax(axis=1) != before.argmax(axis=1)) for out in outputs])
    norm = np.array([np.sum(np.sqrt(((out - before) ** 2).sum(axis=1))) for out in outputs])
    return flips + norm / norm.max() / 2, norm


@pytest.fixture
def given(rng):
    """A rival whose outputs are arbitrary numbers, given in blocks that overlap."""
    before, outputs = rng.normal(size=(7, 3)), rng.normal(size=(7, 7, 3))

    def after(state, block=None):
        for at in base.spans(7, block or 3):
            yield at, outputs[at]

    return rivals.Rival("given", lambda s: s, lambda s: before, after), before, outputs


@pytest.mark.parametrize("block", [None, 1, 2, 7, 50])
def test_scores_are_those_of_a_plain_loop_whatever_the_block(given, block):
    rival, before, outputs = given
    flips, norm = by_loop(before, outputs)
    np.testing.assert_allclose(rivals.score(rival, None, "mlmoc", block), flips, rtol=1e-12)
    np.testing.assert_allclose(rivals.score(rival, None, "mlmoc_norm", block), norm, rtol=1e-12)


@pytest.mark.parametrize("block", [None, 1, 2, 7])
def test_a_centred_rival_counts_from_the_mean_over_the_candidates(given, block, monkeypatch):
    rival, _, outputs = given
    monkeypatch.setattr(base, "MEMORY", 8 * 7 * 3 * 2)
    flips, norm = by_loop(outputs.mean(axis=0), outputs)
    centred = dataclasses.replace(rival, centred=True)
    np.testing.assert_allclose(rivals.score(centred, None, "mlmoc", block), flips, rtol=1e-12)
    np.testing.assert_allclose(rivals.score(centred, None, "mlmoc_norm", block), norm, rtol=1e-12)


def test_nothing_moved_scores_zero():
    still = rivals.Rival(
        "still",
        lambda s: s,
        lambda s: np.eye(2),
        lambda s, block: [(np.arange(2), np.stack(2 * [np.eye(2)]))],
    )
    assert rivals.score(still, None).tolist() == [0.0, 0.0]


def test_closed_forms_are_the_scores_of_the_outputs_they_stand_for():
    post = problem(m=12).fit()
    rival = base.of_lookahead("mine", lambda s: s)
    for objective, closed in (("mlmoc", mlmoc), ("mlmoc_norm", mlmoc_norm)):
        np.testing.assert_array_equal(rivals.score(rival, post, objective), closed(post))
        np.testing.assert_allclose(rivals.score(rival, post, objective, 5), closed(post), rtol=1e-10)


def test_outputs_of_a_lookahead_are_those_of_its_own_method():
    post = problem(m=5).fit()
    rival = base.of_lookahead("mine", lambda s: s)
    seen = []
    for at, outputs in rival.after(post, 2):
        for c, out in zip(at, outputs, strict=True):
            label = np.eye(3)[int(np.argmax(post.mean[c]))]
            np.testing.assert_allclose(out, post.after(int(c), label), rtol=1e-10, atol=1e-12)
            seen.append(int(c))
    assert set(seen) == set(range(5))


def test_a_block_holds_no_more_than_the_stated_memory(monkeypatch):
    monkeypatch.setattr(base, "MEMORY", 8 * 9 * 3 * 4)
    assert [len(at) for at in base.spans(9, None, 3)] == [4, 4, 4]
    sizes = [outputs.shape for _, outputs in base.of_lookahead("mine", lambda s: s).after(problem().fit())]
    assert sizes == [(4, 9, 3)] * 3


def test_diverged_outputs_are_named(as_user):
    def after(state, block=None):
        yield np.arange(2), np.array([[[0.0]], [[np.nan]]])

    wild = rivals.Rival("wild", None, lambda s: np.zeros((2, 1)), after)
    with pytest.raises(FloatingPointError, match="wild: the outputs after 1 of 2 .* after candidate 1"):
        rivals.score(wild, None, "mlmoc_norm")


def test_a_single_output_has_no_flips_but_a_norm(as_user):
    one = rivals.Rival(
        "one", None, lambda s: np.zeros((2, 1)), lambda s, block: [(np.arange(2), np.ones((2, 2, 1)))]
    )
    assert rivals.score(one, None, "mlmoc_norm").tolist() == [2.0, 2.0]
    with pytest.raises(ValueError, match="before: expected two or more classes, got 1 output"):
        rivals.score(one, None, "mlmoc")


def test_bad_arguments_are_named(as_user):
    post = Lookahead(jnp.zeros((1, 1)), jnp.eye(1), ridge=1.0)
    with pytest.raises(ValueError, match="objective: unknown 'emoc'.*; choose one of mlmoc, mlmoc_norm"):
        rivals.score(base.of_lookahead("mine", None), post, "emoc")
    for block in (0, True, 2.0):
        with pytest.raises(ValueError, match="block: expected a whole number"):
            rivals.score(base.of_lookahead("mine", None), post, "mlmoc_norm", block)
    with pytest.raises(ValueError, match="lookahead: unknown 'naive'.*choose one of infinite, ntk"):
        rivals.get("naive")
    model = models.mlp((2,), 2, width=2)
    x, y = np.eye(2), np.eye(2)
    good = rivals.Situation(model, None, x, y, np.ones((3, 2)), y, np.ones((3, 2)))
    for change, message in (
        ({"y_l": np.ones((3, 2))}, r"y_l: expected shape \(2, 2\), got \(3, 2\)"),
        ({"y_l": np.array([0, 1])}, r"y_l: .*np.eye\(2\)\[labels\]"),
        ({"f_l": np.ones((2, 3))}, r"f_l: expected shape \(2, 2\)"),
        ({"f_p": np.ones(3)}, r"f_p: expected shape \(3, any\)"),
        ({"f_p": np.full((3, 2), np.nan)}, "f_p: 6 of 6 entries are NaN"),
        ({"x_p": np.ones((0, 2))}, "x_p: expected inputs of shape .* with n >= 1"),
        ({"x_p": np.ones((3, 4))}, r"x_p: expected inputs of shape \(2,\) like x_l"),
        ({"relative_ridge": -1.0}, "relative_ridge: expected a finite number"),
        ({"relative_ridge": True}, "relative_ridge: expected a finite number"),
    ):
        with pytest.raises(ValueError, match=message):
            dataclasses.replace(good, **change)


def test_every_rival_answers_to_its_name():
    assert set(rivals.names()) == {
        "ntk", "ntk_block", "ntk_refit", "infinite", "step", "retrain", "retrain_centred"
    }  # fmt: skip
    assert all(rivals.get(name).name == name for name in rivals.names())


@pytest.mark.parametrize("name", rivals.names())
def test_every_rival_works_from_a_situation_of_float32_arrays(name, rng):
    model = models.mlp((4,), 3, width=8)
    params = model.init(jax.random.key(0))
    x = rng.normal(size=(12, 4)).astype(np.float32)
    y = np.eye(3)[rng.integers(3, size=5)]
    f = np.asarray(model.apply(params, x))
    situation = rivals.Situation(
        model, params, x[:5], y, x[5:], f[:5], f[5:], key=jax.random.key(1), relative_ridge=0.1
    )
    rival = rivals.get(name)
    state = rival.prepare(situation)
    for objective in ("mlmoc", "mlmoc_norm"):
        scores = np.asarray(rivals.score(rival, state, objective))
        assert scores.shape == (7,)
        assert scores.dtype == np.float64
        assert len(np.unique(scores)) == 7
        assert (scores > 0).all()
