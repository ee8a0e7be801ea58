"""Where the seconds of the norm form go: its steps, one by one."""

import jax.numpy as jnp
import pandas as pd

from ntkal.lookahead.condition import whitened
from ntkal.lookahead.row_sums import walk
from ntkal.lookahead.solve import cholesky
from ntkal.textbook.bench.problem import Case
from ntkal.textbook.bench.timing import best_seconds


def norm_form(case: Case, repeats: int = 5) -> pd.DataFrame:
    """Time each step from kernels to norm-form scores by itself.

    Args:
        case: Kernels, outputs and labels.
        repeats: How many times each step is timed; the best counts.

    Returns:
        Columns ``step``, ``seconds`` and ``operations``, the multiplications and additions that count: of
        checks and sums, which pass over an m x m array, there are none.

    Example:
        >>> from ntkal.textbook.bench.problem import made_up
        >>> len(norm_form(made_up(5, 8, 2), repeats=1))
        3
    """
    (k_ll, k_pl, k_pp), (f_l, f_p, y_l), n, m = case.kernels, case.rest, *case.kernels[1].shape[::-1]
    factor = cholesky("k_ll", k_ll, case.ridge)
    _, half = whitened(factor, k_pl, f_p, y_l - f_l)
    once = jnp.ones(m)
    steps = {
        "Cholesky factor, and is it safe?": (lambda: cholesky("k_ll", k_ll, case.ridge), n**3 / 3),
        "triangular solve, and the mean": (lambda: whitened(factor, k_pl, f_p, y_l - f_l), n**2 * m),
        "walk: half of the product, checks and sums": (lambda: walk(k_pp, half, once, once), m**2 * n),
    }
    seconds, _ = best_seconds([task for task, _ in steps.values()], repeats)
    made = zip(steps, seconds, (count for _, count in steps.values()), strict=True)
    return pd.DataFrame(made, columns=["step", "seconds", "operations"])
