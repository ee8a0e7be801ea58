"""Equations (11) and (12), candidate by candidate, against the closed scores."""

import jax
import numpy as np
import pytest
from problems import problem

from ntkal import Lookahead, mlmoc, mlmoc_norm, models
from ntkal.acquisition.registry import best
from ntkal.experiments import rivals
from ntkal.experiments.rivals.closed_form import Linearised
from ntkal.inputs import SingularKernelError

NAMES = ("ntk_block", "ntk_refit")


@pytest.fixture(scope="module")
def situation():
    """A float64 network whose outputs are far from interpolating."""
    rng = np.random.default_rng(3)
    model = models.mlp((6, 6, 1), 4, width=32, dtype="float64")
    params = model.init(jax.random.key(0))
    x = rng.random((50, 6, 6, 1))
    f = np.asarray(model.apply(params, x))
    y = np.eye(4)[rng.integers(4, size=20)]
    return rivals.Situation(model, params, x[:20], y, x[20:], f[:20], f[20:], relative_ridge=1e-2)


def state_of(case):
    return Linearised(*case.blocks, case.f_l, case.f_p, case.y_l, ridge=case.ridge)


@pytest.mark.parametrize("name", NAMES)
def test_scores_and_picks_are_those_of_the_lookahead(situation, name):
    ours, rival = rivals.get("ntk"), rivals.get(name)
    post, state = ours.prepare(situation), rival.prepare(situation)
    np.testing.assert_allclose(rival.before(state), post.mean, rtol=1e-9, atol=1e-12)
    for objective, closed in (("mlmoc", mlmoc), ("mlmoc_norm", mlmoc_norm)):
        want = np.asarray(closed(post))
        have = np.asarray(rivals.score(rival, state, objective))
        np.testing.assert_allclose(have, want, rtol=1e-9)
        np.testing.assert_array_equal(best(have, 10), best(want, 10))
    assert float(mlmoc(post).max()) >= 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("n", "ridge"), [(1, 0.0), (6, 0.0), (6, 0.3)])
def test_outputs_are_those_of_refitting_on_features(name, n, ridge):
    case = problem(n=n, ridge=ridge)
    before = case.refit()
    count = 0
    for at, outputs in rivals.get(name).after(state_of(case)):
        label = np.eye(3)[before[at[0]].argmax()]
        np.testing.assert_allclose(outputs[0], case.refit([(at[0], label)]), rtol=1e-9, atol=1e-10)
        count += 1
    assert count == 9


@pytest.mark.parametrize("name", NAMES)
def test_a_candidate_that_is_determined_changes_nothing(name):
    case = problem(ridge=0.0)
    twin = type(case)(
        case.phi_l, np.vstack([case.phi_l[:1], case.phi_p]), case.f_l, np.vstack([case.f_l[:1], case.f_p]),
        case.y_l, 0.0,
    )  # fmt: skip
    have = np.asarray(rivals.score(rivals.get(name), state_of(twin), "mlmoc_norm"))
    assert have[0] == 0
    np.testing.assert_allclose(have, mlmoc_norm(twin.fit()), rtol=1e-8)


def test_the_lookahead_has_the_kernel_and_the_ridge_that_were_asked_for(situation):
    from ntkal.kernels.empirical import split_ntk

    blocks = split_ntk(situation.model.apply, situation.params, situation.x_l, situation.x_p, logit="sum")
    ridge = 0.01 * float(np.trace(np.asarray(blocks[0]))) / 20
    want = Lookahead.fit(*blocks, situation.f_l, situation.f_p, situation.y_l, ridge=ridge)
    have = rivals.get("ntk").prepare(situation)
    np.testing.assert_allclose(have.cov, want.cov, rtol=1e-10, atol=1e-12 * float(want.cov.max()))
    assert have.ridge == pytest.approx(ridge, rel=1e-12)


def test_a_singular_kernel_is_refused():
    case = problem(ridge=0.0)
    twice = np.vstack([case.phi_l, case.phi_l[:1]])
    with pytest.raises(SingularKernelError, match="inputs 0 and 6 are duplicates"):
        Linearised(
            twice @ twice.T, case.phi_p @ twice.T, case.phi_p @ case.phi_p.T,
            np.zeros((7, 3)), case.f_p, np.ones((7, 3)), ridge=0.0,
        )  # fmt: skip


def test_a_pool_kernel_of_another_size_is_named(as_user):
    case = problem()
    with pytest.raises(ValueError, match=r"k_pp: expected shape \(9, 9\)"):
        Linearised(case.blocks[0], case.blocks[1], np.eye(8), case.f_l, case.f_p, case.y_l, ridge=0.1)
