import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jax.flatten_util import ravel_pytree

from ntkal import empirical_ntk
from ntkal.kernels import empirical, from_jacobians, split_ntk
from ntkal.kernels.gradients import gradients


def network(params, x):
    hidden = jnp.tanh(x.reshape(len(x), -1) @ params["in"] + params["bias"][None])
    return hidden @ params["out"]


def make(rng, inputs=3, hidden=5, classes=4, dtype=np.float64):
    return {
        "in": rng.normal(size=(inputs, hidden)).astype(dtype),
        "bias": rng.normal(size=hidden).astype(dtype),
        "out": rng.normal(size=(hidden, classes)).astype(dtype),
        "steps": np.int32(7),
    }


def explicit(params, x):
    """The Jacobian of every output, (n, C, p), from one jacfwd over a flat vector of parameters."""
    floats = {k: v for k, v in params.items() if k != "steps"}
    flat, back = ravel_pytree(floats)
    return np.asarray(jax.jacfwd(lambda v: network(back(v) | {"steps": 7}, x))(flat))


def all_logits(params, x1, x2):
    return np.einsum("icp,jdp->ijcd", explicit(params, x1), explicit(params, x2))


@pytest.mark.parametrize("logit", [0, 2, "first", "mean", "sum"])
def test_one_number_per_pair_is_the_product_of_explicit_jacobians(rng, logit):
    params, x1, x2 = make(rng), rng.normal(size=(6, 3)), rng.normal(size=(4, 3))
    weights = {"first": np.eye(4)[0], "mean": np.full(4, 0.25), "sum": np.full(4, 0.5)}.get(logit)
    weights = np.eye(4)[logit] if weights is None else weights
    want = np.einsum("ijcd,c,d->ij", all_logits(params, x1, x2), weights, weights)
    np.testing.assert_allclose(empirical_ntk(network, params, x1, x2, logit=logit), want, rtol=1e-12)


def test_all_logits_is_the_full_kernel(rng):
    params, x1, x2 = make(rng), rng.normal(size=(6, 3)), rng.normal(size=(4, 3))
    np.testing.assert_allclose(
        empirical_ntk(network, params, x1, x2, logit="all"),
        all_logits(params, x1, x2),
        rtol=1e-12,
        atol=1e-12,
    )


@given(
    n=st.sampled_from([1, 4, 9]),
    batch=st.sampled_from([1, 4, 10]),
    memory=st.sampled_from([250, 700, 2000, 2**31]),
    logit=st.sampled_from([1, "sum", "all"]),
    symmetric=st.booleans(),
)
def test_blocks_change_memory_but_not_the_kernel(n, batch, memory, logit, symmetric):
    rng = np.random.default_rng(n)
    params, x = make(rng, classes=2), rng.normal(size=(n, 3))
    other = None if symmetric else rng.normal(size=(3, 3))
    memory = memory * (2 if logit == "all" else 1)
    whole = empirical_ntk(network, params, x, other, logit=logit)
    blocked = empirical_ntk(network, params, x, other, logit=logit, batch_size=batch, memory=memory)
    np.testing.assert_allclose(blocked, whole, rtol=1e-12, atol=1e-12)


def test_without_x2_the_kernel_is_exactly_symmetric_and_positive_semi_definite(rng):
    params, x = make(rng, dtype=np.float32), rng.normal(size=(50, 3)).astype(np.float32)
    for memory in (2**31, 3000):
        kernel = np.asarray(empirical_ntk(network, params, x, memory=memory))
        assert kernel.dtype == np.float32
        np.testing.assert_array_equal(kernel, kernel.T)
        assert np.linalg.eigvalsh(kernel.astype(float))[0] > -1e-6 * kernel.max()


@pytest.mark.parametrize("memory", [2**31, 2000])
def test_each_input_is_differentiated_once_for_each_parameter(rng, monkeypatch, memory):
    seen = []

    def counted(network, logit, group, *rest):
        take = gradients(network, logit, group, *rest)
        return lambda x: seen.append((len(x), group)) or take(x)

    monkeypatch.setattr(empirical, "gradients", counted)
    params, x = make(rng), rng.normal(size=(12, 3))
    empirical_ntk(network, params, x, batch_size=4, memory=memory)
    for leaf in (0, 1, 2):
        assert sum(rows for rows, group in seen if leaf in group) == 12
    assert len({group for _, group in seen}) == (1 if memory == 2**31 else 2)


def test_images_and_non_contiguous_inputs(rng):
    params = make(rng, inputs=12)
    images = rng.normal(size=(5, 3, 2, 4)).transpose(0, 2, 1, 3)[:, :, ::-1, ::2]
    want = empirical_ntk(network, params, np.ascontiguousarray(images))
    np.testing.assert_array_equal(empirical_ntk(network, params, images), want)


def test_split_gives_the_three_blocks_of_one_kernel(rng):
    params, x_l, x_p = make(rng), rng.normal(size=(4, 3)), rng.normal(size=(7, 3))
    k_ll, k_pl, k_pp = split_ntk(network, params, x_l, x_p, logit="sum")
    np.testing.assert_allclose(k_ll, empirical_ntk(network, params, x_l, logit="sum"), rtol=1e-12)
    np.testing.assert_allclose(k_pl, empirical_ntk(network, params, x_p, x_l, logit="sum"), rtol=1e-12)
    np.testing.assert_allclose(k_pp, empirical_ntk(network, params, x_p, logit="sum"), rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"logit": 4}, "logit: expected a whole number between 0 and 3, got 4"),
        ({"logit": "last"}, "logit: unknown 'last'; choose one of all, first, mean, sum"),
        ({"x1": np.ones((0, 3))}, "x1: expected inputs of shape"),
        ({"x1": np.ones(3)}, "x1: expected inputs of shape"),
        ({"x1": np.ones((2, 3), dtype=int)}, "x1: expected floating-point inputs, got int64"),
        ({"x1": np.full((2, 3), np.nan)}, "x1: some entries are NaN or infinite"),
        (
            {"apply_fn": lambda p, x: network(p, x)[:, 0]},
            r"apply_fn: expected floating-point outputs \(n, C\)",
        ),
        (
            {"params": {"steps": 3}, "apply_fn": lambda p, x: x},
            "params: expected at least one floating-point leaf",
        ),
        ({"memory": 10}, "memory: 10 bytes cannot hold"),
        ({"batch_size": 0}, "batch_size: expected a whole number at least 1"),
    ],
)
def test_bad_input_is_named(as_user, rng, change, message):
    arguments = {"apply_fn": network, "params": make(rng), "x1": np.ones((2, 3))} | change
    options = {k: arguments.pop(k) for k in ("logit", "memory", "batch_size") if k in arguments}
    with pytest.raises(ValueError, match=message):
        empirical_ntk(**arguments, **options)


def test_split_refuses_what_has_no_blocks(as_user, rng):
    with pytest.raises(ValueError, match="logit: 'all'"):
        split_ntk(network, make(rng), np.ones((2, 3)), np.ones((2, 3)), logit="all")
    with pytest.raises(ValueError, match="x_p: expected inputs of shape"):
        split_ntk(network, make(rng), np.ones((2, 3)), np.ones((2, 4)))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_jacobians_made_elsewhere_give_the_same_blocks_whole_or_one_after_the_other(rng, dtype):
    params, x = make(rng, dtype=dtype), rng.normal(size=(11, 3)).astype(dtype)
    want = split_ntk(network, params, x[:4], x[4:])
    jacobian = explicit(params, x)[:, 0].astype(dtype)
    cuts = np.split(jacobian, [3, 20], axis=1)
    rtol = 1e-12 if dtype == np.float64 else 1e-5
    for j_l, j_p in (
        (jacobian[:4], jnp.asarray(jacobian[4:])),
        ([cut[:4] for cut in cuts], (cut[4:] for cut in cuts)),
    ):
        for have, block in zip(from_jacobians(j_l, j_p), want, strict=True):
            assert have.dtype == dtype
            np.testing.assert_allclose(have, block, rtol=rtol, atol=rtol * float(np.max(block)))
            if have.shape[0] == have.shape[1]:
                np.testing.assert_array_equal(have, have.T)


@pytest.mark.parametrize(
    ("j_l", "j_p", "message"),
    [
        (np.ones((2, 3, 4)), np.ones((2, 4)), r"j_l: expected derivatives of one logit .* got \(2, 3, 4\)"),
        (np.ones((2, 4)), np.ones((2, 3)), "j_p: block 0 of shape .2, 3. fits not"),
        ([np.ones((2, 4))] * 2, [np.ones((3, 4))], "j_p: expected derivatives .* got fewer blocks"),
        ([np.ones((2, 4)), np.ones((1, 4))], [np.ones((3, 4))] * 2, "j_p: block 1 of shape"),
        ([], [], "j_l: expected at least one block"),
        (np.ones((2, 4), int), np.ones((2, 4)), "j_l: expected floating-point"),
        (np.ones((2, 4)), np.full((2, 4), np.nan), "j_p: some entries are NaN"),
    ],
)
def test_jacobians_that_do_not_fit_are_named(as_user, j_l, j_p, message):
    with pytest.raises(ValueError, match=message):
        from_jacobians(j_l, j_p)
