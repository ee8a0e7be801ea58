import jax.numpy as jnp
import numpy as np
import pytest

from ntkal import Lookahead
from ntkal.kernels import host


@pytest.mark.parametrize("m", [1, 7, 300])
def test_product_update_and_solve_are_the_plain_formulas_and_arrays_are_handed_over_without_a_copy(rng, m):
    whole, half = rng.normal(size=(m, m)), rng.normal(size=(m, 5))
    whole, root = whole + whole.T, np.tril(rng.normal(size=(5, 5))) + 4 * np.eye(5)
    have = host.minus_gram(jnp.asarray(whole), jnp.asarray(half))
    np.testing.assert_allclose(have, whole - half @ half.T, rtol=1e-13, atol=1e-13)
    row = rng.normal(size=m)
    have = host.minus_outer(jnp.asarray(whole), row, 2 * row)
    np.testing.assert_array_equal(have, whole - np.outer(row, 2 * row))
    have = host.whiten(jnp.asarray(root), jnp.asarray(half))
    np.testing.assert_allclose(have, half @ np.linalg.inv(root).T, rtol=1e-12, atol=1e-13)
    out = host._empty((m, m))
    out[:] = whole
    np.testing.assert_array_equal(jnp.from_dlpack(out), whole)
    assert jnp.from_dlpack(out).unsafe_buffer_pointer() == out.ctypes.data


def test_panels_and_strips_smaller_than_the_matrix_change_nothing(rng, monkeypatch):
    whole, half = rng.normal(size=(11, 11)), rng.normal(size=(11, 4))
    whole = whole + whole.T
    monkeypatch.setattr(host, "_STRIP", 3)
    have = host.minus_gram(jnp.asarray(whole), jnp.asarray(half))
    np.testing.assert_allclose(have, whole - half @ half.T, rtol=1e-13, atol=1e-13)
    np.testing.assert_array_equal(have, have.T)
    monkeypatch.setattr(host, "_PANEL", 8 * 11 * 3)
    have = host.minus_outer(jnp.asarray(whole), half[:, 0], half[:, 1])
    np.testing.assert_array_equal(have, whole - np.outer(half[:, 0], half[:, 1]))


@pytest.mark.parametrize("at", [(0, 3), (3, 0), (6, 2), (5, 6)])
def test_every_pair_of_mirrored_entries_is_looked_at(rng, at):
    kernel = rng.normal(size=(7, 7))
    kernel += kernel.T
    assert host.asymmetry(kernel, side=3) == 0
    kernel[at] += 0.25
    assert host.asymmetry(kernel, side=3) == pytest.approx(0.25)


def test_a_device_without_the_host_s_memory_gets_the_same_numbers(rng, monkeypatch):
    phi_l, phi_p = rng.normal(size=(6, 40)), rng.normal(size=(9, 40))
    case = phi_l @ phi_l.T, phi_p @ phi_l.T, phi_p @ phi_p.T
    rest = rng.normal(size=(6, 3)), rng.normal(size=(9, 3)), np.eye(3)[rng.integers(3, size=6)]
    here = Lookahead.fit(*case, *rest, ridge=0.1)
    monkeypatch.setattr(host, "LARGE", 0)
    later = here.reveal(2, np.eye(3)[0])
    monkeypatch.setattr(host, "on_host", lambda array: False)
    there = Lookahead.fit(*case, *rest, ridge=0.1)
    for ours, theirs in ((here, there), (later, there.reveal(2, np.eye(3)[0]))):
        np.testing.assert_allclose(ours.cov, theirs.cov, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(ours.mean, theirs.mean, rtol=1e-12, atol=1e-12)
