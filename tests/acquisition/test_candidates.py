import jax.numpy as jnp
import numpy as np
import pytest
from problems import problem

from ntkal import FactorLookahead, Lookahead
from ntkal.acquisition import candidates as blocks


def weighted(mean, shift, part):
    """A score that mixes the pool's outputs, the shifts and the block's own column."""
    return jnp.abs(shift) @ mean[0] + part[:, 1]


@pytest.mark.parametrize("block", [1, 4, 7, 10, 11])
def test_every_candidate_is_scored_once_with_its_own_column_whatever_the_block(monkeypatch, block):
    post = problem(m=11).fit()
    monkeypatch.setattr(blocks, "MEMORY", 8 * 11 * 2 * block)
    mean, cov = np.asarray(post.mean), np.asarray(post.cov)
    shift = cov / (np.diag(cov) + 0.1)
    want = np.abs(shift).T @ mean[:, 0] + mean[:, 1]
    have = blocks.over_candidates(weighted, post, post.mean, arrays=2)
    np.testing.assert_allclose(have, want, rtol=1e-12)


@pytest.mark.parametrize(("cache", "memory"), [(1, 1), (2, 5), (3, 11), (4, 30)])
def test_columns_that_are_computed_many_at_a_time_are_scored_alike(monkeypatch, cache, memory):
    case = problem(m=11, parameters=20)
    dense = case.fit()
    post = FactorLookahead.fit(case.phi_l, case.phi_p, case.f_l, case.f_p, case.y_l, ridge=case.ridge)
    monkeypatch.setattr(blocks, "CACHE", 8 * 11 * 2 * cache)
    monkeypatch.setattr(blocks, "MEMORY", 8 * 11 * 3 * memory)
    widths = []
    columns = FactorLookahead.columns
    monkeypatch.setattr(FactorLookahead, "columns", lambda *a: widths.append(a[2]) or columns(*a))
    have = blocks.over_candidates(lambda *a: weighted(*a), post, post.mean, arrays=2)
    np.testing.assert_allclose(have, blocks.over_candidates(weighted, dense, dense.mean, arrays=2), rtol=1e-9)
    assert set(widths) == {min(11, cache * max(1, memory // cache))}


def test_a_candidate_below_the_floor_has_no_gain_and_the_others_the_inverse_variance():
    post = Lookahead(jnp.zeros((3, 1)), jnp.diag(jnp.array([1e-17, 0.0, 4.0])), ridge=0.0, floor=1e-15)
    assert blocks.gain(post).tolist() == [0.0, 0.0, 0.25]
    with_ridge = Lookahead(post.mean, post.cov, ridge=1.0, floor=1e-15)
    np.testing.assert_allclose(blocks.gain(with_ridge), [1.0, 1.0, 0.2])
