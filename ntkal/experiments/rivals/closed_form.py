"""Closed forms: this book's, equation (12) by candidate, plain refitting, and the infinitely wide network."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float
from scipy.linalg import solve_triangular

from ntkal.experiments.rivals.situation import Rival, Situation, likely, of_lookahead
from ntkal.inputs import ArrayLike, as_float64
from ntkal.kernels import infinite
from ntkal.kernels.empirical import split_ntk
from ntkal.kernels.rounding import noise_floor, precision_of
from ntkal.lookahead.dense import Lookahead
from ntkal.lookahead.flow import gradient_flow
from ntkal.lookahead.solve import cholesky


@dataclass(frozen=True)
class Linearised:
    """Kernels of a linearised network and what training on the labelled inputs makes of it, in NumPy.

    Attributes:
        k_ll: Kernel of the labelled inputs, shape (n, n).
        k_pl: Between pool and labelled inputs, shape (m, n).
        k_pp: Of the pool inputs, shape (m, m).
        residual: Labels minus outputs at the labelled inputs, shape (n, C).
        f_p: Outputs at the pool inputs, shape (m, C).
        ridge: Absolute.
        mean: Outputs of the trained linearised network over the pool, shape (m, C).
        label: Each candidate's most likely label vector, shape (m, C).
        known: Candidates that the labelled inputs determine already, so that no label there changes anything;
            shape (m,).
        inverse: Of ``k_ll + ridge I``, shape (n, n), for equation (12) alone.

    Example:
        >>> one = np.ones((1, 1))
        >>> linearised(one, one, 2 * one, 0 * one, 0 * one, one, ridge=0.0, invert=True).inverse.tolist()
        [[1.0]]
    """

    k_ll: Float[np.ndarray, "n n"]
    k_pl: Float[np.ndarray, "m n"]
    k_pp: Float[np.ndarray, "m m"]
    residual: Float[np.ndarray, "n C"]
    f_p: Float[np.ndarray, "m C"]
    ridge: float
    mean: Float[np.ndarray, "m C"]
    label: Float[np.ndarray, "m C"]
    known: Bool[np.ndarray, " m"]
    inverse: Float[np.ndarray, "n n"] | None = None


def linearised(
    k_ll: Float[ArrayLike, "n n"],
    k_pl: Float[ArrayLike, "m n"],
    k_pp: Float[ArrayLike, "m m"],
    f_l: Float[ArrayLike, "n C"],
    f_p: Float[ArrayLike, "m C"],
    y_l: Float[ArrayLike, "n C"],
    *,
    ridge: float,
    invert: bool = False,
) -> Linearised:
    """Return the state of :func:`refit_after`, and with ``invert`` that of :func:`block_after`, in float64.

    Arguments and errors are those of :meth:`ntkal.Lookahead.fit`.

    Example:
        >>> state = linearised(np.eye(1), np.ones((2, 1)), np.ones((2, 2)) + np.eye(2), np.zeros((1, 1)),
        ...                    np.zeros((2, 1)), np.ones((1, 1)), ridge=0.0)
        >>> state.mean.tolist()
        [[1.0], [1.0]]
    """
    eps = precision_of(k_ll, k_pl, k_pp)
    mean = np.asarray(gradient_flow(k_ll, y_l, f_l, k_pl, f_p, ridge=ridge))
    n, m, classes = len(k_ll), *mean.shape
    shapes = {"k_ll": (n, n), "k_pl": (m, n), "k_pp": (m, m), "f_p": (m, classes)}
    k_ll, k_pl, k_pp, f_p = (
        np.asarray(as_float64(name, value, shape))
        for (name, shape), value in zip(shapes.items(), (k_ll, k_pl, k_pp, f_p), strict=True)
    )
    factor = np.asarray(cholesky("k_ll", k_ll, ridge, eps=eps))
    half = solve_triangular(factor, k_pl.T, lower=True)
    prior = np.diag(k_pp).max()
    known = np.diag(k_pp) - (half**2).sum(axis=0) + ridge <= noise_floor(eps, n + m, prior, prior)
    root = solve_triangular(factor, np.eye(n), lower=True) if invert else None
    inverse = root.T @ root if invert else None
    residual = np.asarray(y_l, np.float64) - np.asarray(f_l, np.float64)
    label = np.asarray(likely(mean))
    return Linearised(k_ll, k_pl, k_pp, residual, f_p, float(ridge), mean, label, known, inverse)


def refit_after(
    state: Linearised, block: int | None = None
) -> Iterator[tuple[np.ndarray, Float[np.ndarray, "b m C"]]]:
    r"""Refit the linearised network for each candidate by solving on L+ from nothing: O(n^3 + m n C) each.

    .. math:: f^{+c}(U) = f(U) + \Theta(U, X^+) \, (\Theta(X^+, X^+) + \lambda I)^{-1} (Y^+ - f(X^+))

    Yields ``(positions (1,), outputs (1, m, C))``: candidates come one by one, whatever the block.

    Source:
        Mohamadi, Bae and Sutherland (2022), equation (11).

    Example:
        >>> one = np.ones((1, 1))
        >>> state = linearised(one, 0 * one, 2 * one, 0 * one, 0.5 * one, one, ridge=0.0)
        >>> [outputs.ravel().tolist() for _, outputs in refit_after(state)]
        [[1.0]]
    """
    n, m = len(state.k_ll), len(state.k_pl)
    square, wide = np.empty((n + 1, n + 1)), np.empty((m, n + 1))
    square[:n, :n], wide[:, :n] = state.k_ll, state.k_pl
    square[:n, :n] += state.ridge * np.eye(n)
    residual = np.vstack([state.residual, np.zeros_like(state.f_p[:1])])
    for c in range(m):
        outputs = state.mean
        if not state.known[c]:
            square[n, :n] = square[:n, n] = state.k_pl[c]
            square[n, n] = state.k_pp[c, c] + state.ridge
            wide[:, n] = state.k_pp[:, c]
            residual[n] = state.label[c] - state.f_p[c]
            outputs = state.f_p + wide @ np.linalg.solve(square, residual)
        yield np.array([c]), outputs[None]


def block_after(
    state: Linearised, block: int | None = None
) -> Iterator[tuple[np.ndarray, Float[np.ndarray, "b m C"]]]:
    r"""Refit the linearised network for each candidate by the block inverse: O(n^2 + m n C) each.

    With :math:`K = \Theta(X,X) + \lambda I`, :math:`k = \Theta(X, c)`, :math:`v = K^{-1} k` and
    :math:`s = \Theta(c,c) + \lambda - k^\top v`,

    .. math:: (K^+)^{-1} &= \begin{pmatrix} K^{-1} + v v^\top / s & -v / s \\
              -v^\top / s & 1 / s \end{pmatrix}, \\
              f^{+c}(U) &= f(U) + \Theta(U, X^+) (K^+)^{-1} (Y^+ - f(X^+)) .

    The state is made with ``invert=True``; it yields what :func:`refit_after` yields.

    Source:
        Mohamadi, Bae and Sutherland (2022), equation (12), with the inverse in v that is missing in print.

    Example:
        >>> one = np.ones((1, 1))
        >>> state = linearised(one, 0 * one, 2 * one, 0 * one, 0.5 * one, one, ridge=0.0, invert=True)
        >>> [outputs.ravel().tolist() for _, outputs in block_after(state)]
        [[1.0]]
    """
    weights = state.inverse @ state.residual
    for c, k in enumerate(state.k_pl):
        outputs = state.mean
        if not state.known[c]:
            v = state.inverse @ k
            s = state.k_pp[c, c] + state.ridge - k @ v
            last = (state.label[c] - state.f_p[c] - k @ weights) / s
            outputs = state.f_p + state.k_pl @ (weights - np.outer(v, last))
            outputs = outputs + np.outer(state.k_pp[:, c], last)
        yield np.array([c]), outputs[None]


def _empirical(case: Situation) -> tuple:
    x_l, x_p = jnp.asarray(case.x_l), jnp.asarray(case.x_p)
    return split_ntk(case.model.apply, case.params, x_l, x_p, logit=case.logit)


def _infinite(case: Situation) -> tuple:
    """After Borsos, Mutny and Krause (2020), who select a coreset with the kernel of infinite width.

    Its scale differs from the empirical one's. Nothing depends on it: the ridge is a fraction of the kernel's
    own mean diagonal, so that the mean and the scores stay as they were.
    """
    return infinite.split(case.infinite, case.x_l, case.x_p)


def _given(case: Situation, kernels: Callable[[Situation], tuple]) -> dict[str, Any]:
    blocks = dict(zip(("k_ll", "k_pl", "k_pp"), kernels(case), strict=True))
    outputs = {"f_l": case.f_l, "f_p": case.f_p, "y_l": case.y_l}
    return blocks | outputs | {"ridge": case.ridge(blocks["k_ll"])}


def _by_candidate(name: str, after: Callable, **options: bool) -> Rival:
    def prepare(case: Situation) -> Linearised:
        return linearised(**_given(case, _empirical), **options)

    return Rival(name, prepare, before=lambda state: state.mean, after=after)


NTK = of_lookahead("ntk", lambda case: Lookahead.fit(**_given(case, _empirical)))
INFINITE = of_lookahead("infinite", lambda case: Lookahead.fit(**_given(case, _infinite)))
NTK_BLOCK = _by_candidate("ntk_block", block_after, invert=True)
NTK_REFIT = _by_candidate("ntk_refit", refit_after)
