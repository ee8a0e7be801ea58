"""The look-ahead of a large pool, held by low-rank factors: m x r numbers in place of m x m."""

from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.lax.linalg import triangular_solve
from jaxtyping import Array, Float, Shaped

from ntkal.inputs import ArrayLike, as_float64, as_labels, check_choice, check_number, is_traced
from ntkal.kernels.rounding import precision_of
from ntkal.lookahead.condition import mean_given
from ntkal.lookahead.posterior import Posterior
from ntkal.lookahead.solve import cholesky, refuse


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class FactorLookahead(Posterior):
    r"""The look-ahead of a kernel with r features, :math:`\Theta(x, x') = \phi(x)^\top \phi(x')`.

    The covariance over the pool is never formed. It is held as

    .. math:: S = F B F^\top, \qquad F \in \mathbb{R}^{m \times r}, \quad B \in \mathbb{R}^{r \times r},

    where :meth:`fit` gives :math:`B = I` and :math:`F = \Phi_U \,(I - \Phi_X^\top (\Phi_X \Phi_X^\top +
    \lambda I)^{-1} \Phi_X)^{1/2}`. A label leaves F as it is and changes B by rank 1,

    .. math:: B \leftarrow B - g g^\top / (F_c^\top g + \lambda), \qquad g = B F_c .

    Everything that :mod:`ntkal.acquisition` computes of a :class:`ntkal.Lookahead` it computes of this, in
    blocks of candidates. Memory is O(m r); scores cost O(m^2 r), a reveal O(m r + r^2).

    Features come from :func:`ntkal.kernels.gradient_sketch`, :func:`ntkal.kernels.nystrom` or
    :func:`ntkal.kernels.pivoted_cholesky`. For the kernel of those features nothing here is approximate.

    Attributes:
        mean: M, shape (m, C), float64.
        factor: F, shape (m, r), float64 or float32.
        inner: B, shape (r, r), float64, symmetric positive semi-definite.
        ridge: λ, as in :class:`~ntkal.lookahead.Posterior`.
        floor: As in :class:`~ntkal.lookahead.Posterior`.

    Source:
        Rasmussen and Williams (2006), section 2.1 (the weight-space view) and section 8.1.

    Example:
        >>> labelled, pool = np.array([[1.0, 0.0]]), np.array([[1.0, 1.0], [0.0, 2.0]])
        >>> post = FactorLookahead.fit(labelled, pool, np.zeros((1, 1)), np.zeros((2, 1)), np.array([[3.0]]))
        >>> post.mean.tolist()
        [[3.0], [0.0]]
        >>> post.reveal(1, np.array([4.0])).mean.tolist()
        [[5.0], [4.0]]
    """

    mean: Float[Array, "m C"]
    factor: Float[Array, "m r"]
    inner: Float[Array, "r r"]
    ridge: Float[Array, ""] | float
    floor: Float[Array, ""] | float = 0.0

    @classmethod
    def fit(
        cls,
        phi_l: Float[ArrayLike, "n r"],
        phi_p: Float[ArrayLike, "m r"],
        f_l: Float[ArrayLike, "n C"],
        f_p: Float[ArrayLike, "m C"],
        y_l: Shaped[ArrayLike, "n C"],
        *,
        ridge: Float[Array, ""] | float | int = 0.0,
        dtype: str = "float64",
        k_ll: Float[ArrayLike, "n n"] | None = None,
        k_pl: Float[ArrayLike, "m n"] | None = None,
    ) -> "FactorLookahead":
        r"""Return the look-ahead of a network whose kernel has the given features.

        With the singular value decomposition :math:`\Phi_X = U \operatorname{diag}(s) V^\top`,

        .. math:: M = f(U) + \Phi_U V \operatorname{diag}\Big(\frac{s}{s^2 + \lambda}\Big) U^\top (Y - f(X)),
                  \qquad F = \Phi_U V \operatorname{diag}\sqrt{\lambda / (s^2 + \lambda)},

        where directions that no labelled input has (s = 0) keep their factor 1, whatever λ is.

        The mean needs the kernel between pool and labelled inputs only, m x n numbers. Where these are at
        hand, give them as ``k_ll`` and ``k_pl``: then M is that of the kernel itself,

        .. math:: M = f(U) + \Theta(U, X) (\Theta(X, X) + \lambda I)^{-1} (Y - f(X)),

        and only S is that of the features. Criteria that compare outputs, such as flips, gain most by it.

        Args:
            phi_l: Features of the labelled inputs, shape (n, r).
            phi_p: Features of the pool inputs, shape (m, r).
            f_l: The network's outputs at the labelled inputs, shape (n, C).
            f_p: The network's outputs at the pool inputs, shape (m, C).
            y_l: Label vectors (one-hot, say; booleans will do), shape (n, C).
            ridge: Absolute, at least 0; nothing else is added to the kernel.
            dtype: Precision in which F is kept, ``"float64"`` or ``"float32"``: half the memory and about
                twice the speed, with scores good to about six digits. The solve is in float64 always.
            k_ll: Kernel of the labelled inputs, shape (n, n), or None; given together with ``k_pl``.
            k_pl: Kernel between pool and labelled inputs, shape (m, n), or None.

        Returns:
            The look-ahead; cost O((n + m) r min(n, r)) and O(m r^2) for the factor.

        Raises:
            SingularKernelError: When :math:`\Phi_X \Phi_X^\top + \lambda I` cannot be inverted; with ridge 0
                it never can with more labelled inputs than features. When ``k_ll + ridge I`` cannot.
            ValueError: For bad shapes, NaN, an empty pool, a negative ridge or another precision, and when
                one of ``k_ll`` and ``k_pl`` comes without the other.
        """
        check_choice("dtype", dtype, ("float32", "float64"))
        given, ridge = (phi_l, phi_p), check_number("ridge", ridge, low=0)
        phi_l = as_float64("phi_l", phi_l, (None, None))
        n, r = phi_l.shape
        phi_p = as_float64("phi_p", phi_p, (None, r))
        f_l = as_float64("f_l", f_l, (n, None))
        f_p = as_float64("f_p", f_p, (len(phi_p), f_l.shape[1]))
        y_l = as_labels("y_l", y_l, f_l.shape)
        if (k_ll is None) != (k_pl is None):
            raise ValueError("k_ll, k_pl: one came without the other; give both, or neither.")
        eps = precision_of(*given)
        mean, factor, inner, floor, singular = _fitted(phi_l, phi_p, f_p, y_l - f_l, ridge, eps)
        if not is_traced(singular) and bool(singular):
            refuse("phi_l @ phi_l.T", np.asarray(phi_l @ phi_l.T), ridge, eps)
        if k_ll is not None and k_pl is not None:
            k_pl, k_ll, eps = as_float64("k_pl", k_pl, (len(f_p), n)), k_ll, precision_of(k_ll)
            known = cholesky("k_ll", as_float64("k_ll", k_ll, (n, n)), ridge, eps=eps)
            mean = mean_given(known, k_pl, f_p, y_l - f_l)
        return cls(mean, factor.astype(dtype), inner, ridge, floor)

    @property
    def variance(self) -> Float[Array, " m"]:
        """The diagonal of S, shape (m,), in float64, 1024 candidates at a time."""
        return _variance(self.factor, self.inner)

    def variance_of(self, c) -> Float[Array, ""]:
        """S_cc of one candidate."""
        return _variance(self.factor[c][None], self.inner)[0]

    def _columns(self, take):
        # Without the barrier XLA turns the product and the sum that follows into one slow loop.
        return jax.lax.optimization_barrier(_times(take(self.factor) @ self.inner, self.factor)).T

    def _with_label(self, c, mean, column, variance):
        return replace(self, mean=mean, inner=_less_one(self.inner, self.factor[c], variance))

    def _with_labels(self, at, mean, half, factor):
        return replace(self, mean=mean, inner=_less_some(self.inner, self.factor[at], factor))


def _times(left: Float[Array, "b r"], factor: Float[Array, "m r"]) -> Float[Array, "b m"]:
    """The one large product, in the precision in which F is kept, and its result in that of B."""
    product = jnp.matmul(left.astype(factor.dtype), factor.T, precision=jax.lax.Precision.HIGHEST)
    return product.astype(left.dtype)


@jax.jit
def _fitted(phi_l, phi_p, f_p, residual, ridge, eps):
    """Mean, F, B, the floor, and whether the labelled kernel with its ridge is singular."""
    n, r = phi_l.shape
    left, s, right = jnp.linalg.svd(phi_l, full_matrices=n < r)
    low, most = s[-1] ** 2 if n <= r else 0.0, s[0]
    # Rounding of the features is squared in the kernel, unlike that of a kernel that comes as numbers.
    singular = low + ridge <= (4 * np.sqrt(max(n, r)) * eps * most) ** 2
    known = jnp.zeros(r).at[: len(s)].set(s)
    keep = jnp.where(known > 0, jnp.sqrt(ridge / (jnp.where(known > 0, known, 1.0) ** 2 + ridge)), 1.0)
    prior = jnp.maximum(jnp.max(_squares(phi_l)), jnp.max(_squares(phi_p)))
    # Of a unit weight on a labelled input: what its features' rounding and that of the solve leave.
    noise = 16 * r * (eps**2 * prior + (2.0**-52 * most) ** 2)
    factor = phi_p @ (right.T * keep[None, :])
    onto = right[: len(s)].T * (s / (s**2 + ridge))[None, :]

    def without_rounding():
        """Variances that are rounding count as zero; large weights on labelled inputs make rounding large."""
        error = noise * (1 + jnp.linalg.norm(phi_p @ onto, axis=1)) ** 2
        return jnp.where((_squares(factor) <= error)[:, None], 0.0, factor)

    # Beside a larger ridge, no variance and ridge together can be mere rounding.
    factor = jax.lax.cond(ridge <= 2 * noise, without_rounding, lambda: factor)
    mean = f_p + phi_p @ (onto @ (left.T[: len(s)] @ residual))
    floor = 16 * r * 2.0**-52 * jnp.max(_squares(factor)) + noise
    return mean, factor, jnp.eye(r), floor, singular


def _squares(rows):
    return jnp.sum(rows**2, axis=1)


@jax.jit
def _variance(factor, inner):
    def one(row):
        row = row.astype(inner.dtype)
        return row @ (inner @ row)

    return jax.lax.map(one, factor, batch_size=1024)


@jax.jit
def _less_one(inner, row, variance):
    g = inner @ row.astype(inner.dtype)
    return inner - g[:, None] * (g / variance)[None, :]


@jax.jit
def _less_some(inner, rows, lower):
    solve = partial(triangular_solve, lower, left_side=True, lower=True)
    some = solve(rows.astype(inner.dtype) @ inner)
    return inner - some.T @ some
