import os
import subprocess
import sys
import textwrap

import jax
import numpy as np
import pytest
from networks import make as network

from ntkal import empirical_ntk
from ntkal.scaling.sharded import sharded_ntk


@pytest.fixture(scope="module")
def case():
    model = network("mlp")
    rng = np.random.default_rng(0)
    return (
        model.apply,
        model.init(jax.random.key(0)),
        rng.normal(size=(9, 3, 2)),
        rng.normal(size=(5, 3, 2)),
    )


@pytest.mark.parametrize("logit", ["first", "sum"])
def test_on_one_device_it_is_the_kernel(case, logit):
    apply, params, x1, x2 = case
    for other in (None, x2):
        have = sharded_ntk(apply, params, x1, other, logit=logit)
        np.testing.assert_allclose(have, empirical_ntk(apply, params, x1, other, logit=logit), rtol=1e-12)


def test_a_network_that_reads_something_else_has_another_kernel():
    scale = {"by": 1.0}
    network, x = lambda w, x: scale["by"] * (x @ w), np.eye(2)
    assert sharded_ntk(network, np.ones((2, 1)), x).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    scale["by"] = 2.0
    assert sharded_ntk(network, np.ones((2, 1)), x).tolist() == [[4.0, 0.0], [0.0, 4.0]]


FOUR = """
    import jax, numpy as np
    from ntkal import empirical_ntk, models
    from ntkal.scaling import sharded

    sharded._BATCH, sharded_ntk = 3, sharded.sharded_ntk
    assert len(jax.devices()) == 4
    rng = np.random.default_rng(0)
    for dtype, tolerance in (("float64", 1e-12), ("float32", 2e-6)):
        model = models.get("cnn", input_shape=(8, 7, 2), classes=3, width=5, dtype=dtype)
        params = model.init(jax.random.key(0))
        x1, x2 = (rng.uniform(size=(n, 8, 7, 2)).astype(dtype) for n in (14, 5))
        one = np.asarray(empirical_ntk(model.apply, params, x1))
        four = sharded_ntk(model.apply, params, x1)
        assert four.dtype == one.dtype
        np.testing.assert_allclose(four, one, atol=tolerance * one.max())
        one = np.asarray(empirical_ntk(model.apply, params, x1[:12], x2))
        four = sharded_ntk(model.apply, params, x1[:12], x2)
        np.testing.assert_allclose(four, one, atol=tolerance * one.max())
        assert len(four.sharding.device_set) == 4
        assert {shard.data.shape for shard in four.addressable_shards} == {(3, 5)}
    two = sharded_ntk(model.apply, params, x1[:2], x2, devices=jax.devices()[1:3], memory=20_000)
    np.testing.assert_allclose(two, one[:2], atol=tolerance * one.max())
    assert two.sharding.device_set == set(jax.devices()[1:3])
    print("same")
"""


def test_four_devices_give_the_numbers_of_one():
    """In a process of its own, because the number of devices is fixed when JAX starts."""
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=4"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FOUR)],
        env=os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.stdout == "same\n", done.stderr


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"devices": []}, r"devices: expected different devices, at least one, got \[\]"),
        ({"devices": 2 * jax.devices()[:1]}, "devices: expected different devices"),
        ({"logit": "all"}, "logit: 'all' is not shared out"),
        ({"logit": 3}, "logit: expected a whole number between 0 and 2, got 3"),
        ({"memory": 100}, "memory: 100 bytes cannot hold 27 gradients of"),
        ({"x1": np.full((2, 3, 2), np.inf)}, "x1: some entries are NaN or infinite; remove or repair"),
        ({"x2": np.ones((0, 3, 2))}, "x2: expected inputs of shape"),
        ({"x2": np.ones((2, 2, 3))}, r"x2: expected inputs of shape \(3, 2\) like x1"),
        ({"devices": ["cpu:0"]}, "devices: expected different devices"),
        ({"memory": True}, "memory: expected a whole number"),
    ],
)
def test_bad_input_is_named(as_user, case, change, message):
    given = {"apply_fn": case[0], "params": case[1], "x1": case[2]} | change
    with pytest.raises(ValueError, match=message):
        sharded_ntk(**given)
