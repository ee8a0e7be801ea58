"""Gradient flow on degenerate kernels, for any time: that of the parameters, or refused."""

import numpy as np
import pytest
from exact import floats
from hypothesis import given
from hypothesis import strategies as st
from properties.kernels import C, M, N, attempt, cases
from scipy.linalg import svd

from ntkal import gradient_flow
from ntkal.inputs import SingularKernelError


def of_the_parameters(case, t):
    """The flow of the weights of a linear model, by its singular values: no kernel, no squared condition."""
    x, pool = floats(case.x), floats(case.pool)
    u, s, v = svd(x, full_matrices=False)
    rates = s**2 + case.ridge
    learned = np.where(rates > 0, -np.expm1(-t * rates) / np.where(rates > 0, rates, 1.0), t)
    weights = v.T @ ((s * learned)[:, None] * (u.T @ (case.y - case.f_l)))
    return case.f_p + pool @ weights, learned


@given(case=cases(ridges=(0.0, 0.01, 1.0)), exponent=st.integers(-9, 15))
def test_it_is_the_flow_of_the_parameters_or_refused(case, exponent):
    t = 10.0**exponent
    k_ll, k_pl, _ = case.blocks
    have, refusal = attempt(gradient_flow, k_ll, case.y, case.f_l, k_pl, case.f_p, t=t, ridge=case.ridge)
    if have is None:
        assert "k_train: its smallest eigenvalue" in refusal
        assert case.ridge == 0 or case.rounding > 1e-4 * case.ridge
        return
    want, learned = of_the_parameters(case, t)
    # An error in the kernel's entries counts once for each of the two factors of K (..) r, times their reach.
    reach = 1 + np.abs(k_pl).max() * learned.max()
    bound = 40 * N * case.rounding * learned.max() * reach * np.abs(case.y - case.f_l).sum()
    have = np.asarray(have)
    assert np.isfinite(have).all()
    assert (np.abs(have - want) <= bound + 1e-9 * (1 + np.abs(want))).all()


def test_a_long_time_on_a_singular_kernel_is_refused_and_a_ridge_helps():
    x = np.array([[0.1, 0.2], [0.3, 0.7], [0.5, 0.1], [0.7, 0.7]])
    k, y, zero = x @ x.T, np.eye(C)[[0, 1, 2, 0]], np.zeros((N, C))
    with pytest.raises(SingularKernelError, match="at t=1e\\+18 the outputs depend on it") as caught:
        gradient_flow(k, y, zero, k, zero, t=1e18)
    message = str(caught.value)
    ridge = float(message.split("ridge of about ")[1].split(" ")[0])
    gradient_flow(k, y, zero, k, zero, t=1e18, ridge=ridge)
    gradient_flow(k, y, zero, k, zero, t=float(message.rsplit(" ", 1)[1].rstrip(".")) / 2)


@given(seed=st.integers(0, 10**6), shift=st.floats(0.01, 1.0), t=st.sampled_from([0.1, None]))
def test_what_is_no_kernel_is_refused(seed, shift, t):
    root = np.random.default_rng(seed).normal(size=(N, N))
    kernel = root @ root.T
    rest = np.eye(C)[[0] * N], np.zeros((N, C)), np.zeros((M, N)), np.zeros((M, C))
    asymmetric = kernel.copy()
    asymmetric[0, 1] += shift * kernel.max()
    with pytest.raises(ValueError, match="k_train: a kernel matrix is symmetric"):
        gradient_flow(asymmetric, *rest, t=t)
    indefinite = kernel - (np.linalg.eigvalsh(kernel)[0] + shift) * np.eye(N)
    with pytest.raises(SingularKernelError, match="k_train"):
        gradient_flow(indefinite, *rest, t=t)
