import numpy as np
import pytest

from ntkal.kernels.rounding import noise_floor, precision_of


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_floor_is_above_what_rounding_leaves_of_a_zero_eigenvalue_and_not_far_above(rng, dtype, scale):
    x = rng.normal(size=(80, 20))
    exact = scale * x @ x.T  # of rank 20
    kernel = exact.astype(dtype).astype(float)
    left = np.abs(np.linalg.eigvalsh(kernel)[:60]).max()
    floor = noise_floor(
        precision_of(exact.astype(dtype)), 80, exact.diagonal().max(), np.linalg.norm(exact, 2)
    )
    assert left < floor < 300 * left


def test_whole_numbers_are_exact_to_double_precision():
    assert precision_of(np.arange(3)) == precision_of(np.ones(1)) == np.finfo(float).eps
