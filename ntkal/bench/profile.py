"""Where the seconds of the norm form go: its steps, one by one."""

import jax.numpy as jnp
import pandas as pd

from ntkal import lookahead
from ntkal.acquisition import mlmoc_norm
from ntkal.bench.problem import Case
from ntkal.bench.timing import best
from ntkal.solve import check_symmetric, cholesky
from ntkal.variances import check_semidefinite


def norm_form(case: Case, repeats: int = 5) -> pd.DataFrame:
    """Time each step from kernels to norm-form scores by itself.

    Args:
        case: Kernels, outputs and labels.
        repeats: How many times each step is timed; the best counts.

    Returns:
        Columns ``step``, ``seconds`` and ``operations``, the multiplications and additions that count: of
        checks and sums, which pass over an m x m array, there are none.

    Example:
        >>> from ntkal.bench.problem import made_up
        >>> len(norm_form(made_up(5, 8, 2), repeats=1))
        6
    """
    (k_ll, k_pl, k_pp), (f_l, f_p, y_l), n, m = case.kernels, case.rest, *case.kernels[1].shape[::-1]
    factor = cholesky("k_ll", k_ll, case.ridge)
    _, half = lookahead._condition(factor, k_pl, f_p, y_l - f_l)
    bound = float(jnp.max(jnp.diag(k_pp))) * 1e-8
    steps = {
        "is the pool's kernel symmetric?": (lambda: check_symmetric("k_pp", k_pp, 2.0**-52), 0),
        "Cholesky factor, and is it safe?": (lambda: cholesky("k_ll", k_ll, case.ridge), n**3 / 3),
        "triangular solve, and the mean": (
            lambda: lookahead._condition(factor, k_pl, f_p, y_l - f_l),
            n**2 * m,
        ),
        "half of the product, and its mirror": (lambda: lookahead._minus_gram(k_pp, half), m**2 * n),
        "is the result a covariance?": (lambda: check_semidefinite(case.post.cov, bound), 0),
        "sums of its rows": (lambda: mlmoc_norm(case.post), 0),
    }
    seconds, _ = best([task for task, _ in steps.values()], repeats)
    made = zip(steps, seconds, (count for _, count in steps.values()), strict=True)
    return pd.DataFrame(made, columns=["step", "seconds", "operations"])
