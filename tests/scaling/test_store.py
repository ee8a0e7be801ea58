import json

import numpy as np
import pytest

from ntkal.kernels.low_rank import pivoted_cholesky
from ntkal.scaling import store
from ntkal.scaling.store import BlockedKernel


@pytest.fixture
def matrix(rng):
    phi = rng.normal(size=(11, 6)).astype(np.float32)
    return phi @ phi.T


@pytest.mark.parametrize("block", [1, 4, 11, 50])
def test_it_is_the_matrix_by_every_way_of_reading(tmp_path, rng, matrix, block):
    kernel = store.write(matrix, tmp_path, block=block)
    assert kernel.shape == (11, 11)
    assert kernel.dtype == np.float32
    np.testing.assert_array_equal(kernel.whole(), matrix)
    for start, stop in ((0, 1), (3, 9), (4, 8), (10, 11)):
        np.testing.assert_array_equal(kernel.rows(start, stop), matrix[start:stop])
    np.testing.assert_array_equal(kernel.column(5), matrix[:, 5])
    np.testing.assert_array_equal(kernel.diagonal(), np.diag(matrix))
    for v in (rng.normal(size=11), rng.normal(size=(11, 2))):
        np.testing.assert_allclose(kernel @ v, matrix.astype(float) @ v, rtol=1e-12, atol=1e-12)


def test_half_of_it_is_stored_and_reading_a_row_reads_its_blocks_only(tmp_path, matrix):
    kernel = store.write(matrix, tmp_path, block=4)
    assert kernel.blocks() == [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)]
    assert len(list(tmp_path.glob("*.npy"))) == 6
    kernel._path(2, 2).unlink()
    np.testing.assert_array_equal(kernel.rows(0, 8), matrix[:8])


def test_pivoted_cholesky_reads_it(tmp_path, matrix):
    kernel = store.write(matrix, tmp_path, block=4)
    factor, _ = pivoted_cholesky(kernel.diagonal(), kernel.column, 11)
    assert factor.shape[1] == 6
    np.testing.assert_allclose(factor @ factor.T, matrix, atol=1e-5 * matrix.max())


def test_a_block_that_is_not_whole_is_missing(tmp_path, matrix):
    kernel = store.write(matrix, tmp_path, block=4)
    assert kernel.missing() == []
    path = kernel._path(1, 0)
    path.write_bytes(path.read_bytes()[:-8])
    np.save(kernel._path(2, 1), np.zeros((4, 3), np.float32))
    np.save(kernel._path(2, 2), np.zeros((3, 3)))
    kernel._path(0, 0).write_bytes(b"")
    assert kernel.missing() == [(0, 0), (1, 0), (2, 1), (2, 2)]
    with pytest.raises(ValueError, match=r"block \(0, 0\) of .* is missing or not whole, one of 4 of 6"):
        kernel.whole()


def test_what_cannot_be_a_block_is_not_written(as_user, tmp_path):
    kernel = store.create(tmp_path, 5, 2, "float64")
    for values, message in (
        (np.ones((2, 2)), r"values: expected shape \(1, 2\) in float64 for block \(2, 0\), got \(2, 2\)"),
        (np.ones((1, 2), np.float32), "got .* in float32"),
        (np.array([[1.0, np.nan]]), r"values: block \(2, 0\) has NaN"),
    ):
        with pytest.raises(ValueError, match=message):
            store.put(kernel, 2, 0, values)
    assert len(kernel.missing()) == 6


def test_a_write_that_fails_leaves_what_was_there_and_nothing_else(tmp_path):
    path = tmp_path / "a.npy"
    store.save(path, lambda file: file.write(b"first"))

    def breaks(file):
        file.write(b"sec")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        store.save(path, breaks)
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("text", [None, "{", "[]", '{"n": 3}', '{"n": 3, "block": 2, "dtype": "colour"}'])
def test_a_folder_without_a_kernel_is_refused(tmp_path, text):
    if text is not None:
        (tmp_path / store.DESCRIPTION).write_text(text)
    with pytest.raises(ValueError, match="holds no kernel in blocks"):
        BlockedKernel(tmp_path)


def test_the_description_keeps_what_was_said_of_the_kernel(tmp_path):
    store.create(tmp_path, 3, 2, "float32", network="cnn")
    assert json.loads((tmp_path / store.DESCRIPTION).read_text())["network"] == "cnn"
    assert BlockedKernel(tmp_path).made["network"] == "cnn"


def test_rows_outside_are_named(tmp_path):
    kernel = store.write(np.eye(3), tmp_path, block=2)
    for start, stop, message in ((-1, 2, "start: "), (3, 4, "start: "), (1, 1, "stop: "), (1, 4, "stop: ")):
        with pytest.raises(ValueError, match=f"{message}expected a whole number between"):
            kernel.rows(start, stop)
