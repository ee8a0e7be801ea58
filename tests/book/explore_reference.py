"""What the scripts of the explorable figures compute, computed by ntkal: the tests compare the two."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import ntkal
from ntkal import acquisition

FOLDER = Path(__file__).resolve().parents[2] / "book" / "_static" / "explore"
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
    from ntkal.kernels.neural_tangents import stax

    dense = {"W_std": np.sqrt(2), "b_std": np.sqrt(2)}
    kernel = stax.serial(stax.Dense(1, **dense), stax.Relu(), stax.Dense(1, **dense))[2]
    return np.asarray(kernel(jnp.asarray(x1), jnp.asarray(x2), "ntk"))


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
