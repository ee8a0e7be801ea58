"""Right answers to problem set 6 in other clothes: they keep full marks."""

BANK = {
    "flips": {
        "lists and loops": """
def flips(mean, cov, ridge, c):
    def each(row):
        return max(range(len(row)), key=lambda k: row[k])

    best, count = each(mean[c]), 0
    for u in range(len(mean)):
        w = cov[u][c] / (cov[c][c] + ridge)
        count += each(mean[u]) != each([v + w * ((k == best) - mean[c][k]) for k, v in enumerate(mean[u])])
    return count
""",
        "JAX in float32": """
import jax
import jax.numpy as jnp

def flips(mean, cov, ridge, c):
    m, s = jnp.asarray(mean, jnp.float32), jnp.asarray(cov, jnp.float32)
    d = jax.nn.one_hot(m[c].argmax(), m.shape[1]) - m[c]
    return ((m + s[:, [c]] * d[None] / (s[c, c] + ridge)).argmax(1) != m.argmax(1)).sum()
""",
    },
    "pressure": {
        "loops": """
def pressure(mean, cov, ridge):
    out = [[0.0] * len(mean) for _ in mean]
    for u in range(len(mean)):
        top = int(np.argmax(mean[u]))
        for c in range(len(mean)):
            d = [-v for v in mean[c]]
            d[int(np.argmax(mean[c]))] += 1
            for k in range(len(d)):
                if k != top:
                    left = cov[u, c] / (cov[c, c] + ridge) * (d[k] - d[top]) / (mean[u, top] - mean[u, k])
                    out[u][c] = max(out[u][c], left)
    return out
""",
        "JAX, all at once, in float32": """
import jax
import jax.numpy as jnp

def pressure(mean, cov, ridge):
    m, s = jnp.asarray(mean, jnp.float32), jnp.asarray(cov, jnp.float32)
    top = jax.nn.one_hot(m.argmax(1), m.shape[1])
    d, lead = top - m, (m * top).sum(1, keepdims=True) - m
    relative = d[None] - jnp.einsum("ck,uk->uc", d, top)[..., None]
    weight = s / (jnp.diag(s) + ridge)[None]
    ratio = weight[..., None] * relative / jnp.where(top == 1, jnp.inf, lead)[:, None]
    return jnp.maximum(ratio.max(-1), 0)
""",
    },
    "query": {
        "with the library's reveals": """
import jax.numpy as jnp

def query(mean, cov, ridge, count, labels=None):
    post, left = ntkal.Lookahead(jnp.asarray(mean), jnp.asarray(cov), ridge=ridge), list(range(len(mean)))
    out = []
    for _ in range(count):
        m, s = np.asarray(post.mean), np.asarray(post.cov)
        guess = np.eye(m.shape[1])[m.argmax(1)]
        scores = [np.linalg.norm(guess[c] - m[c]) * np.abs(s[c]).sum() / (s[c, c] + ridge) for c in left]
        c = left.pop(int(np.argmax(scores)))
        out.append(c)
        post = post.reveal(c, guess[c] if labels is None else labels[c])
    return np.array(out)
""",
        "JAX indices": """
import jax.numpy as jnp

def query(mean, cov, ridge, count, labels=None):
    m, s, asked = jnp.asarray(mean), jnp.asarray(cov), []
    for _ in range(count):
        likely = jnp.eye(m.shape[1])[m.argmax(1)]
        fit = jnp.sqrt(((likely - m) ** 2).sum(1)) * jnp.abs(s).sum(0) / (jnp.diag(s) + ridge)
        c = jnp.where(jnp.isin(jnp.arange(len(m)), jnp.array(asked, int)), -jnp.inf, fit).argmax()
        asked.append(c)
        average = s[:, c] / (s[c, c] + ridge)
        m = m + jnp.outer(average, (likely if labels is None else jnp.asarray(labels))[c] - m[c])
        s = s - jnp.outer(average, s[c])
    return asked
""",
    },
    "gains": {
        "one reveal after another": """
def gains(cov, ridge, picks):
    left = np.array(cov)
    for c in picks:
        left = left - np.outer(left[:, c], left[c]) / (left[c, c] + ridge)
    return [np.log1p(left[c, c] / ridge) / 2 for c in range(len(left))]
""",
        "JAX in float32": """
import jax.numpy as jnp

def gains(cov, ridge, picks):
    s, at = jnp.asarray(cov, jnp.float32), jnp.asarray(picks, dtype=int)
    inverse = jnp.linalg.inv(s[at][:, at] + ridge * jnp.eye(len(picks), dtype=jnp.float32))
    left = jnp.diag(s) - jnp.einsum("up,pq,uq->u", s[:, at], inverse, s[:, at])
    return 0.5 * jnp.log(1 + left / ridge)
""",
        "by determinants, complex": """
def gains(cov, ridge, picks):
    def interval(at):
        return np.linalg.slogdet(np.eye(len(at)) + cov[np.ix_(at, at)] / ridge)[1] / 2

    return np.array([interval(list(picks) + [c]) - interval(list(picks)) for c in range(len(cov))]) + 0j
""",
    },
    "compare": {
        "by hand, columns in another order": """
from scipy import stats as st

def left(post, truth, heard):
    m, s, out = np.array(post.mean), np.array(post.cov), []
    for _ in range(BUDGET):
        likely = np.eye(10)[m.argmax(1)]
        score = np.linalg.norm(likely - m, axis=1) * np.abs(s).sum(0) / (np.diag(s) + 0.05)
        if heard is None:
            return list(np.argsort(-score)[:BUDGET])
        score[out] = -1
        c = int(score.argmax())
        out.append(c)
        gain = s[:, c] / (s[c, c] + 0.05)
        m, s = m + np.outer(gain, (truth if heard else likely)[c] - m[c]), s - np.outer(gain, s[c])
    return out

picks, told, right = {}, {}, {}
for name, heard in (("answers", True), ("guesses", False), ("batch", None)):
    picks[name], told[name], right[name] = [], [], []
    for start, pool, post in zip(starts, pools, posts):
        at = left(post, np.eye(10)[y_train[pool]], heard)
        picks[name].append(at)
        s = np.array(post.cov)[np.ix_(at, at)]
        told[name].append(np.log(np.linalg.det(np.eye(BUDGET) + s / 0.05)) / 2)
        rows = list(start) + [pool[c] for c in at]
        x = x_train[rows]
        each = np.linalg.solve(relu_ntk(x, x) + 0.05 * np.eye(len(rows)), np.eye(10)[y_train[rows]])
        right[name].append(float(np.mean(np.argmax(relu_ntk(x_test, x) @ each, axis=1) == y_test)))
information, accuracy = pd.DataFrame(told), pd.DataFrame(right)

def interval(d):
    ci = st.ttest_1samp(d, 0).confidence_interval(0.95)
    return "beats" if ci.low > 0 else "loses" if ci.high < 0 else "cannot tell"

verdicts = {
    name: (interval(t["guesses"] - t["batch"]), interval(t["answers"] - t["guesses"]))
    for name, t in (("accuracy", accuracy), ("information", information))
}
""",
    },
}
