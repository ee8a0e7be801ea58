"""The first-order step against true steps of stochastic gradient descent."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ntkal import models
from ntkal.experiments import rivals
from ntkal.training.sgd import TrainConfig


def situation(model, classes, rate, rng, logit="first"):
    params = model.init(jax.random.key(0))
    x = rng.normal(size=(9, 3))
    f = np.asarray(model.apply(params, x))
    y = np.eye(classes)[rng.integers(classes, size=3)]
    train = TrainConfig(learning_rate=rate)
    return rivals.Situation(model, params, x[:3], y, x[3:], f[:3], f[3:], logit=logit, train=train)


def true_step(case, c, label):
    """Outputs over the pool after one step w - rate * gradient on candidate c alone."""

    def loss(weights):
        out = case.model.apply(case.params | {"weights": weights}, case.x_p[c][None])[0]
        return 0.5 * jnp.sum((out - label) ** 2)

    gradient = jax.grad(loss)(case.params["weights"])
    weights = jax.tree.map(lambda w, g: w - case.train.learning_rate * g, case.params["weights"], gradient)
    return case.model.apply(case.params | {"weights": weights}, case.x_p)


def after_all(case, block=None):
    rival = rivals.get("step")
    out = np.full((6, *case.f_p.shape), np.nan)
    for at, outputs in rival.after(rival.prepare(case), block):
        out[at] = outputs
    return out


def test_the_error_relative_to_the_change_falls_like_the_rate(rng):
    model = models.mlp((3,), 1, width=16, activation="tanh", dtype="float64")
    case = situation(model, 1, 1.0, rng)
    ratios = []
    for rate in (1e-3, 1e-4, 1e-5):
        small = dataclasses.replace(case, train=TrainConfig(learning_rate=rate))
        have = after_all(small)
        # With one output the only label vector is (1,).
        want = np.stack([true_step(small, c, np.ones(1)) for c in range(6)])
        ratios.append(np.abs(have - want).max() / np.abs(want - case.f_p[None]).max())
    assert 8 < ratios[0] / ratios[1] < 12
    assert 9 < ratios[1] / ratios[2] < 11
    assert ratios[2] < 1e-4


@pytest.mark.parametrize("logit", ["first", "sum"])
def test_separate_linear_outputs_take_the_step_exactly(logit, rng):
    case = situation(models.mlp((3,), 4, depth=0, dtype="float64"), 4, 0.3, rng, logit)
    for c, have in enumerate(after_all(case, block=4)):
        want = true_step(case, c, np.eye(4)[case.f_p[c].argmax()])
        np.testing.assert_allclose(have, want, rtol=1e-12, atol=1e-12)


def test_the_kernel_times_the_identity_stands_in_for_the_full_kernel(rng):
    """The kernel of all pairs of logits gives the exact change; the stand-in comes close with the width."""
    from ntkal import empirical_ntk

    gaps = []
    for width in (8, 256):
        model = models.mlp((3,), 3, width=width, parameterization="ntk", dtype="float64")
        case = situation(model, 3, 1e-5, rng, "sum")
        full = np.asarray(empirical_ntk(model.apply, case.params, case.x_p, logit="all"))
        have = after_all(case) - case.f_p[None]
        label = np.eye(3)[case.f_p.argmax(axis=1)]
        exact = 1e-5 * np.einsum("ucij,cj->cui", full, label - case.f_p)
        true = np.stack([true_step(case, c, label[c]) for c in range(6)]) - case.f_p[None]
        np.testing.assert_allclose(exact, true, atol=1e-3 * np.abs(true).max())
        gaps.append(np.linalg.norm(have - exact) / np.linalg.norm(exact))
    assert gaps[1] < 0.4 * gaps[0]
    assert gaps[1] < 0.2
