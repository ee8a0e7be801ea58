"""Draw book/_static/lookahead.png, the figure of the README: about a minute on two cores."""

from pathlib import Path

import jax
import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import spearmanr

import ntkal
from ntkal import models, plots, train

TARGET = Path(__file__).resolve().parents[1] / "_static" / "lookahead.png"
CANDIDATES = 60


def size(change: np.ndarray, c: int) -> float:
    """The summed change at all pool inputs but the candidate, where both sides just fit the label."""
    return float(np.linalg.norm(np.delete(change, c, axis=0), axis=1).sum())


def sizes() -> tuple[np.ndarray, np.ndarray]:
    """The summed change of the pool's outputs for some candidates, in closed form and by real retraining."""
    digits = ntkal.load("digits")
    order = np.random.default_rng(0).permutation(len(digits.x_train))
    labelled, pool = order[:50], order[50:450]
    x_l, x_p = digits.x_train[labelled], digits.x_train[pool]
    y_l = np.eye(10)[digits.y_train[labelled]]
    model = models.mlp((8, 8, 1), 10, width=128, dtype="float64")
    first = train.TrainConfig(steps=1500, learning_rate=0.05)
    params, _ = train.fit(model, model.init(jax.random.key(0)), x_l, y_l, first, jax.random.key(1))
    f_l, f_p = train.predict(model, params, x_l), train.predict(model, params, x_p)
    blocks = ntkal.kernels.split_ntk(model.apply, params, x_l, x_p)
    post = ntkal.Lookahead.fit(*blocks, f_l, f_p, y_l)
    scores, likely = np.asarray(ntkal.mlmoc_norm(post)), np.asarray(ntkal.acquisition.most_likely(post))
    chosen = np.argsort(scores)[np.linspace(0, len(scores) - 1, CANDIDATES).astype(int)]
    again = train.TrainConfig(steps=400, learning_rate=0.02, schedule="constant")
    predicted, real = [], []
    for c in chosen:
        x_plus, y_plus = np.concatenate([x_l, x_p[c : c + 1]]), np.vstack([y_l, likely[c]])
        new, _ = train.fit(model, params, x_plus, y_plus, again, jax.random.key(2))
        real.append(size(train.predict(model, new, x_p) - f_p, c))
        predicted.append(size(np.asarray(post.after(c, likely[c]) - post.mean), c))
    return np.array(predicted), np.array(real)


def main() -> None:
    """Draw the figure."""
    predicted, real = sizes()
    plots.use_style()
    fig, ax = plt.subplots(figsize=(6.4, 4.2))
    rank = spearmanr(predicted, real)[0]
    both = np.concatenate([predicted, real])
    ends = 0.8 * both.min(), 1.25 * both.max()
    ax.plot(ends, ends, color="0.3", linestyle="--", linewidth=1, label="equal")
    ax.loglog(predicted, real, "o", alpha=0.8, label="one candidate digit")
    ticks = [t for t in (1, 2, 5, 10, 20, 50, 100) if ends[0] < t < ends[1]]
    ax.set_xticks(ticks, ticks)
    ax.set_yticks(ticks, ticks)
    ax.minorticks_off()
    ax.set(xlim=ends, ylim=ends, xlabel="predicted in closed form, for all candidates at once")
    ax.set_ylabel("measured by retraining the network")
    ax.set_title(f"The change that one more label makes: rank correlation {rank:.2f}")
    ax.legend()
    fig.savefig(TARGET, dpi=140, metadata={"Software": None})
    print(f"wrote {TARGET}")


if __name__ == "__main__":
    main()
