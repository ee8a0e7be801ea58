"""Right answers to problem set 5 in other clothes: they keep full marks."""

BANK = {
    "left": {
        "lists and loops": """
def left(cov, ridge):
    m = len(cov)
    return [[cov[u][u] - cov[u][c] ** 2 / (cov[c][c] + ridge) for c in range(m)] for u in range(m)]
""",
        "JAX in float32": """
import jax.numpy as jnp

def left(cov, ridge):
    s = jnp.asarray(cov, dtype=jnp.float32)
    return jnp.diag(s)[:, None] - s**2 / (jnp.diag(s) + jnp.float32(ridge))[None]
""",
        "einsum": """
def left(cov, ridge):
    fall = np.einsum("uc,uc,c->uc", cov, cov, 1 / (np.diagonal(cov) + ridge))
    return np.diagonal(cov)[:, np.newaxis] - fall
""",
    },
    "forget": {
        "a reveal with the ridge below zero": """
def fit(mean, cov, ridge, c, y):
    gain = cov[:, [c]] / (cov[c, c] + ridge)
    return mean + gain @ (y - mean[c])[None], cov - gain @ cov[[c]]

def forget(mean, cov, ridge, c, y):
    if not cov[c, c] < ridge:
        raise ValueError("never revealed")
    return fit(mean, cov, -ridge, c, y)
""",
        "JAX in float32": """
import jax.numpy as jnp

def forget(mean, cov, ridge, c, y):
    m, s, y = (jnp.asarray(v, jnp.float32) for v in (mean, cov, y))
    if s[c, c] >= ridge:
        raise ValueError
    return m - jnp.outer(s[:, c], y - m[c]) / (ridge - s[c, c]), s + jnp.outer(s[c], s[c]) / (ridge - s[c, c])
""",
        "complex and lists": """
def forget(mean, cov, ridge, c, y):
    left = complex(ridge - cov[c][c])
    if left.real <= 0:
        raise ValueError
    m, classes = range(len(cov)), range(len(y))
    new = [[mean[u][k] - cov[u][c] * (y[k] - mean[c][k]) / left for k in classes] for u in m]
    return new, [[cov[u][v] + cov[u][c] * cov[c][v] / left for v in m] for u in m]
""",
    },
    "absorb": {
        "one reading after another": """
def absorb(mean, cov, picks, labels, noises):
    for c, y, noise in zip(picks, labels, noises):
        gain = cov[:, c] / (cov[c, c] + noise)
        mean, cov = mean + np.outer(gain, y - mean[c]), cov - np.outer(gain, cov[c])
    return mean, cov
""",
        "JAX, by the inverse, in float32": """
import jax.numpy as jnp

def absorb(mean, cov, picks, labels, noises):
    m, s, y, v = (jnp.asarray(one, jnp.float32) for one in (mean, cov, labels, noises))
    at = jnp.asarray(picks)
    average = s[:, at] @ jnp.linalg.inv(s[at][:, at] + jnp.diag(v))
    return [m + average @ (y - m[at]), s - average @ s[at]]
""",
        "readings of a candidate joined first": """
def absorb(mean, cov, picks, labels, noises):
    whole = {}
    for c, y, v in zip(np.asarray(picks).tolist(), labels, noises):
        total, part = whole.get(c, (0.0, 0.0))
        whole[c] = total + 1 / v, part + y / v
    at = list(whole)
    targets = np.array([part / total for total, part in whole.values()])
    k = cov[np.ix_(at, at)] + np.diag([1 / total for total, _ in whole.values()])
    gain = cov[:, at] @ np.linalg.inv(k)
    return mean + gain @ (targets - mean[at]), cov - gain @ cov[at]
""",
    },
    "in-turn": {
        "values on the inputs, coefficients in the end": """
def in_turn(k, y, g, groups, rounds):
    f = np.array(g)
    for j in range(rounds):
        at = list(groups[j % len(groups)])
        f = f + k[:, at] @ np.linalg.inv(k[at][:, at]) @ (y[at] - f[at])
    return np.linalg.solve(k, f - g)
""",
        "JAX, complex": """
import jax.numpy as jnp

def in_turn(k, y, g, groups, rounds):
    alpha = jnp.zeros(y.shape, dtype=complex)
    for j in range(rounds):
        at = jnp.asarray(groups[j % len(groups)])
        each = jnp.linalg.solve(k[at][:, at], (y - g - k @ alpha)[at])
        alpha = alpha.at[at].add(each)
    return alpha
""",
        "float32": """
def in_turn(k, y, g, groups, rounds):
    k, y, g = (np.float32(v) for v in (k, y, g))
    coefficients, j = np.zeros_like(y), 0
    while j < rounds:
        a = groups[j % len(groups)]
        left = (y - g - k @ coefficients)[a]
        coefficients[a] = coefficients[a] + np.linalg.lstsq(k[a][:, a], left, rcond=None)[0]
        j += 1
    return coefficients.tolist()
""",
    },
    "shrinkage": {
        "a symmetric matrix": """
def shrinkage(k, a, b):
    root = np.linalg.inv(np.linalg.cholesky(k[np.ix_(a, a)]))
    across = root @ k[np.ix_(a, b)]
    return np.linalg.eigvalsh(across @ np.linalg.inv(k[np.ix_(b, b)]) @ across.T)[-1]
""",
        "the cosine, squared": """
import jax.numpy as jnp

def shrinkage(k, a, b):
    la, lb = (jnp.linalg.cholesky(k[jnp.ix_(i, i)]) for i in (a, b))
    left = jnp.linalg.solve(la, k[jnp.ix_(a, b)])
    return jnp.linalg.norm(jnp.linalg.solve(lb, left.T), 2) ** 2
""",
        "complex, in single precision": """
def shrinkage(k, a, b):
    k = k.astype(np.complex64)
    turn = k[np.ix_(a, b)] @ np.linalg.inv(k[np.ix_(b, b)]) @ k[np.ix_(b, a)] @ np.linalg.inv(k[np.ix_(a, a)])
    return np.linalg.eigvals(turn).real.max() + 0j
""",
    },
    "forgetting": {
        "values on all digits, in lists": """
def accuracy(f):
    return sum(int(np.argmax(row)) == label for row, label in zip(f, test_labels)) / len(test_labels)

def fit(f, group):
    both = np.vstack([k_ll, k_tl])[:, group]
    return f + both @ (np.linalg.inv(k_ll[np.ix_(group, group)]) @ (y_labelled[group] - f[group]))

def average(halves):
    f, out = np.zeros((400, 10)), []
    for j in range(20):
        f = fit(f, halves[j % 2])
        out.append(accuracy(f[100:]))
    return out

curve_class, curve_luck = average(by_class), average(by_luck)
joint = accuracy(fit(np.zeros((400, 10)), np.arange(100))[100:])
once = fit(np.zeros((400, 10)), by_class[0])
rehearsal = [accuracy(fit(once, np.concatenate([by_class[0][:r], by_class[1]]))[100:]) for r in kept]
""",
        "JAX in float32": """
import jax.numpy as jnp

stats = jnp.asarray(k_ll, jnp.float32), jnp.asarray(k_tl, jnp.float32), jnp.asarray(y_labelled, jnp.float32)

def interval(alpha, at):
    return alpha.at[at].add(jnp.linalg.solve(stats[0][at][:, at], (stats[2] - stats[0] @ alpha)[at]))

def left(alpha):
    return jnp.mean((stats[1] @ alpha).argmax(1) == test_labels)

nothing = jnp.zeros((100, 10), jnp.float32)
curves = []
for halves in (by_class, by_luck):
    alpha, row = nothing, []
    for j in range(20):
        alpha = interval(alpha, halves[j % 2])
        row.append(left(alpha))
    curves.append(jnp.stack(row))
curve_class, curve_luck = curves
joint = left(interval(nothing, jnp.arange(100)))
start = interval(nothing, by_class[0])
rehearsal = jnp.stack([left(interval(start, np.append(by_class[1], by_class[0][:r]))) for r in kept])
""",
    },
}
