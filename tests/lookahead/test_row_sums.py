import jax.numpy as jnp
import numpy as np
import pytest

from ntkal.lookahead.row_sums import walk


@pytest.mark.parametrize(("m", "side"), [(1, 4), (7, 1), (7, 3), (8, 4), (9, 4), (9, 50)])
def test_each_pair_is_seen_once_whatever_the_side(rng, m, side):
    root, half, scale = rng.normal(size=(m, 12)), rng.normal(size=(m, 5)), rng.uniform(1, 2, m)
    kernel, keep = root @ root.T, (rng.random(m) < 0.7).astype(float)
    seen = walk(*(jnp.asarray(a) for a in (kernel, half, scale, keep)), side=side)
    size = np.abs(kernel - half @ half.T) * np.outer(keep, keep)
    np.testing.assert_allclose(seen.sums, size.sum(axis=1), rtol=1e-12)
    scaled = size * np.outer(scale, scale)
    assert (seen.excess >= np.tril(scaled).max(axis=1) * (1 - 1e-12)).all()
    assert (seen.excess <= scaled.max(axis=1) * (1 + 1e-12)).all()
    assert float(seen.asymmetry) <= 1e-12


@pytest.mark.parametrize("at", [(0, 8), (8, 0), (3, 4)])
def test_one_entry_that_differs_from_its_mirror_is_found(rng, at):
    kernel = np.eye(9)
    kernel[at] += 1e-3
    ones = jnp.ones(9)
    seen = walk(jnp.asarray(kernel), jnp.zeros((9, 1)), ones, ones, side=4)
    assert float(seen.asymmetry) == pytest.approx(1e-3)
