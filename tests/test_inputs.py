import jax
import numpy as np
import pytest

from ntkal.inputs import as_float64, check_choice, check_int


def test_numpy_and_lists_become_float64():
    for value in ([[1, 2]], np.array([[1, 2]], dtype=np.float32), np.asfortranarray(np.ones((1, 2)))):
        out = as_float64("k", value, (1, 2))
        assert out.dtype == "float64"
        assert isinstance(out, jax.Array)


@pytest.mark.parametrize(
    ("value", "shape", "message"),
    [
        (np.ones((2, 3)), (2, 2), r"k: expected shape \(2, 2\), got \(2, 3\)"),
        (np.ones(3), (None, 2), r"k: expected shape \(any, 2\)"),
        (np.array([[np.nan, 1.0]]), (1, 2), "k: 1 of 2 entries are NaN or infinite"),
        (np.ones((0, 2)), (None, 2), "empty axis"),
        (np.ones((1, 2), dtype=complex), (1, 2), "complex128"),
        ("kernel", (1, 2), "expected an array of numbers, got str"),
    ],
)
def test_a_bad_array_is_named(value, shape, message):
    with pytest.raises(ValueError, match=message):
        as_float64("k", value, shape)


def test_32_bit_mode_is_refused():
    jax.config.update("jax_enable_x64", False)
    try:
        with pytest.raises(RuntimeError, match="64-bit mode is off"):
            as_float64("k", np.ones(1), (1,))
    finally:
        jax.config.update("jax_enable_x64", True)


def test_choices_and_whole_numbers(as_user):
    with pytest.raises(ValueError, match="strategy: unknown 'best'; choose one of a, b"):
        check_choice("strategy", "best", ["b", "a"])
    for value in (1.5, True, "3", np.array([1, 2])):
        with pytest.raises(ValueError, match="expected a whole number"):
            check_int("n", value, low=0)
    with pytest.raises(ValueError, match="between 0 and 4, got 5"):
        check_int("n", 5, low=0, high=4)
    assert check_int("n", np.int32(3), low=0) == 3
    assert check_int("n", jax.numpy.asarray(3), low=0) == 3
