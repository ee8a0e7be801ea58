"""Closed forms: this book's, equation (12) by candidate, plain refitting, and the infinitely wide network."""

from collections.abc import Callable, Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy.linalg import solve_triangular

from ntkal.experiments.rivals.situation import Rival, Situation, likely, of_lookahead
from ntkal.inputs import as_float64
from ntkal.kernels import infinite
from ntkal.kernels.empirical import split_ntk
from ntkal.kernels.rounding import noise_floor, precision_of
from ntkal.lookahead.dense import Lookahead
from ntkal.lookahead.flow import gradient_flow
from ntkal.lookahead.solve import cholesky


class Linearised:
    """A linearised network and what training on the labelled inputs makes of it, in NumPy and float64.

    Arguments and errors are those of :meth:`ntkal.Lookahead.fit`. ``k_ll`` (n, n), ``k_pl`` (m, n), ``k_pp``
    (m, m), ``f_p`` (m, C) and ``ridge`` are kept.

    Attributes:
        mean: Outputs of the trained linearised network over the pool, shape (m, C).
        label: Each candidate's most likely label vector, shape (m, C).
        known: Whether the labelled inputs determine a candidate, so that its label changes nothing (m,).
        residual: Labels minus outputs at the labelled inputs, shape (n, C).
        inverse: Of ``k_ll + ridge I``, shape (n, n); ``weights`` are ``inverse @ residual``.

    Example:
        >>> one = np.ones((1, 1))
        >>> state = Linearised(one, one, 2 * one, 0 * one, 0 * one, one, ridge=1.0)
        >>> state.mean.round(12).tolist(), state.inverse.round(12).tolist()
        ([[0.5]], [[0.5]])
    """

    def __init__(self, k_ll, k_pl, k_pp, f_l, f_p, y_l, *, ridge: float):
        eps, self.ridge = precision_of(k_ll, k_pl, k_pp), float(ridge)
        mean = gradient_flow(k_ll, y_l, f_l, k_pl, f_p, ridge=ridge)
        n, m = len(k_ll), len(mean)
        k_pp = as_float64("k_pp", k_pp, (m, m))
        arrays = (np.asarray(a, np.float64) for a in (k_ll, k_pl, k_pp, f_p, mean, likely(mean), y_l, f_l))
        self.k_ll, self.k_pl, self.k_pp, self.f_p, self.mean, self.label, y_l, f_l = arrays
        self.residual = y_l - f_l
        root = solve_triangular(cholesky("k_ll", self.k_ll, ridge, eps=eps), np.eye(n), lower=True)
        self.inverse = root.T @ root
        self.weights = self.inverse @ self.residual
        prior = np.diag(self.k_pp)
        variance = prior - ((root @ self.k_pl.T) ** 2).sum(axis=0)
        self.known = variance + ridge <= noise_floor(eps, n + m, prior.max(), prior.max())

    def after(self, weights: Callable) -> Iterator[tuple[np.ndarray, Float[np.ndarray, "1 m C"]]]:
        r"""Yield outputs as a rival does, one by one: those of the weights w of X+, which is X and c.

        .. math:: f^{+c}(U) = f(U) + \Theta(U, X^+) \, w
        """
        for c in range(len(self.mean)):
            outputs = self.mean
            if not self.known[c]:
                w = weights(self, c)
                outputs = self.f_p + self.k_pl @ w[:-1] + np.outer(self.k_pp[:, c], w[-1])
            yield np.array([c]), outputs[None]


def refit(state: Linearised, c: int) -> Float[np.ndarray, "k C"]:
    r"""Return the weights with candidate c by solving on X+ from nothing, equation (11): O(n^3) each.

    .. math:: w = (\Theta(X^+, X^+) + \lambda I)^{-1} (Y^+ - f(X^+))

    Example:
        >>> one = np.ones((1, 1))
        >>> refit(Linearised(one, 0 * one, 2 * one, 0 * one, 0.5 * one, one, ridge=0.0), 0).tolist()
        [[1.0], [0.25]]
    """
    k, own = state.k_pl[c], state.k_pp[c, c]
    kernel = np.block([[state.k_ll, k[:, None]], [k, own]]) + state.ridge * np.eye(len(k) + 1)
    return np.linalg.solve(kernel, np.vstack([state.residual, state.label[c] - state.f_p[c]]))


def refit_by_block(state: Linearised, c: int) -> Float[np.ndarray, "k C"]:
    r"""Return the weights of :func:`refit` by the block inverse, equation (12) of the paper: O(n^2) each.

    With :math:`K = \Theta(X,X) + \lambda I`, :math:`k = \Theta(X, c)`, :math:`v = K^{-1} k`, an inverse
    that is missing in print, and :math:`s = \Theta(c,c) + \lambda - k^\top v`,

    .. math:: w = \begin{pmatrix} K^{-1} + v v^\top / s & -v / s \\
              -v^\top / s & 1 / s \end{pmatrix} (Y^+ - f(X^+)) .

    Example:
        >>> one = np.ones((1, 1))
        >>> refit_by_block(Linearised(one, 0 * one, 2 * one, 0 * one, 0.5 * one, one, ridge=0.0), 0).tolist()
        [[1.0], [0.25]]
    """
    v = state.inverse @ state.k_pl[c]
    s = state.k_pp[c, c] + state.ridge - state.k_pl[c] @ v
    last = (state.label[c] - state.f_p[c] - state.k_pl[c] @ state.weights) / s
    return np.vstack([state.weights - np.outer(v, last), last])


def _given(case: Situation, k_ll, k_pl, k_pp) -> dict[str, Any]:
    blocks = {"k_ll": k_ll, "k_pl": k_pl, "k_pp": k_pp, "ridge": case.ridge(k_ll)}
    return blocks | {"f_l": case.f_l, "f_p": case.f_p, "y_l": case.y_l}


def _empirical(case: Situation) -> dict[str, Any]:
    x_l, x_p = jnp.asarray(case.x_l), jnp.asarray(case.x_p)
    return _given(case, *split_ntk(case.model.apply, case.params, x_l, x_p, logit=case.logit))


def _infinite(case: Situation) -> dict[str, Any]:
    """After Borsos, Mutny and Krause (2020). The kernel's scale is another, but the ridge goes with it."""
    return _given(case, *infinite.split(case.infinite, case.x_l, case.x_p))


NTK = of_lookahead("ntk", lambda case: Lookahead.fit(**_empirical(case)))
INFINITE = of_lookahead("infinite", lambda case: Lookahead.fit(**_infinite(case)))
NTK_BLOCK, NTK_REFIT = (
    Rival(
        name,
        prepare=lambda case: Linearised(**_empirical(case)),
        before=lambda state: state.mean,
        after=lambda state, block=None, weights=weights: state.after(weights),
    )
    for name, weights in (("ntk_block", refit_by_block), ("ntk_refit", refit))
)
