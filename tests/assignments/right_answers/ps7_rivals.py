"""Right answers to problem set 7 in other clothes: they keep full marks."""

BANK = {
    "faster": {
        "a product and its root": """
def times_faster(slow, fast):
    product = 1.0
    for a, b in zip(slow, fast):
        product *= a / b
    return product ** (1 / len(slow))
""",
        "JAX in float32": """
import jax.numpy as jnp

def times_faster(slow, fast):
    a, b = jnp.asarray(slow, jnp.float32), jnp.asarray(fast, jnp.float32)
    return jnp.exp(jnp.log(a).mean() - jnp.log(b).mean())
""",
        "SciPy's": """
def times_faster(slow, fast):
    return stats.gmean(np.divide(slow, fast))
""",
    },
    "shortlist": {
        "counted up": """
def largest_shortlist(n, m, C, E, g, p, factor):
    ours = 3 * g * (n + m) + 2 * p * (n + m) ** 2 + n**3 / 3 + n * n * m + 2 * n * m * m + 4 * m * m * C
    k = 0
    while k < m and ours + (k + 1) * (3 * g * E * (n + 1) + g * m) <= factor * ours:
        k += 1
    return k
""",
        "NumPy's numbers": """
def largest_shortlist(n, m, C, E, g, p, factor):
    n, m, C, E, g, p = map(np.float64, (n, m, C, E, g, p))
    ours = 3 * g * (n + m) + 2 * p * np.square(n + m) + n**3 / 3 + n**2 * m + 2 * n * m**2 + 4 * m**2 * C
    return np.minimum(m, np.floor((factor - 1) * ours / (3 * g * E * (n + 1) + g * m)))
""",
    },
    "paid": {
        "the roots of a polynomial, complex": """
def paid_ratio(slow, fast, level):
    x, y = map(np.array, (slow, fast))
    average = stats.t.ppf((1 + level) / 2, len(x) - 1) ** 2 / len(x)
    each = np.cov(x, y)
    a = np.mean(y) ** 2 - average * each[1, 1]
    if a < 0:
        raise ValueError("no bounded interval")
    b, d = np.mean(x) * np.mean(y) - average * each[0, 1], np.mean(x) ** 2 - average * each[0, 0]
    ends = np.sort(np.roots([a, -2 * b, d]).real)
    return [np.mean(x) / np.mean(y) + 0j, *ends]
""",
        "JAX": """
import jax.numpy as jnp

def paid_ratio(slow, fast, level):
    x, y = jnp.asarray(slow), jnp.asarray(fast)
    q = float(stats.t.isf((1 - level) / 2, x.size - 1)) / x.size**0.5

    def left(u, v):
        return u.mean() * v.mean() - q**2 * ((u - u.mean()) * (v - v.mean())).sum() / (u.size - 1)

    if left(y, y) <= 0:
        raise ValueError
    root = jnp.sqrt(left(x, y) ** 2 - left(x, x) * left(y, y))
    a, b = left(y, y), left(x, y)
    return jnp.array([x.mean() / y.mean(), (b - root) / a, (b + root) / a])
""",
    },
    "ratios": {
        "rows and columns in another order": """
def accuracy(name):
    rows = runs[(runs["series"] == name) & (runs["cycle"] > 0)]
    return np.array([
        (rows[rows["seed"] == s]["seconds_query"] + rows[rows["seed"] == s]["seconds_kernel"]).mean()
        for s in sorted(rows["seed"].unique())
    ])

def interval(v):
    half = stats.t.ppf(0.975, len(v) - 1) * stats.sem(v)
    return v.mean(), v.mean() - half, v.mean() + half

out = {}
for name in ("ntk_refit", "ntk", "ntk_block"):
    x, y = accuracy("retrain"), accuracy(name)
    g = np.exp(interval(np.log(x / y)))
    try:
        _, low, high = paid_ratio(x, y, 0.95)
    except ValueError:
        low = high = float("nan")
    out[name] = {"paid": x.sum() / y.sum(), "paid_low": low, "paid_high": high, "geometric": g[0],
                 "geometric_high": g[2], "geometric_low": g[1]}
ratios = pd.DataFrame(out).T
""",
    },
    "alone": {
        "step by step": """
def flips_alone(f, kernel, rate, steps):
    out = []
    for c in range(len(f)):
        g, y = np.array(f), np.zeros(f.shape[1])
        y[f[c].argmax()] = 1
        for _ in range(steps):
            g = g + rate * np.outer(kernel[:, c], y - g[c])
        out.append(int((g.argmax(1) != f.argmax(1)).sum()))
    return out
""",
        "JAX, all at once": """
import jax
import jax.numpy as jnp

def flips_alone(f, kernel, rate, steps):
    f, k = jnp.asarray(f), jnp.asarray(kernel)
    softmax = jax.nn.one_hot(f.argmax(1), f.shape[1]) - f
    fit = rate * sum((1 - rate * jnp.diag(k)) ** j for j in range(steps))
    after = f[:, None] + (k * fit[None])[..., None] * softmax[None]
    return (after.argmax(-1) != f.argmax(-1)[:, None]).sum(0)
""",
    },
    "gains": {
        "loops and SciPy's test, in lists": """
def compare_gains(table, pairs, level):
    at = table[table.cycle > 0].pivot_table(index="seed", columns="series", values="accuracy", aggfunc="mean")
    out = []
    ways = list(pairs)
    for i in range(len(ways)):
        for j in range(i + 1, len(ways)):
            each = (at[ways[i]] - at[pairs[ways[i]]]) - (at[ways[j]] - at[pairs[ways[j]]])
            interval = stats.ttest_1samp(each, 0).confidence_interval(level)
            out.append([each.mean(), interval.low, interval.high])
    return out
""",
        "float32": """
def compare_gains(table, pairs, level):
    left = {}
    for way, own in pairs.items():
        rows = table[table["cycle"] > 0].set_index(["series", "seed", "cycle"])["accuracy"].sort_index()
        left[way] = (rows[way] - rows[own]).groupby("seed").mean().to_numpy()
    def average(d):
        half = stats.t.ppf((1 + level) / 2, len(d) - 1) * np.std(d, ddof=1) / len(d) ** 0.5
        return d.mean(), d.mean() - half, d.mean() + half
    rows = [average(left[a] - left[b]) for a, b in itertools.combinations(left, 2)]
    return np.array(rows, dtype=np.float32)
""",
    },
    "naive": {
        "JAX, all candidates side by side": """
import jax
import jax.numpy as jnp

def fit(w, each):
    x, y = each
    return w - rate * x.T @ (x @ w - y) / 8, None

def naive_scores(draw, shared):
    guess = np.eye(10)[(phi_p @ w_start).argmax(1)]
    after = []
    for c in range(40):
        x, y = np.concatenate([phi_l, phi_p[[c]]]), np.concatenate([y_l, guess[[c]]])
        b = batches(draw) if shared else batches(draw, c)
        w, _ = jax.lax.scan(fit, jnp.asarray(w_start), (x[b], y[b]))
        after.append(phi_p @ w)
    after = jnp.stack(after)
    return jnp.sqrt(((after - after.mean(0)[None]) ** 2).sum(2)).sum(1)

left = {}
for word, shared in (("own", False), ("shared", True)):
    a, b = naive_scores(1, shared), naive_scores(2, shared)
    rank = lambda u, v: stats.spearmanr(np.asarray(u), np.asarray(v)).statistic
    left[word] = {"with exact": (rank(a, exact) + rank(b, exact)) / 2, "with itself": rank(a, b)}
table = pd.DataFrame.from_dict(left, orient="index")
""",
    },
}
