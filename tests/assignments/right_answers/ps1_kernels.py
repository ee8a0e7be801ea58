"""Right answers to problem set 1 in other clothes."""

BANK = {
    "paired": {
        "plain Python, a loop over the seeds, a list returned": """
import math
import scipy.stats


def average(values):
    return sum(values) / len(values)


def interval(d, level):
    middle = average(d)
    spread = math.sqrt(sum((one - middle) ** 2 for one in d) / (len(d) - 1))
    half = scipy.stats.t(df=len(d) - 1).isf((1 - level) / 2) * spread / math.sqrt(len(d))
    return [middle, middle - half, middle + half]


def paired_interval(ours, theirs, level):
    d = [ours.loc[seed] - theirs.loc[seed] for seed in ours.index if seed in set(theirs.index)]
    if len(d) <= 1:
        raise ValueError(f"only {len(d)} seeds in both")
    return interval(d, level)
""",
        "pandas aligns, SciPy makes the interval": """
from scipy.stats import ttest_1samp


def paired_interval(ours, theirs, level):
    stats = (ours - theirs).dropna()
    if stats.size < 2:
        raise ValueError("too few")
    both = ttest_1samp(stats, 0).confidence_interval(confidence_level=level)
    return stats.mean(), both.low, both.high
""",
        "an inner join in float32": """
from scipy.stats import t as student


def paired_interval(ours, theirs, level):
    both = pd.concat([ours, theirs], axis=1, join="inner").to_numpy().astype(np.float32)
    if len(both) < 2:
        raise ValueError
    d = both[:, 0] - both[:, 1]
    mean, error = d.mean(), d.std(ddof=1) / np.float32(np.sqrt(len(d)))
    low, high = student.interval(level, len(d) - 1, loc=mean, scale=error)
    return np.array([mean, low, high], dtype=np.float32)
""",
    },
    "loo": {
        "refits, one label left out at a time": '''
def loo_residuals(k, y, g, ridge):
    """By the definition."""
    out = []
    for i in range(len(k)):
        left = [j for j in range(len(k)) if j != i]
        a = np.array([[k[p, q] + ridge * (p == q) for q in left] for p in left])
        alpha = np.linalg.solve(a, (y - g)[left])
        out.append((y[i] - g[i] - k[i, left] @ alpha).tolist())
    return out
''',
        "JAX, with the factor of Cholesky": """
import jax.numpy as jnp
from jax.scipy.linalg import cho_factor, cho_solve


def loo_residuals(k, y, g, ridge):
    factor = cho_factor(jnp.asarray(k) + ridge * jnp.eye(len(k)))
    fit = cho_solve(factor, jnp.asarray(y) - g)
    return fit / jnp.diagonal(cho_solve(factor, jnp.eye(len(k))))[:, None]
""",
        "float32 and einsum": """
def loo_residuals(k, y, g, ridge):
    k, y, g = (np.asarray(one, dtype=np.float32) for one in (k, y, g))
    inverse = np.linalg.inv(k + np.float32(ridge) * np.eye(len(k), dtype=np.float32))
    return np.einsum("ij,jc,i->ic", inverse, y - g, 1 / np.einsum("ii->i", inverse))
""",
        "eigenvectors": """
def loo_residuals(k, y, g, ridge):
    values, vectors = np.linalg.eigh(k)
    inverse = (vectors / (values + ridge)) @ vectors.T
    return (inverse @ (y - g)) / inverse.diagonal().reshape(-1, 1)
""",
    },
    "greedy": {
        "conditioning from scratch; JAX integers in a list": """
import jax.numpy as jnp


def each(s, ridge, picks):
    s = jnp.asarray(s)
    if not picks:
        return jnp.diag(s)
    rows = jnp.stack(picks)
    inner = s[rows][:, rows] + ridge * jnp.eye(len(picks))
    return jnp.diag(s) - jnp.sum(s[:, rows] * jnp.linalg.solve(inner, s[rows]).T, axis=1)


def greedy_variance(s, ridge, count):
    picks = []
    for _ in range(count):
        variance = each(s, ridge, picks)
        for pick in picks:
            variance = variance.at[pick].set(-1.0)
        picks.append(jnp.argmax(variance))
    return picks
""",
        "a tuple of NumPy integers, variances only, in float32": """
def greedy_variance(s, ridge, count):
    left, s = set(range(len(s))), np.array(s, dtype=np.float32)
    chosen = ()
    while len(chosen) < count:
        best = max(sorted(left), key=lambda i: s[i, i])
        chosen += (np.int32(best),)
        left.remove(best)
        s -= s[:, [best]] * s[best] / (s[best, best] + ridge)
    return chosen
""",
        "an integer array": """
def greedy_variance(s, ridge, count):
    m = len(s)
    stats, average = np.zeros(count, dtype=int), np.diagonal(s).astype(float)
    columns = np.zeros((m, 0))
    for n in range(count):
        average[stats[:n]] = -np.inf
        c = average.argmax()
        stats[n] = c
        column = (s[:, c] - columns @ columns[c]) / np.sqrt(s[c, c] - columns[c] @ columns[c] + ridge)
        columns = np.column_stack([columns, column])
        average = np.diagonal(s) - (columns**2).sum(axis=1)
    return stats
""",
    },
    "pays": {
        "the library's fit, columns in another order, lists of integers, float32": """
from scipy.stats import ttest_rel

table, greedy_picks, random_picks = pd.DataFrame(columns=["random", "greedy"], dtype=np.float32), [], []


def fit(rows):
    x, y = x_train[rows], np.eye(10)[digits.y_train[rows]]
    f = ntkal.gradient_flow(kernel(x, x), y, 0 * y, kernel(x_test, x), np.zeros((len(x_test), 10)), ridge=0.1)
    return (np.argmax(f, axis=1) == digits.y_test).mean()


def average(pool):
    s, picks = kernel(x_train[pool], x_train[pool]), []
    for _ in range(BUDGET):
        d = np.where(np.isin(np.arange(200), picks), -1, np.diag(s))
        picks.append(int(d.argmax()))
        s = s - np.outer(s[picks[-1]], s[picks[-1]]) / (s[picks[-1], picks[-1]] + 0.1)
    return picks


def verdict(greedy, random):
    stats = ttest_rel(greedy, random).confidence_interval(0.95)
    if stats.low > 0:
        return "beats"
    return "loses" if stats.high < 0 else "cannot tell"


rng = np.random.default_rng(5)
for left, pool in enumerate(pools):
    greedy_picks.append(average(pool))
    random_picks.append(rng.permutation(200)[:BUDGET].tolist())
    table.loc[left] = [fit(pool[random_picks[-1]]), fit(pool[greedy_picks[-1]])]
table = table.astype(np.float32)
""",
    },
}
