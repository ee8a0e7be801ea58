# ruff: noqa: E501 (answers are as students write them)
"""Right answers to problem set 4 in other clothes."""

BANK = {
    "far": {
        "distances to one pick at a time, JAX integers": """
import jax.numpy as jnp


def softmax(outputs):
    p = jnp.maximum(jnp.asarray(outputs), 0)
    return p / p.sum(axis=1, keepdims=True)


def far_gradients(outputs, phi, count):
    p, phi = softmax(outputs), jnp.asarray(phi)
    left = p.at[jnp.arange(len(p)), p.argmax(axis=1)].add(-1.0)
    length = (left**2).sum(axis=1) * (phi**2).sum(axis=1)
    picks, nearest = [jnp.argmax(length)], jnp.inf
    while len(picks) < count:
        last = picks[-1]
        away = length + length[last] - 2 * (left @ left[last]) * (phi @ phi[last])
        nearest = jnp.minimum(nearest, away)
        picks.append(jnp.argmax(nearest.at[jnp.stack(picks)].set(-jnp.inf)))
    return picks
""",
        "candidates in a loop, an array returned": """
def far_gradients(outputs, phi, count):
    probabilities = []
    for row in outputs:
        row = np.clip(row, 0, None)
        probabilities.append(row / row.sum())
    r = np.array(probabilities)
    for i, row in enumerate(r):
        row[np.argmax(outputs[i])] -= 1
    size = np.einsum("ic,ic->i", r, r) * np.einsum("id,id->i", phi, phi)
    stats = np.array([size.argmax()])
    distance = np.full(len(r), np.inf)
    for _ in range(count - 1):
        for i in range(len(r)):
            average = size[i] + size[stats[-1]] - 2 * (r[i] @ r[stats[-1]]) * (phi[i] @ phi[stats[-1]])
            distance[i] = -1e9 if i in stats else min(distance[i], np.sqrt(max(average, 0)))
        stats = np.append(stats, distance.argmax())
    return stats
""",
        "float32": """
def far_gradients(outputs, phi, count):
    f, phi = np.asarray(outputs, np.float32), np.asarray(phi, np.float32)
    p = f * (f > 0)
    p /= p.sum(axis=1)[:, None]
    p[range(len(p)), p.argmax(axis=1)] -= 1
    gram = np.einsum("ic,jc,id,jd->ij", p, p, phi, phi, optimize=["einsum_path", (0, 1), (0, 1), (0, 1)])
    d = gram.diagonal()[:, None] + gram.diagonal() - 2 * gram
    picks = [int(gram.diagonal().argmax())]
    while len(picks) < count:
        left = d[:, picks].min(axis=1)
        left[picks] = -1
        picks.append(int(left.argmax()))
    return tuple(picks)
""",
    },
    "mlmoc": {
        "lists, JAX for the lengths": """
import jax.numpy as jnp


def each(fit, labelled, x, label):
    return fit(np.concatenate([labelled.x, x[None]]), np.concatenate([labelled.y, label[None]]))


def mlmoc(fit, labelled, pool):
    now = jnp.asarray(fit(labelled.x, labelled.y)(pool.x))
    scores = []
    for x, left in zip(pool.x, now):
        label = np.zeros(now.shape[1])
        label[int(left.argmax())] = 1.0
        scores.append(jnp.linalg.norm(jnp.asarray(each(fit, labelled, x, label)(pool.x)) - now, axis=1).sum())
    return scores
""",
        "float32, one input at a time": """
def mlmoc(fit, labelled, pool):
    model = fit(labelled.x, labelled.y)
    average = np.vstack([model(one[None]) for one in pool.x])
    scores = np.zeros(len(pool.x), dtype=np.float32)
    for c, label in enumerate(np.eye(average.shape[1])[np.argmax(average, axis=1)]):
        other = fit(np.append(labelled.x, pool.x[[c]], axis=0), np.append(labelled.y, [label], axis=0))
        scores[c] = sum(np.sqrt(np.sum((other(u[None])[0] - f) ** 2)) for u, f in zip(pool.x, average))
    return scores
""",
    },
    "expected": {
        "helpers softmax, left and average; lists": """
import math


def softmax(row):
    total = sum(max(one, 0.0) for one in row)
    return [max(one, 0.0) / total for one in row]


def left(rows):
    return -sum(p * math.log(p) for row in rows for p in softmax(row) if p > 0)


def average(values, weights):
    return sum(value * weight for value, weight in zip(values, weights))


def emoc_and_eer(fit, labelled, pool):
    f = fit(labelled.x, labelled.y)(pool.x)
    emoc, eer = [], []
    for c, row in enumerate(f):
        changes, doubts = [], []
        for k in range(len(row)):
            label = [float(k == j) for j in range(len(row))]
            after = fit(np.vstack([labelled.x, pool.x[c]]), np.vstack([labelled.y, label]))(pool.x)
            changes.append(sum(math.dist(a, b) for a, b in zip(after, f)))
            doubts.append(left(after))
        emoc.append(average(changes, softmax(row)))
        eer.append(-average(doubts, softmax(row)))
    return emoc, eer
""",
        "JAX, all retrainings in one array, a two-row array returned": """
import jax.numpy as jnp
from jax.scipy.special import entr


def emoc_and_eer(fit, labelled, pool):
    now = jnp.asarray(fit(labelled.x, labelled.y)(pool.x))
    labels = np.eye(now.shape[1])
    then = jnp.stack([
        jnp.stack([fit(np.r_[labelled.x, x[None]], np.r_[labelled.y, y[None]])(pool.x) for y in labels]) for x in pool.x
    ])
    clip = lambda f: jnp.maximum(f, 0) / jnp.maximum(f, 0).sum(axis=-1, keepdims=True)
    moved = jnp.linalg.norm(then - now, axis=3).sum(axis=2)
    doubt = entr(clip(then)).sum(axis=(2, 3))
    return jnp.stack([(clip(now) * moved).sum(axis=1), -(clip(now) * doubt).sum(axis=1)])
""",
    },
    "noisy": {
        "dictionaries and loops": """
import math


def entropy(p):
    return -sum(one * math.log(one) for one in (p, 1 - p) if 1e-15 < one < 1)


def noisy_eer(prior, noise):
    m, scores = len(prior) - 1, []
    for c in range(1, m + 1):
        left = 0.0
        for answer in (0, 1):
            joint = {t: float(prior[t]) * (1 - noise if (c > t) == bool(answer) else noise) for t in range(m + 1)}
            total = sum(joint.values())
            if total <= 0:
                continue
            left += total * sum(entropy(min(1.0, sum(joint[t] for t in joint if u > t) / total)) for u in range(1, m + 1))
        scores.append(-left)
    return scores
""",
        "JAX": """
import jax.numpy as jnp
from jax.scipy.special import entr


def noisy_eer(prior, noise):
    prior = jnp.asarray(prior)
    ones = (jnp.arange(1, len(prior))[:, None] > jnp.arange(len(prior))).astype(float)
    scores = 0
    for seen in (ones, 1 - ones):
        weight = prior * ((1 - noise) * seen + noise * (1 - seen))
        total = weight.sum(axis=1, keepdims=True)
        p = jnp.clip((weight / jnp.where(total > 0, total, 1)) @ ones.T, 0, 1)
        scores = scores - total[:, 0] * jnp.where(total[:, 0] > 0, (entr(p) + entr(1 - p)).sum(axis=1), 0)
    return scores
""",
        "float32": """
def noisy_eer(prior, noise):
    prior = np.asarray(prior, np.float32)
    m = len(prior) - 1
    y = (np.arange(1, m + 1)[:, None] > np.arange(m + 1)).astype(np.float32)
    average = np.zeros(m, np.float32)
    for answer in (0, 1):
        channel = np.where(y == answer, np.float32(1 - noise), np.float32(noise))
        joint = np.einsum("t,ct,ut->cu", prior, channel, y)
        total = (channel * prior).sum(axis=1, keepdims=True)
        rest = np.maximum(total - joint, 0)
        average += (special.entr(joint) + special.entr(rest) - special.entr(total)).sum(axis=1)
    return -average
""",
    },
    "rules": {
        "functions of the registry, positions in lists, least squares": """
def share(rows):
    x = x_train[rows]
    f = np.linalg.lstsq(kernel(x, x) + 0.1 * np.eye(len(x)), y_train[rows], rcond=None)[0]
    f = np.einsum("tn,nc->tc", kernel(x_test, x), f)
    return float((np.argmax(f, axis=1) == y_test).mean())


def softmax(post):
    return ntkal.acquisition.probabilities(post.mean)


left = {
    "margin": lambda post: ntkal.acquisition.margin(softmax(post)),
    "mlmoc": ntkal.acquisition.mlmoc_norm,
    "eer": lambda post: ntkal.acquisition.eer(post, softmax(post), link="clip"),
}
rng = np.random.default_rng(11)
picks, curves = {"random": [rng.permutation(60)[:BUDGET].tolist() for _ in range(6)]}, {}
for rule, average in left.items():
    picks[rule] = []
    for r in range(6):
        post, chosen = look(r), []
        while len(chosen) < BUDGET:
            order = np.argsort(-np.asarray(average(post)), kind="stable")
            chosen.append(next(int(c) for c in order if c not in chosen))
            post = post.reveal(chosen[-1], y_train[pools[r]][chosen[-1]])
        picks[rule].append(chosen)
for rule in picks:
    curves[rule] = [
        [share([*starts[r], *pools[r][picks[rule][r][:n]]]) for n in range(BUDGET + 1)] for r in range(6)
    ]


def verdict(ours, theirs):
    from scipy.stats import ttest_rel

    stats = ttest_rel(np.mean(ours, axis=1), np.mean(theirs, axis=1)).confidence_interval(0.95)
    return "beats" if stats.low > 0 else "loses" if stats.high < 0 else "cannot tell"


verdicts = {rule: verdict(curves[rule], curves["random"]) for rule in left}
""",
    },
}
