import os
import signal
from functools import partial

import jax
import numpy as np
import pytest
from networks import SMALL
from networks import make as network

from ntkal import empirical_ntk
from ntkal.scaling import blockwise, store
from ntkal.scaling.network_kernel import NetworkKernel


def gram(x1, x2=None):
    return x1 @ (x1 if x2 is None else x2).T


@pytest.fixture
def x(rng):
    return rng.normal(size=(23, 4))


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
    made = blockwise.compute(kernel, x, tmp_path / "k", block=block, workers=0)
    np.testing.assert_allclose(made.whole(), gram(x), rtol=1e-12)
    blocks = count(tmp_path / "log")
    assert blocks == len(made.blocks()) == {6: 10, 23: 1, 100: 1}[block]
    blockwise.compute(kernel, x, tmp_path / "k", block=block, workers=0)
    assert count(tmp_path / "log") == blocks


def test_of_a_network_in_its_own_precision(tmp_path, rng):
    model = network("mlp", "float32")
    params = model.init(jax.random.key(0))
    x = rng.normal(size=(7, 3, 2)).astype(np.float32)
    made = blockwise.compute(
        partial(empirical_ntk, model.apply, params), x, tmp_path / "k", block=5, workers=0
    )
    exact = np.asarray(empirical_ntk(model.apply, params, x))
    assert made.dtype == np.float32
    np.testing.assert_allclose(made.whole(), exact, atol=1e-5 * exact.max())


def test_when_this_process_is_stopped_half_way_the_same_call_goes_on(tmp_path, x):
    log = tmp_path / "log"

    def breaks(x1, x2=None):
        if count(log) == 4:
            raise KeyboardInterrupt
        return counted(log)(x1, x2)

    with pytest.raises(KeyboardInterrupt):
        blockwise.compute(breaks, x, tmp_path / "k", block=6, workers=0)
    assert len(store.BlockedKernel(tmp_path / "k").missing()) == 6
    made = blockwise.compute(counted(log), x, tmp_path / "k", block=6, workers=0)
    assert count(log) == 10
    np.testing.assert_allclose(made.whole(), gram(x), rtol=1e-12)


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

    made = blockwise.compute(kernel, x, tmp_path / "k", block=6, workers=1)
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

    with pytest.raises(OSError, match=r"worker processes .*smaller blocks"):
        blockwise.compute(kernel, x, tmp_path / "k", block=6, workers=1)
    made = blockwise.compute(gram, x, tmp_path / "k", block=6, workers=0)
    np.testing.assert_allclose(made.whole(), gram(x), rtol=1e-12)


@pytest.mark.slow
def test_workers_compute_the_kernel_of_a_network(tmp_path, rng):
    model = network("mlp", "float32")
    params = model.init(jax.random.key(0))
    x = rng.normal(size=(11, 3, 2)).astype(np.float32)
    options = {name: value for name, value in SMALL["mlp"].items() if name != "input_shape"}
    kernel = NetworkKernel("mlp", (3, 2), 3, params, options)
    made = blockwise.compute(kernel, x, tmp_path / "k", block=6, workers=1)
    exact = np.asarray(empirical_ntk(model.apply, params, x))
    np.testing.assert_allclose(made.whole(), exact, atol=1e-5 * exact.max())


@pytest.mark.slow
def test_a_kernel_that_cannot_be_sent_is_named_before_anything_is_computed(tmp_path, rng):
    model = network("mlp", "float32")
    kernel = partial(empirical_ntk, model.apply, model.init(jax.random.key(0)))
    x = rng.normal(size=(11, 3, 2)).astype(np.float32)
    with pytest.raises(ValueError, match="kernel: it cannot be sent to workers .*NetworkKernel"):
        blockwise.compute(kernel, x, tmp_path / "k", block=6, workers=1)
    assert not list((tmp_path / "k").glob("block*"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.ones((23, 4))}, "was begun with another inputs, kernel; give another folder"),
        ({"block": 7}, r"was begun with another block size \(6\)"),
        ({"kernel": lambda x1, x2=None: 1.001 * gram(x1, x2)}, "was begun with another kernel"),
        ({"kernel": lambda x1, x2=None: gram(x1, x2).astype("float32")}, r"another precision \(float64\)"),
        ({"x": np.ones(3)}, r"x: expected inputs of shape \(n, ...\) with n >= 1, got \(3,\)"),
        ({"kernel": lambda x1, x2=None: np.ones(3)}, r"kernel: expected shape \(4, 4\) for 4 inputs"),
        ({"block": 0}, "block: expected a whole number at least 1"),
    ],
)
def test_what_does_not_belong_to_the_folder_is_refused(as_user, tmp_path, x, change, message):
    good = {"kernel": gram, "x": x, "out": tmp_path, "block": 6, "workers": 0}
    blockwise.compute(**good)
    with pytest.raises(ValueError, match=message):
        blockwise.compute(**(good | change))


def test_nan_in_a_block_is_not_stored(as_user, tmp_path, x):
    x[20] = np.nan
    with pytest.raises(ValueError, match=r"values: block \(3, 0\) has NaN"):
        blockwise.compute(gram, x, tmp_path, block=6, workers=0)
    assert store.BlockedKernel(tmp_path).missing()[0] == (3, 0)
