"""Draw the pictures of the explorable figures: what the scripts show at the start, computed by ntkal.

The functions here are also what tests/book/test_explore.py compares the scripts with. About half a minute.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import ntkal
from ntkal import acquisition, plots

FOLDER = Path(__file__).resolve().parents[1] / "_static" / "explore"
POOL = {"pool": 150, "test": 400, "start": 2, "noise": 0.15, "ridge": 0.1}
RATE = 0.05


def constant(script: str, name: str) -> np.ndarray:
    """A list of numbers that a script declares: the one place where it stands."""
    text = (FOLDER / f"{script}.js").read_text()
    found = re.search(rf"const {name} = (\[.*?\]);", text, re.DOTALL)
    return np.array(json.loads(re.sub(r",\s*\]", "]", found[1])))


def uniform(seed: int) -> Callable[[], float]:
    """The scripts' stream of numbers in [0, 1), mulberry32."""
    state, mask = seed, 0xFFFFFFFF

    def draw() -> float:
        nonlocal state
        state = (state + 0x6D2B79F5) & mask
        z = (state ^ (state >> 15)) * (1 | state) & mask
        z = ((z + ((z ^ (z >> 7)) * (61 | z) & mask)) & mask) ^ z
        return (z ^ (z >> 14)) / 2**32

    return draw


def normal(draw: Callable[[], float]) -> Callable[[], float]:
    """The scripts' stream of standard normal numbers."""
    return lambda: float(np.sqrt(-2 * np.log(1 - draw())) * np.cos(2 * np.pi * draw()))


def ntk(x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
    """The NTK of one infinitely wide hidden layer of ReLU units, weight and bias variance 2."""
    from ntkal.neural_tangents import stax

    dense = {"W_std": np.sqrt(2), "b_std": np.sqrt(2)}
    kernel = stax.serial(stax.Dense(1, **dense), stax.Relu(), stax.Dense(1, **dense))[2]
    return np.asarray(kernel(jnp.asarray(x1), jnp.asarray(x2), "ntk"))


def lookahead(x_l: np.ndarray, y_l: np.ndarray, x_p: np.ndarray, ridge: float) -> ntkal.Lookahead:
    """The look-ahead of an infinitely wide network that puts out zero before training."""
    zero_l, zero_p = np.zeros_like(y_l), np.zeros((len(x_p), y_l.shape[1]))
    return ntkal.Lookahead.fit(ntk(x_l, x_l), ntk(x_p, x_l), ntk(x_p, x_p), zero_l, zero_p, y_l, ridge=ridge)


def removed(post: ntkal.Lookahead) -> np.ndarray:
    """The variance that a label for each candidate takes from the pool, by revealing it (whatever it is)."""
    total = float(np.trace(post.cov))
    return np.array([total - float(np.trace(post.reveal(c, np.zeros(1)).cov)) for c in range(len(post.mean))])


def initialise(width: int, seed: int) -> dict[str, jax.Array]:
    """The weights from which the script's network of that width starts."""
    draw = normal(uniform(1000 * seed + width))
    a, u, v = (np.array([draw() for _ in range(width)]) for _ in range(3))
    return {"W": jnp.stack([u, v], axis=1), "a": jnp.asarray(a)[:, None]}


def network(params: dict[str, jax.Array], x: jax.Array) -> jax.Array:
    """Chapter 5's network with one hidden layer."""
    return jnp.tanh(x @ params["W"].T) @ params["a"] / jnp.sqrt(len(params["a"]))


def train(params: dict[str, jax.Array], x: np.ndarray, y: np.ndarray, steps: int) -> tuple:
    """Weights after gradient descent on the first len(y); outputs of network and tangent after each step."""
    n, k0 = len(y), jnp.asarray(ntkal.empirical_ntk(network, params, x, x[: len(y)]))

    @jax.jit
    def step(state, _):
        params, tangent = state
        f, pull = jax.vjp(lambda p: network(p, x[:n]), params)
        params = jax.tree.map(lambda p, g: p - RATE * g, params, pull(f - y)[0])
        tangent = tangent - RATE * k0 @ (tangent[:n] - y)
        return (params, tangent), (network(params, x)[:, 0], tangent[:, 0])

    start = network(params, x)
    (params, _), outputs = jax.lax.scan(step, (params, start), None, length=steps)
    return params, *(np.concatenate([np.asarray(start).T, part]) for part in outputs)


def moons(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The script's half moons: inputs and labels, 0 for the upper one."""
    draw = uniform(seed)
    noise = normal(draw)
    inputs, labels = [], []
    for _ in range(count):
        label, angle = int(draw() >= 0.5), np.pi * draw()
        x, y = (1 - np.cos(angle), 0.5 - np.sin(angle)) if label else (np.cos(angle), np.sin(angle))
        inputs.append([x + POOL["noise"] * noise(), y + POOL["noise"] * noise()])
        labels.append(label)
    return np.array(inputs), np.array(labels)


def race(seed: int, rule: str, questions: int) -> tuple[np.ndarray, np.ndarray, list[int], list[float]]:
    """Labelled inputs and labels, picks, and accuracies of a rule that asks one question after another."""
    x, label = moons(seed, POOL["pool"] + POOL["test"])
    kernel, targets = ntk(x, x[: POOL["pool"]]), np.eye(2)[label]
    rows, test = np.arange(POOL["pool"]), slice(POOL["pool"], None)
    first = np.sort(np.concatenate([rows[label[rows] == k][: POOL["start"]] for k in (0, 1)]))
    rest = np.setdiff1d(rows, first)
    blocks = kernel[np.ix_(first, first)], kernel[np.ix_(rest, first)], kernel[np.ix_(rest, rest)]
    zeros = np.zeros((len(first), 2)), np.zeros((len(rest), 2))
    post = ntkal.Lookahead.fit(*blocks, *zeros, targets[first], ridge=POOL["ridge"])
    draw = uniform(seed + 500000)
    labelled, picks, accuracies = list(first), [], []
    while True:
        gram = kernel[np.ix_(labelled, labelled)] + POOL["ridge"] * np.eye(len(labelled))
        outputs = kernel[test][:, labelled] @ np.linalg.solve(gram, targets[labelled])
        accuracies.append(float(np.mean(np.argmax(outputs, axis=1) == label[test])))
        if len(picks) == questions:
            return x[labelled], label[labelled], picks, accuracies
        if rule == "random":
            scores = np.array([draw() for _ in rest])
        elif rule == "margin":
            scores = np.array(acquisition.margin(acquisition.probabilities(post.mean)))
        else:
            scores = np.array(ntkal.mlmoc(post))
        scores[picks] = -np.inf
        picks.append(int(np.argmax(scores)))
        labelled.append(rest[picks[-1]])
        post = post.reveal(picks[-1], targets[labelled[-1]])


def draw_regression() -> plt.Figure:
    """The fit, its band, and what the two rules would ask."""
    points, places = constant("regression", "START"), (np.arange(121)[:, None] - 60) / 20
    post = lookahead(points[:, :1], points[:, 1:], places, ridge=0.02)
    mean, variance = np.asarray(post.mean)[:, 0], np.diag(post.cov)
    u, deviation, gain = places[:, 0], np.sqrt(variance), removed(post)
    size = {"figsize": (6.4, 5.2), "height_ratios": [2, 1], "layout": "constrained"}
    fig, (top, bottom) = plt.subplots(2, 1, sharex=True, **size)
    top.fill_between(u, mean - deviation, mean + deviation, color="C0", alpha=0.2, linewidth=0)
    top.plot(u, mean, "-", color="C0")
    top.plot(*points.T, "o", color="0.15")
    top.set(ylabel="value", ylim=(-2.5, 2.5))
    rules = (
        ("look-ahead: variance removed", gain, "C0", "-", "^"),
        ("variance rule", variance, "C1", "--", "D"),
    )
    for name, score, colour, dash, shape in rules:
        bottom.plot(u, score / score.max(), dash, color=colour, label=name)
        bottom.plot(u[score.argmax()], 1, shape, color=colour, markersize=9, clip_on=False)
    bottom.set(xlabel="input", ylabel="score / largest", xlim=(-3, 3), ylim=(0, 1.15))
    bottom.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize="small")
    return fig


def draw_linearised() -> plt.Figure:
    """Network and tangent of width 16 after 300 steps, and their distance over the steps."""
    points, places = constant("linearised", "POINTS"), np.linspace(-3, 3, 61)
    inputs = np.concatenate([points[:, 0], places])
    x, y = np.stack([1.5 * inputs, np.ones_like(inputs)], axis=1), points[:, 1:]
    _, f, tangent = train(initialise(16, seed=1), x, y, 300)
    gaps = np.abs(f - tangent).max(axis=1)[1:]
    fig, (top, bottom) = plt.subplots(2, 1, figsize=(6.4, 5.2), height_ratios=[3, 2], layout="constrained")
    top.plot(places, f[0, 20:], ":", color="0.45", label="both at the start")
    top.plot(places, tangent[-1, 20:], "--", color="C1", label="tangent")
    top.plot(places, f[-1, 20:], "-", color="C0", label="network")
    top.plot(*points.T, "o", color="0.15", markersize=4)
    top.set(xlabel="input", ylabel="output", ylim=(-2.5, 2.5))
    top.legend(ncols=3, loc="upper center", fontsize="small")
    bottom.loglog(np.arange(1, 301), gaps, "-s", color="C0", markevery=[-1])
    bottom.set(xlabel="steps of gradient descent", ylabel="largest distance", xlim=(1, 1000))
    return fig


def draw_pool() -> plt.Figure:
    """Three rules after ten questions on the first pool."""
    x, _ = moons(1, POOL["pool"])
    across, down = np.meshgrid(np.linspace(-1.6, 2.6, 120), np.linspace(-1.1, 1.6, 80))
    places = np.stack([across.ravel(), down.ravel()], axis=1)
    fig, axes = plt.subplots(1, 3, figsize=(9, 2.7), layout="constrained")
    for ax, (rule, title) in zip(
        axes, {"random": "Random", "margin": "Margin", "mlmoc": "MLMOC"}.items(), strict=True
    ):
        x_l, label, _, accuracies = race(1, rule, 10)
        alpha = np.linalg.solve(ntk(x_l, x_l) + POOL["ridge"] * np.eye(len(x_l)), 2.0 * label - 1)
        lead = (ntk(places, x_l) @ alpha).reshape(across.shape)
        ax.contourf(across, down, lead, levels=[0, np.inf], colors=["C0"], alpha=0.2)
        ax.plot(*x.T, ".", color="0.45", markersize=3)
        for k, shape in ((0, "o"), (1, "D")):
            ax.plot(*x_l[label == k].T, shape, color="0.1", markeredgecolor="white", markersize=7)
        ax.plot(*x_l[-1], "o", color="C1", fillstyle="none", markersize=14, markeredgewidth=2)
        ax.set(title=f"{title}: {100 * accuracies[-1]:.1f}%", xticks=[], yticks=[])
    return fig


def main() -> None:
    """Draw the three pictures."""
    plots.use_style()
    for name, drawn in (
        ("regression", draw_regression),
        ("linearised", draw_linearised),
        ("pool", draw_pool),
    ):
        drawn().savefig(FOLDER / f"{name}.png", dpi=110, metadata={"Software": None})
        print(f"wrote {name}.png")


if __name__ == "__main__":
    main()
