"""Networks that are not ours, with batch norm and dropout: their kernels, and whole runs on them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen, nnx

import ntkal
from ntkal.models import Model

H, C = 16, 2
RUN = {"strategy": "mlmoc", "start": 8, "query": 4, "cycles": 1, "subset": 30}
RUN["train"] = {"steps": 30, "learning_rate": 0.05}


class Linen(linen.Module):
    @linen.compact
    def __call__(self, x, train=False, features=False):
        h = linen.relu(linen.BatchNorm(use_running_average=not train)(linen.Dense(H)(x)))
        h = linen.Dropout(0.2, deterministic=not train)(h)
        return h if features else linen.Dense(C)(h)


def of_linen():
    net = Linen()

    def variables(params):
        return {"params": params["weights"], **params["statistics"]}

    def init(key):
        made = net.init(key, jnp.zeros((1, 2)))
        return {"weights": made["params"], "statistics": {"batch_stats": made["batch_stats"]}}

    def train_apply(params, x):
        noise = {"dropout": jax.random.key(0)}  # the same units at every step, for simplicity
        out, new = net.apply(variables(params), x, train=True, mutable=["batch_stats"], rngs=noise)
        return out, {"weights": params["weights"], "statistics": new}

    return Model(
        "linen",
        init,
        apply=lambda params, x: net.apply(variables(params), x),
        features=lambda params, x: net.apply(variables(params), x, features=True),
        train_apply=train_apply,
    )


class Nnx(nnx.Module):
    def __init__(self, rngs):
        self.first, self.last = nnx.Linear(2, H, rngs=rngs), nnx.Linear(H, C, rngs=rngs)
        self.norm, self.drop = nnx.BatchNorm(H, rngs=rngs), nnx.Dropout(0.2, rngs=rngs)

    def features(self, x):
        return self.drop(nnx.relu(self.norm(self.first(x))))

    def __call__(self, x):
        return self.last(self.features(x))


def of_nnx():
    def split(net):
        return {"weights": nnx.state(net, nnx.Param), "statistics": nnx.state(net, nnx.BatchStat)}

    def use(params, x, how, training=False):
        net = Nnx(nnx.Rngs(0))
        nnx.update(net, params["weights"], params["statistics"])
        net.train() if training else net.eval()
        return how(net, x), split(net)

    return Model(
        "nnx",
        lambda key: split(Nnx(nnx.Rngs(params=key, dropout=key))),
        apply=lambda params, x: use(params, x, Nnx.__call__)[0],
        features=lambda params, x: use(params, x, Nnx.features)[0],
        train_apply=lambda params, x: use(params, x, Nnx.__call__, training=True),
    )


def of_equinox():
    eqx = pytest.importorskip("equinox", reason="Equinox is not installed: pip install equinox")

    class Net(eqx.Module):
        first: eqx.nn.Linear
        norm: eqx.nn.BatchNorm
        drop: eqx.nn.Dropout
        last: eqx.nn.Linear

        def __init__(self, key):
            one, two = jax.random.split(key)
            self.first, self.last = eqx.nn.Linear(2, H, key=one), eqx.nn.Linear(H, C, key=two)
            self.norm = eqx.nn.BatchNorm(H, axis_name="batch", mode="batch", momentum=0.9)
            self.drop = eqx.nn.Dropout(0.2)

        def features(self, x, state, key=None):
            h, state = self.norm(self.first(x), state)
            return self.drop(jax.nn.relu(h), key=key), state

        def __call__(self, x, state, key=None):
            h, state = self.features(x, state, key)
            return self.last(h), state

    _, fixed = eqx.partition(eqx.nn.make_with_state(Net)(jax.random.key(0))[0], eqx.is_inexact_array)

    def use(params, x, how, training=False):
        net = eqx.nn.inference_mode(eqx.combine(params["weights"], fixed), not training)
        key = jax.random.key(0) if training else None
        return jax.vmap(
            lambda x, state: how(net, x, state, key),
            axis_name="batch",
            in_axes=(0, None),
            out_axes=(0, None),
        )(x, params["statistics"])

    def init(key):
        net, state = eqx.nn.make_with_state(Net)(key)
        return {"weights": eqx.filter(net, eqx.is_inexact_array), "statistics": state}

    def train_apply(params, x):
        out, state = use(params, x, Net.__call__, training=True)
        return out, {"weights": params["weights"], "statistics": state}

    return Model(
        "equinox",
        init,
        apply=lambda params, x: use(params, x, Net.__call__)[0],
        features=lambda params, x: use(params, x, Net.features)[0],
        train_apply=train_apply,
    )


def of_functions():
    """Batch norm and dropout by hand, on parameters in plain dictionaries."""

    def normed(h, mean, var):
        return jax.nn.relu((h - mean[None]) / jnp.sqrt(var[None] + 1e-5))

    def init(key):
        one, two = jax.random.split(key)
        weights = {"w": jax.random.normal(one, (2, H)), "v": jax.random.normal(two, (H, C)) / 4}
        return {"weights": weights, "statistics": {"mean": jnp.zeros(H), "var": jnp.ones(H)}}

    def features(params, x):
        return normed(x @ params["weights"]["w"], params["statistics"]["mean"], params["statistics"]["var"])

    def train_apply(params, x):
        h = x @ params["weights"]["w"]
        mean, var = h.mean(axis=0), h.var(axis=0)
        keep = jax.random.bernoulli(jax.random.key(0), 0.8, h.shape) / 0.8
        old = params["statistics"]
        new = {"mean": 0.9 * old["mean"] + 0.1 * mean, "var": 0.9 * old["var"] + 0.1 * var}
        outputs = (normed(h, mean, var) * keep) @ params["weights"]["v"]
        return outputs, {"weights": params["weights"], "statistics": new}

    return Model(
        "functions",
        init,
        apply=lambda params, x: features(params, x) @ params["weights"]["v"],
        features=features,
        train_apply=train_apply,
    )


LIBRARIES = {"linen": of_linen, "nnx": of_nnx, "equinox": of_equinox, "functions": of_functions}


@pytest.fixture
def usual():
    """Broadcasting as a library's own layers do it."""
    with jax.numpy_rank_promotion("allow"):
        yield


def kernel_by_rows(model, params, x):
    """The kernel of the first logit, the weights alone, by plain JAX."""

    def of(weights):
        return model.apply({"weights": weights, "statistics": params["statistics"]}, x)[:, 0]

    rows = [np.reshape(leaf, (len(x), -1)) for leaf in jax.tree.leaves(jax.jacrev(of)(params["weights"]))]
    rows = np.concatenate(rows, axis=1).astype(np.float64)
    return rows @ rows.T


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_kernel_is_that_of_the_weights_with_statistics_held_and_dropout_off(usual, library):
    model, x = LIBRARIES[library](), ntkal.load("moons").x_train[:7]
    params = model.train_apply(model.init(jax.random.key(0)), x)[1]  # statistics that are not 0 and 1
    want = kernel_by_rows(model, params, x)
    blocks = ntkal.kernels.split_ntk(model.apply, params, x[:3], x[3:])
    for block, part in zip(blocks, (want[:3, :3], want[3:, :3], want[3:, 3:]), strict=True):
        np.testing.assert_allclose(block, part, rtol=2e-4, atol=1e-5)
    alone = np.concatenate([model.apply(params, x[i : i + 1]) for i in range(7)])
    np.testing.assert_allclose(model.apply(params, x), alone, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_whole_run_learns_and_goes_on_from_its_folder(usual, tmp_path, library):
    data = ntkal.load("moons")
    table = ntkal.run(RUN, data=data, model=LIBRARIES[library](), out=tmp_path)
    assert table["labels"].tolist() == [8, 12]
    assert table["accuracy"].iloc[-1] > 0.7
    again = ntkal.run(RUN, data=data, model=LIBRARIES[library](), out=tmp_path)
    np.testing.assert_array_equal(again["accuracy"], table["accuracy"])


def test_a_torch_network_gives_its_kernel_by_its_own_jacobians():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Linear(2, H),
        torch.nn.BatchNorm1d(H),
        torch.nn.Dropout(0.2),
        torch.nn.ReLU(),
        torch.nn.Linear(H, C),
    ).double()
    x = torch.tensor(ntkal.load("moons").x_train[:7], dtype=torch.float64)
    net(x)  # moves the statistics
    net.eval()
    params = {name: leaf.detach() for name, leaf in net.named_parameters()}

    def logit(params, x):
        return torch.func.functional_call(net, params, (x[None],))[0].sum() / C**0.5

    def jacobians(x):
        found = torch.func.vmap(torch.func.grad(logit), (None, 0))(params, x)
        return (part.flatten(1).numpy() for part in found.values())

    blocks = ntkal.kernels.from_jacobians(jacobians(x[:3]), jacobians(x[3:]))

    def by_hand(weights):  # the same network in JAX
        mean, var = (np.asarray(getattr(net[1], f"running_{name}"))[None] for name in ("mean", "var"))
        h = (x.numpy() @ weights["0.weight"].T + weights["0.bias"][None] - mean) / np.sqrt(var + net[1].eps)
        h = jax.nn.relu(h * weights["1.weight"][None] + weights["1.bias"][None])
        return (h @ weights["4.weight"].T + weights["4.bias"][None]).sum(axis=1) / C**0.5

    rows = jax.jacrev(by_hand)({name: jnp.asarray(leaf.numpy()) for name, leaf in params.items()})
    rows = np.concatenate([np.reshape(row, (7, -1)) for row in rows.values()], axis=1)
    want = rows @ rows.T
    for block, part in zip(blocks, (want[:3, :3], want[3:, :3], want[3:, 3:]), strict=True):
        np.testing.assert_allclose(block, part, rtol=1e-10)
    f = net(x).detach().numpy()
    post = ntkal.Lookahead.fit(*blocks, f[:3], f[3:], np.eye(C)[[0, 1, 0]], ridge=0.01)
    assert np.isfinite(ntkal.mlmoc_norm(post)).all()
