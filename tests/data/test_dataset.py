import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from published import PARTS

import ntkal
from ntkal import data

# A user's lists and tables come without the test run's type checker in front of them.
pytestmark = pytest.mark.usefixtures("as_user")
X = np.array([[0.5, 1.0], [2.0, 3.0], [4.0, 5.0]])
Y = np.array([0, 1, 1])
NAMES = ("no", "yes")


def made(x=X, y=Y, classes=NAMES, **more):
    return data.Dataset(**{"x_train": x, "y_train": y, "x_test": X, "y_test": Y, "classes": classes} | more)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_callers_arrays_stay_writable_and_the_data_sets_own_cannot_change(dtype):
    x, y = X.astype(dtype), Y.copy()
    locked = X.astype(np.float32)
    view = locked[:]
    view.setflags(write=False)  # its base can still be written to
    found = data.Dataset(x, y, view, y, NAMES)
    digest = found.digest
    x[:], y[:], locked[:] = -1.0, 0, -1.0
    np.testing.assert_array_equal(found.x_train, X)
    np.testing.assert_array_equal(found.x_test, X)
    np.testing.assert_array_equal(found.y_test, Y)
    for part in PARTS:
        with pytest.raises(ValueError, match="read-only"):
            getattr(found, part)[0] = 0
    assert data.Dataset(**{part: getattr(found, part) for part in PARTS}, classes=NAMES).digest == digest


def test_two_data_sets_share_what_none_can_write():
    found = made()
    assert made(found.x_train).x_train is found.x_train


@pytest.mark.parametrize(
    "y",
    [
        [0, 1, 1],
        (False, True, True),
        np.array([False, True, True]),
        np.array([0, 1, 1], dtype=">i2"),
        jnp.array([0, 1, 1], dtype=jnp.uint8),
        pd.Series([0, 1, 1], index=[7, 8, 9]),
        pd.Series([0, 1, 1], dtype="Int64"),
        pd.Series([False, True, True], dtype="boolean"),
        pd.array([0, 1, 1], dtype="UInt8"),
        pd.Series([0, 1, 1], dtype=object),
    ],
    ids=lambda y: f"{type(y).__name__}-{getattr(y, 'dtype', '')}",
)
def test_labels_as_people_have_them(y):
    found = made(y=y)
    assert found.y_train.dtype == np.int64
    np.testing.assert_array_equal(found.y_train, Y)
    np.testing.assert_array_equal(data.one_hot(y, 2), np.eye(2)[Y])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (
            ["a", "b", "b"],
            r"expected real numbers, got an array of dtype <U1; np.unique\(labels, return_inverse=True\)",
        ),
        (pd.Series(["a", "b", "b"], dtype="category"), "expected real numbers, got .*np.unique"),
        (pd.Series([0, None, 1], dtype="Int64"), "got float64; 1 are missing"),
        ([0, None, 1], "got float64; 1 are missing"),
        ([0.0, 1.0, 1.0], r"got float64; convert by .astype\(int\)"),
        (np.eye(2)[Y], r"shape \(n,\), got \(3, 2\). np.argmax\(labels, axis=1\)"),
        (0, r"shape \(n,\), got \(\)"),
        ([0, 1, 2], "labels run from 0 to 2; with C=2 they must be 0 to 1"),
        ([-1, 1, 1], "labels run from -1 to 1"),
        ([0, 1], "expected 3 answers, one for each input, got 2"),
        ([[0], [1, 2]], "expected an array of numbers, got list"),
    ],
    ids=str,
)
def test_other_labels_are_refused_with_the_conversion(y, message):
    with pytest.raises(ValueError, match=f"^y_train: .*{message}"):
        made(y=y)


def test_booleans_are_labels_of_two_classes_only():
    with pytest.raises(ValueError, match="y_train: booleans are labels of two classes, and here are 3"):
        made(y=[True, False, True], classes=("a", "b", "c"))


@pytest.mark.parametrize(
    "x",
    [
        X.tolist(),
        pd.DataFrame(X, columns=["a", "b"]),
        jnp.asarray(X),
        pd.DataFrame(X, dtype="Float64"),
        X[::-1][::-1],
    ],
    ids=lambda x: type(x).__name__,
)
def test_inputs_as_people_have_them(x):
    found = made(x)
    assert found.x_train.dtype == np.float32
    np.testing.assert_array_equal(found.x_train, X)
    assert found.digest == made().digest


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"x": [1.0, 2.0, 3.0]},
            r"x_train: expected inputs of shape \(n, ...\), .*got \(3,\); .*\[:, None\]",
        ),
        ({"x": np.zeros((0, 2)), "y": []}, r"x_train: .* got \(0, 2\)"),
        ({"x": [["a", "b"]] * 3}, "x_train: expected real numbers, got an array of dtype <U1"),
        ({"x": X + 1j}, "x_train: expected real numbers, got an array of dtype complex128"),
        ({"x": np.where(X > 4, np.nan, X)}, "x_train: 1 of 6 entries are NaN or infinite in float32"),
        ({"x": X * 1e300}, "x_train: 6 of 6 entries are NaN or infinite in float32"),
        ({"x_test": X[:, :1]}, r"x_test: expected inputs of shape \(2,\), as in x_train, got \(1,\)"),
        ({"x_test": X[:0], "y_test": Y[:0]}, "x_test: expected inputs"),
        ({"classes": "no"}, "classes: expected names of classes, .* got 'no'"),
        ({"classes": 2}, "classes: expected names of classes, .* got 2"),
        ({"classes": ("no",)}, "y_train: labels run from 0 to 1; with C=1"),
        ({"classes": ()}, "y_train: got int64 without names of classes"),
    ],
)
def test_what_does_not_fit_is_named(changes, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        made(**changes)


def test_regression_targets_are_a_column():
    column = [[0.5], [1.0], [1.5]]
    for y in (column, np.ravel(column), pd.Series(np.ravel(column))):
        found = made(y=y, classes=(), y_test=column)
        assert found.y_train.dtype == np.float64
        np.testing.assert_array_equal(found.y_train, column)
    with pytest.raises(ValueError, match=r"y_train: expected shape \(any, 1\), got \(3, 2\)"):
        made(y=X, classes=(), y_test=column)
    with pytest.raises(ValueError, match="y_train: 1 of 3 entries are NaN"):
        made(y=[0.5, np.nan, 1.0], classes=(), y_test=column)


def test_the_digest_tells_bytes_shapes_types_and_names_apart_and_lasts():
    sets = [
        made(),
        made(X + np.array([[0, 0], [0, 0], [0, 1e-6]])),
        made(X[:, :, None], x_test=X[:, :, None]),
        made(y=1 - Y),
        made(x_test=X[::-1]),
        made(classes=("no", "maybe")),
        made(y=Y * 1.0, y_test=Y * 1.0, classes=()),
    ]
    assert len({found.digest for found in sets}) == len(sets)
    program = (
        "import numpy as np, ntkal; x = np.array([[0.5, 1.0], [2.0, 3.0], [4.0, 5.0]]); y = [0, 1, 1];"
        "print(ntkal.Dataset(x, y, x, y, ('no', 'yes')).digest)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert said.stdout.strip() == made().digest


def test_a_data_set_says_its_shapes_not_its_numbers():
    assert repr(made()) == ("Dataset(x_train (3, 2), y_train (3,), x_test (3, 2), y_test (3,), 2 classes)")


def test_one_hot_rows_of_the_identity():
    out = data.one_hot(np.array([2, 0, 1], dtype=np.uint8), 3)
    assert out.dtype == np.float64
    np.testing.assert_array_equal(out, np.eye(3)[[2, 0, 1]])
    assert data.one_hot(np.zeros(0, dtype=int), 4).shape == (0, 4)
    np.testing.assert_array_equal(data.one_hot(np.array([0]), 1), [[1.0]])
    assert np.array_equal(
        data.one_hot(ntkal.load("digits").y_train, 10).argmax(1), ntkal.load("digits").y_train
    )


@pytest.mark.parametrize(
    ("y", "C", "message"),
    [
        (np.array([0, 3]), 3, "y: labels run from 0 to 3; with C=3 they must be 0 to 2"),
        (np.array([0.5]), 3, "y: expected whole-number labels, got float64"),
        (np.array([[0]]), 3, r"y: .* got \(1, 1\)"),
        (np.array([0]), 0, "C: expected a whole number at least 1, got 0"),
        (np.array([0]), True, "C: expected a whole number, got True"),
        (np.array([0]), 3.0, "C: expected a whole number, got 3.0"),
    ],
)
def test_bad_labels_are_named(y, C, message):
    with pytest.raises(ValueError, match=message):
        data.one_hot(y, C)
