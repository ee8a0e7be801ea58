# ruff: noqa: E501 (answers are as students write them)
"""Right answers to problem set 2 in other clothes."""

BANK = {
    "leaky": {
        "pairs of inputs in loops, lists returned": """
import math


def left(k, a, b, slope):
    cosine = max(-1.0, min(1.0, k / math.sqrt(a * b)))
    angle = math.acos(cosine)
    each = math.sqrt(a * b) / (2 * math.pi) * (math.sin(angle) + (math.pi - angle) * math.cos(angle))
    return slope * k + (1 - slope) ** 2 * each, slope + (1 - slope) ** 2 * (math.pi - angle) / (2 * math.pi)


def leaky_kernels(x1, x2, depth, slope, sw2, sb2):
    nngp, ntk = [], []
    for u in x1:
        rows = [], []
        for v in x2:
            k, a, b = (sb2 + sw2 * float(np.dot(p, q)) / len(u) for p, q in ((u, v), (u, u), (v, v)))
            theta = k
            for _ in range(depth):
                value, factor = left(k, a, b, slope)
                k, a, b = sb2 + sw2 * value, sb2 + sw2 * left(a, a, a, slope)[0], sb2 + sw2 * left(b, b, b, slope)[0]
                theta = k + sw2 * factor * theta
            rows[0].append(k)
            rows[1].append(theta)
        nngp.append(rows[0])
        ntk.append(rows[1])
    return nngp, ntk
""",
        "JAX, four quadrants of a ReLU": """
import jax.numpy as jnp


def leaky_kernels(x1, x2, depth, slope, sw2, sb2):
    x1, x2 = jnp.asarray(x1), jnp.asarray(x2)
    n, d = len(x1), x1.shape[1]
    both = jnp.concatenate([x1, x2])
    k = sb2 + sw2 / d * both @ both.T
    theta = k
    for _ in range(depth):
        size = jnp.sqrt(jnp.outer(jnp.diag(k), jnp.diag(k)))
        rho = jnp.clip(k / size, -1, 1)
        angle = jnp.arccos(rho)
        same = size * (jnp.sin(angle) + (jnp.pi - angle) * rho) / (2 * jnp.pi)
        other = size * (jnp.sin(jnp.pi - angle) - angle * rho) / (2 * jnp.pi)
        equal = (jnp.pi - angle) / (2 * jnp.pi)
        moved = (1 + slope**2) * equal + 2 * slope * (0.5 - equal)
        k = sb2 + sw2 * ((1 + slope**2) * same - 2 * slope * other)
        theta = k + sw2 * moved * theta
    return k[:n, n:], theta[:n, n:]
""",
        "float32": """
def leaky_kernels(x1, x2, depth, slope, sw2, sb2):
    x1, x2 = x1.astype(np.float32), x2.astype(np.float32)
    k = np.float32(sb2) + np.float32(sw2 / x1.shape[1]) * np.einsum("ia,ja->ij", x1, x2)
    a, b = (np.float32(sb2) + np.float32(sw2) * np.square(x).mean(axis=1) for x in (x1, x2))
    theta = k.copy()
    for _ in range(depth):
        norm = np.sqrt(np.multiply.outer(a, b))
        c = np.minimum(np.maximum(k / norm, np.float32(-1)), np.float32(1))
        t = np.arccos(c)
        keep = np.float32(slope) + np.float32((1 - slope) ** 2 / (2 * np.pi)) * (np.float32(np.pi) - t)
        arc = norm * (np.sqrt(1 - c * c) + (np.float32(np.pi) - t) * c) * np.float32(1 / (2 * np.pi))
        k = np.float32(sb2) + np.float32(sw2) * (np.float32(slope) * k + np.float32((1 - slope) ** 2) * arc)
        a, b = (np.float32(sb2) + np.float32(sw2 * (1 + slope**2) / 2) * one for one in (a, b))
        theta = k + np.float32(sw2) * keep * theta
    return k, theta
""",
    },
    "tangent": {
        "gradients written out and multiplied": """
def each(x, w, b, a, sw2, sb2):
    n, width, d = len(x), len(a), w.shape[1]
    z = np.sqrt(sw2 / d) * x @ w.T + np.sqrt(sb2) * b
    back = np.sqrt(sw2 / width) * a * (z > 0)
    parts = [
        (back[:, :, None] * x[:, None, :] * np.sqrt(sw2 / d)).reshape(n, -1),
        back * np.sqrt(sb2),
        np.sqrt(sw2 / width) * np.maximum(z, 0),
        np.full((n, 1), np.sqrt(sb2)),
    ]
    return np.hstack(parts)


def tangent_kernel(x1, x2, w, b, a, sw2, sb2):
    return each(x1, w, b, a, sw2, sb2) @ each(x2, w, b, a, sw2, sb2).T
""",
        "a loop over the units, in JAX": """
import jax.numpy as jnp


def tangent_kernel(x1, x2, w, b, a, sw2, sb2):
    width, d = w.shape
    average = jnp.full((len(x1), len(x2)), float(sb2))
    inner = sw2 / d * jnp.asarray(x1) @ x2.T + sb2
    for unit in range(width):
        z1 = jnp.sqrt(sw2 / d) * x1 @ w[unit] + jnp.sqrt(sb2) * b[unit]
        z2 = jnp.sqrt(sw2 / d) * x2 @ w[unit] + jnp.sqrt(sb2) * b[unit]
        average += sw2 / width * jnp.outer(jnp.maximum(z1, 0), jnp.maximum(z2, 0))
        average += sw2 / width * a[unit] ** 2 * jnp.outer(z1 > 0, z2 > 0) * inner
    return average
""",
        "float32 and einsum": """
def tangent_kernel(x1, x2, w, b, a, sw2, sb2):
    x1, x2, w, b, a = (np.asarray(one, np.float32) for one in (x1, x2, w, b, a))
    z = [np.einsum("ia,ua->iu", x, w) * np.float32(np.sqrt(sw2 / w.shape[1])) + np.float32(np.sqrt(sb2)) * b for x in (x1, x2)]
    on = [(one > 0).astype(np.float32) for one in z]
    up = np.einsum("iu,ju->ij", z[0] * on[0], z[1] * on[1])
    down = np.einsum("iu,u,u,ju->ij", on[0], a, a, on[1])
    return np.float32(sw2 / len(a)) * (up + down * (np.float32(sw2 / w.shape[1]) * x1 @ x2.T + np.float32(sb2))) + np.float32(sb2)
""",
    },
    "path": {
        "JAX, all times at once, the small ones by a series": """
import jax.numpy as jnp


def flow_path(theta_ll, theta_tl, y, times):
    values, vectors = jnp.linalg.eigh(jnp.asarray(theta_ll))
    times = jnp.asarray(times)[:, None]
    decay = times * values
    small = jnp.abs(decay) < 1e-9
    left = times * jnp.where(small, 1 - decay / 2, -jnp.expm1(-decay) / jnp.where(small, 1, decay))
    return jnp.einsum("mn,nk,tk,jk,jc->tmc", theta_tl, vectors, left, vectors, y)
""",
        "loops over times and modes, lists": """
def flow_path(theta_ll, theta_tl, y, times):
    from scipy.linalg import eigh

    values, vectors = eigh(theta_ll)
    path = []
    for t in times:
        learned = np.zeros_like(np.asarray(y, dtype=float))
        for value, vector in zip(values, vectors.T):
            factor = t if abs(value) <= 1e-13 * abs(values).max() else (1 - np.exp(-value * t)) / value
            learned += factor * np.outer(vector, vector @ y)
        path.append((theta_tl @ learned).tolist())
    return path
""",
        "float32": """
def flow_path(theta_ll, theta_tl, y, times):
    values, vectors = np.linalg.eigh(np.asarray(theta_ll, np.float32))
    scale = np.abs(values).max()
    values = np.where(np.abs(values) < 3e-7 * scale, np.float32(1e-9) * scale, values)
    coefficients = vectors.T @ np.asarray(y, np.float32)
    front = np.asarray(theta_tl, np.float32) @ vectors
    return np.stack([front @ ((-np.expm1(-values * np.float32(t)) / values)[:, None] * coefficients) for t in times])
""",
    },
    "stopping": {
        "one eigendecomposition, lists, the last of equal times": """
values, vectors = np.linalg.eigh(theta_ll)


def softmax(labels, t):
    return (theta_tl @ vectors) @ ((-np.expm1(-values * t) / values)[:, None] * (vectors.T @ labels))


accuracy_right, accuracy_wrong = [], []
for t in times:
    accuracy_right.append(float((softmax(y_right, t).argmax(1) == test_labels).mean()))
    accuracy_wrong.append(float((softmax(y_wrong, t).argmax(1) == test_labels).mean()))
best_time = float(times[len(times) - 1 - np.argmax(accuracy_wrong[::-1])])
""",
        "float32 in JAX": """
import jax.numpy as jnp

values, vectors = jnp.linalg.eigh(jnp.asarray(theta_ll))
learned = -jnp.expm1(-values * times[:, None]) / values
front = (theta_tl @ vectors).astype(jnp.float32)
accuracy_right, accuracy_wrong = (
    jnp.mean(jnp.einsum("mk,tk,kc->tmc", front, learned, vectors.T @ y).argmax(axis=2) == test_labels, axis=1, dtype=jnp.float32)
    for y in (y_right, y_wrong)
)
best_time = times[accuracy_wrong.argmax()]
""",
    },
}
