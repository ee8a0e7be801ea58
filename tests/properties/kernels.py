"""Linear models with exact features, from the harmless to the degenerate."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from exact import Matrix, floats, gram
from hypothesis import strategies as st

from ntkal.inputs import SingularKernelError

# One shape, so that everything is compiled once.
N, M, C = 4, 5, 3
TENTH = Fraction(1, 10)


@dataclass(frozen=True)
class Case:
    """Exact features of labelled and pool points; outputs, labels and ridge that float64 holds exactly."""

    x: Matrix
    pool: Matrix
    f_l: np.ndarray
    f_p: np.ndarray
    y: np.ndarray
    ridge: float
    dtype: type

    @property
    def blocks(self):
        pairs = ((self.x, self.x), (self.pool, self.x), (self.pool, self.pool))
        return tuple(floats(gram(a, b), self.dtype) for a, b in pairs)

    @property
    def rounding(self):
        """The largest error of an entry of the kernel."""
        return float(np.finfo(self.dtype).eps) * max(float(np.abs(block).max()) for block in self.blocks)


def attempt(function, *given, **options):
    """What a function returns and None, or None and why it says that a kernel cannot be inverted."""
    try:
        return function(*given, **options), None
    except SingularKernelError as error:
        return None, str(error)


@st.composite
def cases(draw, ridges=(0.0, 1e-6, 0.01, 1.0), dtypes=(np.float64, np.float32)):
    seed = draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    p = draw(st.sampled_from([2, N, N + 1, 12]))
    features = rng.integers(-4, 5, (N + M, p))
    match draw(st.sampled_from(["plain", "copies", "pool in the span", "zeros", "constant", "spread"])):
        case "copies":
            features[1], features[N + 2], features[N + 3] = features[0], features[N + 1], features[0]
        case "pool in the span":
            features[N:] = rng.integers(-9, 10, (M, N)) @ features[:N]
        case "zeros":
            features[N], features[:, 0] = 0, 0
        case "constant":
            features[:] = features[0]
    exact = [[Fraction(int(value)) * TENTH for value in row] for row in features]
    if draw(st.booleans()):  # eigenvalues over eighteen orders of magnitude
        scales = [Fraction(10) ** (3 - round(9 * k / (p - 1))) for k in range(p)]
        exact = [[value * scale for value, scale in zip(row, scales, strict=True)] for row in exact]
    return Case(
        exact[:N],
        exact[N:],
        rng.integers(-4, 5, (N, C)) / 4,
        rng.integers(-4, 5, (M, C)) / 4,
        np.eye(C)[rng.integers(C, size=N)],
        draw(st.sampled_from(ridges)),
        draw(st.sampled_from(dtypes)),
    )
