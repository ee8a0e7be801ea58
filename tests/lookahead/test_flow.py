import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import problem
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from ntkal import gradient_flow
from ntkal.inputs import SingularKernelError


def flow(case, t=None, ridge=None):
    k_ll, k_pl, _ = case.blocks
    return gradient_flow(
        k_ll, case.y_l, case.f_l, k_pl, case.f_p, t=t, ridge=case.ridge if ridge is None else ridge
    )


@pytest.mark.parametrize("ridge", [0.0, 0.5])
@pytest.mark.parametrize("t", [0.0, 0.01, 0.3])
def test_finite_time_agrees_with_integrating_the_flow_of_the_parameters(t, ridge):
    case = problem(n=5, m=4, classes=2, parameters=12, ridge=ridge)

    def velocity(_, flat):
        theta = flat.reshape(12, 2)
        return -(case.phi_l.T @ (case.phi_l @ theta + case.f_l - case.y_l) + ridge * theta).ravel()

    end = solve_ivp(velocity, (0, t), np.zeros(24), rtol=1e-11, atol=1e-12, method="DOP853").y[:, -1]
    want = case.f_p + case.phi_p @ end.reshape(12, 2)
    np.testing.assert_allclose(flow(case, t), want, rtol=1e-8, atol=1e-8)


def test_infinite_time_agrees_with_retraining_a_linear_model_to_convergence():
    case = problem(n=5, m=4, classes=2, parameters=30, ridge=0.0)
    rate = 1 / np.linalg.eigvalsh(case.phi_l @ case.phi_l.T)[-1]

    def loss(theta):
        return 0.5 * jnp.sum((case.phi_l @ theta + case.f_l - case.y_l) ** 2)

    step = jax.jit(lambda theta: theta - rate * jax.grad(loss)(theta))
    theta = jnp.zeros((30, 2))
    for _ in range(2000):
        theta = step(theta)
    np.testing.assert_allclose(flow(case), case.f_p + case.phi_p @ theta, rtol=1e-10, atol=1e-10)


@given(
    seed=st.integers(0, 99),
    n=st.sampled_from([1, 6]),
    m=st.sampled_from([1, 4]),
    classes=st.sampled_from([1, 3]),
    ridge=st.sampled_from([0.0, 1.0]),
)
def test_long_times_approach_the_limit_and_training_points_reach_their_labels(seed, n, m, classes, ridge):
    case = problem(seed, n, m, classes, ridge=ridge)
    np.testing.assert_allclose(flow(case, 1e4), flow(case), rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(flow(case, np.inf), flow(case))
    np.testing.assert_allclose(flow(case), case.refit(), rtol=1e-10, atol=1e-10)
    if ridge == 0:
        k_ll = case.blocks[0]
        at_train = gradient_flow(k_ll, case.y_l, case.f_l, k_ll, case.f_l)
        np.testing.assert_allclose(at_train, case.y_l, atol=1e-9)


def test_time_zero_is_the_untrained_network():
    case = problem()
    np.testing.assert_array_equal(flow(case, 0), case.f_p)


def test_a_singular_kernel_trains_for_a_finite_time_as_its_parameters_do():
    case = problem(n=6, parameters=3, ridge=0.0)
    theta, step = np.zeros((3, 3)), 1e-4
    for _ in range(1000):
        theta -= step * case.phi_l.T @ (case.phi_l @ theta + case.f_l - case.y_l)
    np.testing.assert_allclose(flow(case, 0.1), case.f_p + case.phi_p @ theta, rtol=5e-3, atol=5e-3)
    with pytest.raises(SingularKernelError, match="k_train"):
        flow(case)


def test_labels_can_be_booleans_and_times_can_be_mapped_and_differentiated():
    case = problem()
    k_ll, k_pl, _ = case.blocks
    rest = case.f_l, k_pl, case.f_p
    hot = case.y_l == 1
    np.testing.assert_array_equal(gradient_flow(k_ll, hot, *rest), gradient_flow(k_ll, case.y_l, *rest))
    times = jnp.array([0.0, 0.1, 3.0])
    mapped = jax.vmap(lambda t: gradient_flow(k_ll, case.y_l, *rest, t=t))(times)
    np.testing.assert_allclose(mapped, [flow(case, float(t), 0.0) for t in times], rtol=1e-10, atol=1e-12)
    slope = jax.jacfwd(lambda t: gradient_flow(k_ll, case.y_l, *rest, t=t))(0.1)
    ahead, behind = flow(case, 0.1 + 1e-6, 0.0), flow(case, 0.1 - 1e-6, 0.0)
    np.testing.assert_allclose(slope, (ahead - behind) / 2e-6, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k_train": np.ones((2, 3))}, "k_train: expected a square matrix"),
        ({"k_train": -np.eye(2), "t": 1.0}, "k_train: its smallest eigenvalue is -1"),
        ({"k_train": np.array([[1.0, 0.5], [0.0, 1.0]]), "t": 1.0}, "k_train: a kernel matrix is symmetric"),
        ({"y": np.ones((3, 1))}, r"y: expected shape \(2, 1\), got \(3, 1\)"),
        ({"f_train": np.ones((3, 1))}, r"f_train: expected shape \(2, any\), got \(3, 1\)"),
        ({"k_test": np.ones((3, 3))}, r"k_test: expected shape \(any, 2\)"),
        ({"f_test": np.ones((2, 1))}, r"f_test: expected shape \(3, 1\)"),
        ({"f_test": np.full((3, 1), np.nan)}, "f_test: 3 of 3 entries are NaN"),
        ({"t": -1.0}, "t: expected a finite number of at least 0"),
        ({"t": np.nan}, "t: expected a finite number of at least 0"),
        ({"t": -np.inf}, "t: expected a finite number of at least 0"),
        ({"t": True}, "t: expected a finite number of at least 0"),
        ({"y": np.array([0, 1])}, r"y: expected label vectors .* one number a row is \[:, None\]"),
        ({"t": "long"}, "t: expected a finite number of at least 0"),
        ({"ridge": -1.0}, "ridge: expected a finite number of at least 0, got -1.0"),
    ],
)
def test_bad_input_is_named(as_user, change, message):
    good = {
        "k_train": np.eye(2),
        "y": np.ones((2, 1)),
        "f_train": np.zeros((2, 1)),
        "k_test": np.ones((3, 2)),
        "f_test": np.zeros((3, 1)),
    }
    with pytest.raises(ValueError, match=message):
        gradient_flow(**(good | change))


def test_slow_directions_are_learned_as_the_matrix_exponential_says():
    case = problem(n=5, m=4, classes=2, parameters=12, ridge=0.0)
    k_ll, k_pl, _ = (0.02 * block for block in case.blocks)
    left = np.eye(5) - expm(-3.0 * k_ll)
    want = case.f_p + k_pl @ np.linalg.solve(k_ll, left @ (case.y_l - case.f_l))
    assert np.linalg.eigvalsh(k_ll)[0] < 1
    got = gradient_flow(k_ll, case.y_l, case.f_l, k_pl, case.f_p, t=3.0)
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-10)


def test_a_time_that_a_refusal_proposes_is_taken():
    case = problem(n=6, parameters=3, ridge=0.0)
    with pytest.raises(SingularKernelError, match="a time below") as refused:
        flow(case, 1e30)
    proposed = float(str(refused.value).split("a time below ")[1].rstrip("."))
    assert np.isfinite(np.asarray(flow(case, 0.4 * proposed))).all()
