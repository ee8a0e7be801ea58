# ruff: noqa: E501 (answers are as students write them)
"""Right answers to problem set 3 in other clothes."""

BANK = {
    "momentum": {
        "a velocity, in lists of rows": """
def momentum_descent(k_train, k_test, f_train, f_test, y, rate, momentum, steps):
    n, m = len(f_train), len(f_test)
    both = [list(map(float, row)) for row in np.vstack([f_train, f_test])]
    speed = [[0.0] * y.shape[1] for _ in both]
    kernel = np.vstack([k_train, k_test])
    for _ in range(steps):
        left = [[both[j][c] - y[j][c] for c in range(y.shape[1])] for j in range(n)]
        for i in range(n + m):
            for c in range(y.shape[1]):
                slope = sum(kernel[i, j] * left[j][c] for j in range(n))
                speed[i][c] = momentum * speed[i][c] - rate * slope
        both = [[a + b for a, b in zip(*rows)] for rows in zip(both, speed)]
    return both[n:]
""",
        "JAX and a scan": """
import jax


def momentum_descent(k_train, k_test, f_train, f_test, y, rate, momentum, steps):
    kernel, n = jnp.vstack([k_train, k_test]), len(y)

    def fit(state, _):
        f, old = state
        return (f - rate * kernel @ (f[:n] - y) + momentum * (f - old), f), None

    first = jnp.vstack([f_train, f_test])
    return jax.lax.scan(fit, (first, first), None, length=steps)[0][0][n:]
""",
        "eigenvectors and powers of a two by two matrix": '''
def momentum_descent(k_train, k_test, f_train, f_test, y, rate, momentum, steps):
    """The sum of residuals drives the outputs anywhere else."""
    f = old = f_train.astype(np.float32).astype(float)
    pushed = np.zeros_like(f_train)
    before = np.zeros_like(f_train)
    for step in range(steps):
        pushed, before = pushed - rate * (f - y) + momentum * (pushed - before), pushed
        f, old = f_train + k_train @ pushed, f
    return f_test + k_test @ pushed
''',
    },
    "conv": {
        "gradients formed, a loop over positions": """
def each(x, w, b, v):
    n, (filters, size) = len(x), w.shape
    positions = x.shape[1] - size + 1
    of_w, of_b, of_v = np.zeros((n, filters, size)), np.zeros((n, filters)), np.zeros((n, filters))
    for s in range(positions):
        patch = x[:, s : s + size]
        z = patch @ w.T + b
        back = v * (z > 0) / np.sqrt(filters) / positions
        of_w += back[:, :, None] * patch[:, None]
        of_b += back
        of_v += np.maximum(z, 0) / positions / np.sqrt(filters)
    return np.hstack([of_w.reshape(n, -1), of_b, of_v])


def conv_ntk(x1, x2, w, b, v):
    return each(x1, w, b, v) @ each(x2, w, b, v).T
""",
        "JAX, pairs in loops, lists": """
def conv_ntk(x1, x2, w, b, v):
    size = w.shape[1]
    patches = [jnp.stack([x[:, s : s + size] for s in range(x.shape[1] - size + 1)], axis=1) for x in (x1, x2)]

    def entry(h, g):
        on, off = (one @ w.T + b for one in (h, g))
        left = jnp.maximum(on, 0).mean(0) @ jnp.maximum(off, 0).mean(0)
        cross = ((on > 0) * v) @ ((off > 0) * v).T
        return float((left + jnp.mean((h @ g.T + 1) * cross)) / len(v))

    return [[entry(h, g) for g in patches[1]] for h in patches[0]]
""",
        "float32": """
def conv_ntk(x1, x2, w, b, v):
    w, b, v = (np.asarray(one, np.float32) for one in (w, b, v))
    h, g = (np.lib.stride_tricks.sliding_window_view(np.asarray(x, np.float32), w.shape[1], axis=1) for x in (x1, x2))
    zh, zg = h @ w.T + b, g @ w.T + b
    top = np.maximum(zh, 0).mean(axis=1) @ np.maximum(zg, 0).mean(axis=1).T
    same = np.einsum("isk,jtk->isjt", h, g) + np.float32(1)
    back = np.einsum("isa,a,jta->isjt", zh > 0, v * v, zg > 0)
    return (top + np.einsum("isjt,isjt->ij", same, back) / np.float32(h.shape[1] * g.shape[1])) / np.float32(len(v))
""",
    },
    "top": {
        "JAX's random numbers, an array without axes": """
import jax


def top_eigenvalue(product, size, iterations, seed):
    left = jax.random.normal(jax.random.key(seed), (size,))
    average = None
    for _ in range(iterations):
        image = jnp.asarray(product(np.asarray(left)))
        average = jnp.vdot(left, image) / jnp.vdot(left, left)
        left = image / jnp.linalg.norm(image)
    return average
""",
        "uniform numbers, one product kept for the end": """
def top_eigenvalue(product, size, iterations, seed):
    rng = np.random.RandomState(seed)
    v = rng.uniform(-1, 1, size).astype(np.float32)
    for _ in range(iterations - 1):
        v = product(v)
        v = v / np.sqrt(np.sum(v**2))
    return (v @ product(v)) / (v @ v)
""",
    },
    "alignment": {
        "the matrix H and a trace": """
def alignment(k, y):
    n = len(k)
    h = np.eye(n) - np.ones((n, n)) / n
    left = h @ k @ h
    right = h @ np.asarray(y) @ np.asarray(y).T @ h
    return np.trace(left.T @ right) / np.sqrt(np.trace(left.T @ left) * np.trace(right.T @ right))
""",
        "JAX, in float32 at the end": """
def alignment(k, y):
    y = jnp.asarray(y) - jnp.mean(jnp.asarray(y), axis=0)
    k = jnp.asarray(k) - jnp.mean(k, axis=1, keepdims=True)
    k = k - jnp.mean(k, axis=0)
    return jnp.float32(jnp.einsum("ij,ic,jc", k, y, y) / jnp.sqrt(jnp.sum(k * k) * jnp.sum((y @ y.T) ** 2)))
""",
        "loops": """
def average(values):
    return sum(values) / len(values)


def centred(a):
    rows = [average(row) for row in a]
    whole = average(rows)
    columns = [average([row[j] for row in a]) for j in range(len(a))]
    return [[a[i][j] - rows[i] - columns[j] + whole for j in range(len(a))] for i in range(len(a))]


def alignment(k, y):
    n = len(k)
    k = centred(k)
    labels = centred([[float(np.dot(y[i], y[j])) for j in range(n)] for i in range(n)])
    dot = lambda a, b: sum(a[i][j] * b[i][j] for i in range(n) for j in range(n))
    return dot(k, labels) / (dot(k, k) * dot(labels, labels)) ** 0.5
""",
    },
    "learns": {
        "columns in another order, the library's fit, float32 in the table": """
def kernel_accuracy(k):
    size = sum(k[i, i] for i in range(60)) / 60
    zero = np.zeros((60, 10)), np.zeros((100, 10))
    f = ntkal.gradient_flow(k[:60, :60], y[:60], zero[0], k[60:, :60], zero[1], ridge=RIDGE * size)
    return np.mean(np.argmax(f, axis=1) == np.argmax(y[60:], axis=1))


table = pd.DataFrame({
    "accuracy_trained": [kernel_accuracy(k) for k in kernels_trained],
    "new_start": [alignment(k[60:, 60:], y[60:]) for k in kernels_start],
    "seen_start": [alignment(k[:60, :60], y[:60]) for k in kernels_start],
    "new_trained": [alignment(k[60:, 60:], y[60:]) for k in kernels_trained],
    "accuracy_start": [kernel_accuracy(k) for k in kernels_start],
    "seen_trained": [alignment(k[:60, :60], y[:60]) for k in kernels_trained],
}, index=["a", "b", "c", "d"], dtype=np.float32)
""",
    },
}
