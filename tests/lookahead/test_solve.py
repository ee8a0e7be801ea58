import numpy as np
import pytest

from ntkal.inputs import SingularKernelError, check_number
from ntkal.lookahead.solve import cholesky


def gram(rng, n, p, dtype=np.float64):
    features = rng.normal(size=(n, p)).astype(dtype)
    return features @ features.T


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_the_factor_is_that_of_the_kernel_and_the_ridge_alone(rng, ridge):
    kernel = gram(rng, 20, 50)
    factor = np.asarray(cholesky("k", kernel, ridge))
    np.testing.assert_allclose(factor @ factor.T, kernel + ridge * np.eye(20), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(factor, np.tril(factor))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_singular_kernel_is_refused_and_the_suggested_ridge_does(rng, dtype):
    kernel = gram(rng, 30, 20, dtype)
    with pytest.raises(SingularKernelError, match="more inputs .n=30. than parameters") as caught:
        cholesky("k", kernel, 0.0)
    message = str(caught.value)
    assert f"smallest eigenvalue is {np.linalg.eigvalsh(kernel.astype(float))[0]:.3g}" in message
    cholesky("k", kernel, float(message.rsplit("about ", 1)[1].rstrip(".")))


def test_duplicates_are_named(rng):
    features = rng.normal(size=(10, 50))
    features[7] = features[2]
    with pytest.raises(SingularKernelError, match="inputs 2 and 7 are duplicates"):
        cholesky("k", features @ features.T, 0.0)


@pytest.mark.parametrize("condition", [1e3, 1e8, 1e12])
def test_an_ill_conditioned_kernel_is_solved_as_long_as_float64_can(rng, condition):
    basis = np.linalg.qr(rng.normal(size=(15, 15)))[0]
    kernel = basis @ np.diag(np.geomspace(1, 1 / condition, 15)) @ basis.T
    cholesky("k", (kernel + kernel.T) / 2, 0.0)


@pytest.mark.parametrize("kernel", [np.diag([1e6, 1e-12]), np.zeros((2, 2)), np.ones((3, 3))])
def test_what_cannot_be_solved_is_refused(kernel):
    with pytest.raises(SingularKernelError, match="cannot be inverted"):
        cholesky("k", kernel, 0.0)


def test_an_indefinite_matrix_is_not_a_kernel():
    with pytest.raises(SingularKernelError, match="smallest eigenvalue is -1 .* no negative eigenvalue"):
        cholesky("k", np.array([[0.0, 1.0], [1.0, 0.0]]), 0.0)


def test_shape_and_symmetry(as_user):
    with pytest.raises(ValueError, match=r"k: expected a square matrix, got shape \(2, 3\)"):
        cholesky("k", np.ones((2, 3)), 0.0)
    with pytest.raises(
        ValueError, match="k: a kernel matrix is symmetric, but entries differ .* by up to 0.5"
    ):
        cholesky("k", np.array([[1.0, 0.5], [0.0, 1.0]]), 0.0)


@pytest.mark.parametrize("ridge", [-1e-9, np.nan, np.inf, "small", None])
def test_a_bad_ridge_is_named(as_user, ridge):
    with pytest.raises(ValueError, match="ridge: expected"):
        check_number("ridge", ridge, low=0)


@pytest.mark.parametrize("n", [200, 1600])
def test_a_float32_kernel_with_a_small_ridge_is_accepted_at_any_size(rng, n):
    """A shared mean makes the largest eigenvalue grow with n, as in a network; the noise does not."""
    features = (rng.normal(size=(n, 50)) + 3).astype(np.float32)
    kernel = features @ features.T
    cholesky("k", kernel, 1e-3 * float(np.mean(np.diag(kernel))))
