"""Where a run's random numbers come from: one stream for each purpose and cycle of a seed."""

import jax
import numpy as np

PURPOSES = {"start": 0, "init": 1, "train": 2, "subset": 3, "strategy": 4, "lookahead": 5, "ensemble": 6}
"""Numbers, not names, feed the generators: changing one changes every result of its stream."""


def stream(seed: int, purpose: str, cycle: int) -> np.random.Generator:
    """Return the NumPy generator of one purpose in one cycle of a seed.

    Example:
        >>> stream(0, "start", 0).integers(10).item() == stream(0, "start", 0).integers(10).item()
        True
    """
    return np.random.default_rng(np.random.SeedSequence([seed, PURPOSES[purpose], cycle]))


def key(seed: int, purpose: str, cycle: int) -> jax.Array:
    """Return the JAX key of one purpose in one cycle of a seed.

    Example:
        >>> bool((key(0, "init", 1) == key(0, "init", 2)).all())
        False
    """
    return jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), PURPOSES[purpose]), cycle)
