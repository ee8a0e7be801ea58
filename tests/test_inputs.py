from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from ntkal.inputs import (
    as_float64,
    as_inputs,
    as_labels,
    as_positions,
    check_choice,
    check_int,
    check_number,
    typed,
)


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
        ("kernel", (1, 2), "expected real numbers, got str"),
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


def test_labels_as_people_have_them_become_the_same_float64():
    want, labels = np.eye(3)[[2, 0, 1]], np.array([2, 0, 1])
    kept = {
        "booleans": labels[:, None] == np.arange(3),
        "get_dummies": pd.get_dummies(pd.Series(labels)),
        "nullable": pd.DataFrame(want.astype(int)).astype("Int64"),
        "nullable booleans": pd.DataFrame(want.astype(bool)).astype("boolean"),
        "lists": want.tolist(),
        "float32": want.astype(np.float32),
        "big-endian": want.astype(">f4"),
    }
    for name, value in kept.items():
        got = as_labels("y", value, (None, 3))
        assert got.dtype == "float64", name
        np.testing.assert_array_equal(got, want, err_msg=name)


@pytest.mark.parametrize("value", [np.array([2, 0, 1]), pd.Series([2, 0, 1]), [[2], [0], [1]]])
def test_numbers_of_classes_are_refused_with_the_conversion(value):
    with pytest.raises(ValueError, match=r"y: expected label vectors.*np\.eye\(3\)\[labels\]"):
        as_labels("y", value, (None, 3))


def test_targets_of_a_regression_are_told_their_column():
    with pytest.raises(ValueError, match=r"y: expected label vectors of shape \(any, 1\).*\[:, None\]"):
        as_labels("y", np.ones(3), (None, 1))


def test_one_number_of_a_class_is_refused_with_the_conversion():
    with pytest.raises(ValueError, match=r"y: expected label vectors.*np\.eye\(3\)\[label\]"):
        as_labels("y", 2, (3,))


def test_a_missing_label_is_counted():
    with pytest.raises(ValueError, match="y: 1 of 3 entries are NaN"):
        as_labels("y", pd.DataFrame([[1, 0, None]]).astype("Int64"), (None, 3))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (np.array([True, False, True]), r"at: expected positions, got a boolean mask; give np\.flatnonzero"),
        (np.array([4.9]), "at: expected positions as whole numbers, got float64"),
        ([1, 7], "at: expected positions between 0 and 5, got 7"),
        ([-1], "at: expected positions between 0 and 5, got -1"),
        ([1, 2, 1], "at: position 1 stands there more than once"),
        (3, r"at: expected positions of shape \(r,\)"),
        ([], r"at: expected positions of shape \(r,\)"),
    ],
)
def test_what_is_no_set_of_positions_is_refused(value, says):
    with pytest.raises(ValueError, match=says):
        as_positions("at", value, 5)


def test_positions_may_repeat_where_that_is_said():
    assert as_positions("at", jnp.array([1, 1]), 5, distinct=False).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (scipy.sparse.eye(2, format="csr"), r"x: expected an array, got a sparse csr_matrix; use \.toarray"),
        ({"image": np.ones((2, 2))}, "x: expected an array of numbers, got dict"),
        (np.ones((2, 2), int), "x: expected floating-point inputs, got int64"),
        (np.ones(2), r"x: expected inputs of shape \(n, \.\.\.\)"),
    ],
)
def test_what_is_no_input_of_a_network_is_refused(value, says):
    with pytest.raises(ValueError, match=says):
        as_inputs("x", value)


def test_inputs_keep_their_precision():
    for kind in ("float32", "float64", ">f4", jnp.bfloat16):
        assert as_inputs("x", np.ones((2, 2), kind)).dtype == np.dtype(kind).newbyteorder("=")
    assert as_inputs("x", pd.DataFrame(np.ones((2, 2))).astype(object)).dtype == "float64"


@pytest.mark.parametrize("value", [True, np.True_, "1", np.nan, np.inf, -0.5, None, [1.0]])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="ridge: expected a finite number of at least 0, got"):
        check_number("ridge", value, low=0)


def test_values_are_not_checked_while_tracing_but_shapes_are():
    @jax.jit
    def passes(c, ridge, y):
        assert check_int("c", c, low=0, high=3) is c
        assert check_number("ridge", ridge, low=0) is ridge
        as_positions("at", jnp.stack([c, c]), 3)
        with pytest.raises(ValueError, match="y: expected shape"):
            as_float64("y", y, (None, 3))
        with pytest.raises(ValueError, match="c: expected a whole number"):
            check_int("c", ridge, low=0)
        return as_labels("y", y, (None, 2))

    assert np.isnan(passes(9, -1.0, np.full((1, 2), np.nan))).all()
    captured = jnp.ones((2, 2))  # has values, but what is computed of it within a trace has none
    assert jax.jit(lambda x: x + as_float64("k", captured, (2, 2)).sum())(1.0) == 5.0


def test_a_setting_has_the_kind_of_its_field():
    @dataclass
    class Settings:
        steps: int
        rate: float | None = None

    assert typed(Settings, {"steps": np.int64(3), "rate": 1}) == {"steps": 3, "rate": 1.0}
    for wrong in ({"steps": True}, {"steps": 1.5}, {"rate": "1"}, {"steps": 2**63}):
        with pytest.raises(ValueError, match=f"train.{next(iter(wrong))}: "):
            typed(Settings, wrong, "train.")
