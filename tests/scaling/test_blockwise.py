import json
import os
import shutil
import signal
from functools import partial

import jax
import numpy as np
import pytest
from networks import SMALL
from networks import make as network

from ntkal import empirical_ntk, models
from ntkal.experiments.workers import connect
from ntkal.kernels.low_rank import pivoted_cholesky
from ntkal.scaling import BlockedKernel, blockwise, compute

# Another test's workers may have Dask's usual port at the same time; it then takes another.
pytestmark = pytest.mark.filterwarnings(r"ignore:\s*Port .* is already in use")


def gram(x1, x2=None):
    return x1 @ (x1 if x2 is None else x2).T


@pytest.fixture
def x(rng):
    return rng.normal(size=(23, 4))


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(1).normal(size=(11, 3, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def model():
    model = network("mlp", "float32")
    return model, model.init(jax.random.key(0))


@pytest.fixture(scope="module")
def scheduler():
    """The address of one worker process for those who do not kill it."""
    with connect(1) as client:
        yield client.scheduler.address


def counted(log, kernel=gram):
    """A kernel that notes each block that it computes; the probe has no more than four inputs."""

    def noted(x1, x2=None):
        if len(x1) > 4:
            with log.open("a") as file:
                file.write("block\n")
        return kernel(x1, x2)

    return noted


def count(log):
    return len(log.read_text().splitlines()) if log.exists() else 0


@pytest.mark.parametrize("block", [6, 23, 100])
def test_here_it_is_the_kernel_and_each_block_is_computed_once(tmp_path, x, block):
    kernel = counted(tmp_path / "log")
    made = compute(kernel, x, tmp_path / "k", block=block, workers=0)
    np.testing.assert_allclose(made.whole(), gram(x), rtol=1e-12)
    blocks = count(tmp_path / "log")
    assert blocks == len(made.blocks()) == {6: 10, 23: 1, 100: 1}[block]
    compute(kernel, x, tmp_path / "k", block=block, workers=0)
    assert count(tmp_path / "log") == blocks


def test_of_a_network_in_its_own_precision(tmp_path, images, model):
    kernel = partial(empirical_ntk, model[0].apply, model[1])
    made = compute(kernel, images, tmp_path / "k", block=6, workers=0)
    exact = np.asarray(kernel(images))
    assert made.dtype == np.float32
    np.testing.assert_allclose(made.whole(), exact, atol=1e-5 * exact.max())


@pytest.mark.parametrize("block", [1, 4, 11, 50])
def test_it_is_the_matrix_by_every_way_of_reading(tmp_path, rng, block):
    x = rng.normal(size=(11, 6)).astype(np.float32)
    matrix = gram(x)
    kernel = compute(gram, x, tmp_path, block=block, workers=0)
    assert (kernel.shape, kernel.dtype) == ((11, 11), np.float32)
    near = partial(np.testing.assert_allclose, atol=1e-5)
    near(kernel.whole(), matrix)
    for start, stop in ((0, 1), (3, 9), (4, 8), (10, 11)):
        near(kernel.rows(start, stop), matrix[start:stop])
    near(kernel.column(5), matrix[:, 5])
    near(kernel.diagonal(), np.diag(matrix))
    factor, _ = pivoted_cholesky(kernel.diagonal(), kernel.column, 11)
    assert factor.shape[1] == 6
    near(factor @ factor.T, matrix, rtol=1e-4)


def test_half_of_it_is_stored_and_reading_a_row_reads_its_blocks_only(tmp_path, x):
    kernel = compute(gram, x[:11], tmp_path, block=4, workers=0)
    assert kernel.blocks() == [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)]
    assert len(list(tmp_path.glob("block-*.npy"))) == 6
    kernel._path(2, 2).unlink()
    np.testing.assert_allclose(kernel.rows(0, 8), gram(x[:11])[:8])
    with pytest.raises(ValueError, match=r"block \(2, 2\) of .* is missing or not whole, one of 1 of 6"):
        kernel.whole()


def test_a_block_that_is_not_whole_is_missing_and_is_made_again(tmp_path, x):
    kernel = compute(gram, x[:11], tmp_path, block=4, workers=0)
    assert kernel.missing() == []
    path = kernel._path(1, 0)
    path.write_bytes(path.read_bytes()[:-8])
    np.save(kernel._path(2, 1), np.zeros((4, 3)))
    np.save(kernel._path(2, 2), np.zeros((3, 3), np.float32))
    kernel._path(0, 0).write_bytes(b"")
    assert kernel.missing() == [(0, 0), (1, 0), (2, 1), (2, 2)]
    np.testing.assert_allclose(compute(gram, x[:11], tmp_path, block=4, workers=0).whole(), gram(x[:11]))


def test_when_this_process_is_stopped_half_way_the_same_call_goes_on(tmp_path, x):
    log = tmp_path / "log"

    def breaks(x1, x2=None):
        if count(log) == 4:
            raise KeyboardInterrupt
        return counted(log)(x1, x2)

    with pytest.raises(KeyboardInterrupt):
        compute(breaks, x, tmp_path / "k", block=6, workers=0)
    assert len(BlockedKernel(tmp_path / "k").missing()) == 6
    made = compute(counted(log), x, tmp_path / "k", block=6, workers=0)
    assert count(log) == 10
    np.testing.assert_allclose(made.whole(), gram(x), rtol=1e-12)


def test_a_folder_that_was_deleted_and_made_again_has_the_new_kernel(tmp_path, x):
    """Nothing is remembered by a path, neither in this process nor of what an old worker still writes."""
    old = compute(gram, x, tmp_path / "k", block=6, workers=0)
    stale = old._path(1, 0).read_bytes()
    shutil.rmtree(tmp_path / "k")
    new = compute(gram, 2 * x, tmp_path / "k", block=6, workers=0)
    np.testing.assert_allclose(new.whole(), 4 * gram(x))
    new._path(1, 0).unlink()
    old._path(1, 0).write_bytes(stale)
    assert new.missing() == [(1, 0)]
    with pytest.raises(ValueError, match="is missing"):
        old.whole()


@pytest.mark.slow
def test_workers_compute_what_is_in_the_folder_now(tmp_path, x, scheduler):
    for scale in (1.0, 2.0):
        made = compute(gram_by_value(), scale * x, tmp_path / "k", block=6, scheduler=scheduler)
        np.testing.assert_allclose(made.whole(), scale**2 * gram(x), rtol=1e-12)
        shutil.rmtree(tmp_path / "k")


def gram_by_value():
    return lambda x1, x2=None: x1 @ (x1 if x2 is None else x2).T


@pytest.mark.slow
def test_a_worker_that_is_killed_half_way_costs_its_block_and_no_other(tmp_path, x):
    """One worker, killed as by the system while it has its fifth block in hand; Dask starts another."""
    log, killed = tmp_path / "log", tmp_path / "killed"

    def kernel(x1, x2=None):
        if len(x1) > 4:
            with log.open("a") as file:
                file.write(f"{os.getpid()}\n")
            if len(log.read_text().splitlines()) == 5:
                killed.write_text(str(os.getpid()))
                os.kill(os.getpid(), signal.SIGKILL)
        return x1 @ (x1 if x2 is None else x2).T

    made = compute(kernel, x, tmp_path / "k", block=6, workers=1)
    np.testing.assert_allclose(made.whole(), gram(x), rtol=1e-12)
    pids = log.read_text().split()
    assert len(set(pids)) == 2
    assert pids[4] == killed.read_text()
    assert len(pids) == 11  # ten blocks, and the one that was lost
    assert not list((tmp_path / "k").glob("*.pickle"))


@pytest.mark.slow
def test_a_block_that_kills_every_worker_is_named_and_the_rest_is_kept(tmp_path, x):
    def kernel(x1, x2=None):
        if len(x1) == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return x1 @ (x1 if x2 is None else x2).T

    with pytest.raises(OSError, match=r"block \(3, \d\)"):
        compute(kernel, x, tmp_path / "k", block=6, workers=1)
    made = compute(gram, x, tmp_path / "k", block=6, workers=0)
    np.testing.assert_allclose(made.whole(), gram(x), rtol=1e-12)


@pytest.mark.slow
def test_workers_compute_the_kernel_of_a_network(tmp_path, images, model, scheduler):
    weights = model[1]

    def kernel(x1, x2=None):
        there = models.get("mlp", classes=3, **SMALL["mlp"])
        return empirical_ntk(there.apply, weights, x1, x2)

    made = compute(kernel, images, tmp_path / "k", block=6, scheduler=scheduler)
    exact = np.asarray(empirical_ntk(model[0].apply, model[1], images))
    np.testing.assert_allclose(made.whole(), exact, atol=1e-5 * exact.max())


def test_a_kernel_that_cannot_be_sent_is_named_before_anything_is_computed(tmp_path, images, model):
    kernel = partial(empirical_ntk, model[0].apply, model[1])
    with pytest.raises(ValueError, match="kernel: it cannot be sent to workers .*build their network when"):
        compute(kernel, images, tmp_path / "k", block=6, workers=1)
    assert not list((tmp_path / "k").glob("block*"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.ones((23, 4))}, r"was begun with another inputs \(.*\), kernel; give another folder"),
        ({"x": np.ones((22, 4))}, r"was begun with another inputs \(.*\), kernel; give another folder"),
        ({"block": 7}, r"was begun with another block \(6\)"),
        ({"kernel": lambda x1, x2=None: 1.001 * gram(x1, x2)}, "was begun with another kernel"),
        ({"kernel": lambda x1, x2=None: gram(x1, x2).astype("float32")}, r"another dtype \(float64\)"),
        (
            {"x": np.ones(3)},
            r"x: expected numbers of shape \(n, ...\) with n >= 1, got float64 of shape \(3,\)",
        ),
        ({"x": np.full((3, 2), "a")}, "x: expected numbers"),
        ({"kernel": lambda x1, x2=None: np.ones(3)}, r"kernel: expected .* shape \(4, 4\) for 4 inputs"),
        ({"kernel": lambda x1, x2=None: np.full((4, 4), np.nan)}, "kernel: expected finite"),
        ({"kernel": lambda x1, x2=None: np.ones((4, 4), int)}, "floating-point numbers .* got int64"),
        ({"kernel": lambda x1, x2=None: x1 @ np.eye(4)[::-1] * x1}, "the same symmetric matrix; they differ"),
        (
            {"kernel": lambda x1, x2=None: gram(x1) * (1 if x2 is None else 2)},
            "symmetric matrix; they differ",
        ),
        ({"block": 0}, "block: expected a whole number at least 1"),
        ({"workers": False}, "workers: expected a whole number, got False"),
    ],
)
def test_what_does_not_belong_to_the_folder_is_refused(as_user, tmp_path, x, change, message):
    good = {"kernel": gram, "x": x, "out": tmp_path, "block": 6, "workers": 0}
    compute(**good)
    with pytest.raises(ValueError, match=message):
        compute(**(good | change))


def test_inputs_of_another_shape_or_precision_are_other_inputs(tmp_path):
    """Zeros have the same bytes in any shape, and the same kernel."""
    x = np.zeros((4, 8))
    flat = lambda a, b=None: gram(a.reshape(len(a), -1), None if b is None else b.reshape(len(b), -1))  # noqa: E731
    compute(flat, x, tmp_path, block=2, workers=0)
    for other in (x.reshape(4, 4, 2), x.astype(np.int64)):
        with pytest.raises(ValueError, match="was begun with another inputs"):
            compute(
                lambda a, b=None: flat(1.0 * a, None if b is None else 1.0 * b),
                other,
                tmp_path,
                block=2,
                workers=0,
            )


@pytest.mark.parametrize(("bad", "message"), [(np.nan, r"block \(3, 0\) has NaN"), (None, "got float32")])
def test_what_cannot_be_a_block_is_not_stored(as_user, tmp_path, x, bad, message):
    def kernel(x1, x2=None):
        part = gram(x1, x2)
        if part.shape != (5, 6):
            return part
        return part.astype(np.float32) if bad is None else part * bad

    with pytest.raises(ValueError, match=f"kernel: .*{message}"):
        compute(kernel, x, tmp_path, block=6, workers=0)
    assert BlockedKernel(tmp_path).missing()[0] == (3, 0)


@pytest.mark.parametrize(
    "text", [None, "{", "[]", '{"n": 3}', '{"id": "", "n": 3, "block": 2, "dtype": "colour"}']
)
def test_a_folder_without_a_kernel_is_refused(tmp_path, text, x):
    if text is not None:
        (tmp_path / blockwise.DESCRIPTION).write_text(text)
        with pytest.raises(ValueError, match="has no kernel in blocks"):
            compute(gram, x, tmp_path, workers=0)
    with pytest.raises(ValueError, match="has no kernel in blocks"):
        BlockedKernel(tmp_path)


def test_rows_outside_are_named(as_user, tmp_path, x):
    kernel = compute(gram, x[:3], tmp_path, block=2, workers=0)
    assert json.loads((tmp_path / blockwise.DESCRIPTION).read_text()) == kernel.made
    for start, stop, message in ((-1, 2, "start: "), (3, 4, "start: "), (1, 1, "stop: "), (1, 4, "stop: ")):
        with pytest.raises(ValueError, match=f"{message}expected a whole number between"):
            kernel.rows(start, stop)
    for place in (-1, 3, True, 1.0):
        with pytest.raises(ValueError, match="i: expected a whole number"):
            kernel.column(place)
