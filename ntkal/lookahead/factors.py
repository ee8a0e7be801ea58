"""The look-ahead of a large pool, held by low-rank factors: m x r numbers in place of m x m."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import cho_solve
from jaxtyping import Array, Float, Integer, Real

from ntkal.inputs import ArrayLike, as_float64, check_choice, check_ridge
from ntkal.kernels.rounding import precision_of
from ntkal.lookahead.posterior import Posterior
from ntkal.lookahead.solve import cholesky, refuse


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class FactorLookahead(Posterior):
    r"""The look-ahead of a kernel with r features, :math:`\Theta(x, x') = \phi(x)^\top \phi(x')`.

    The covariance over the pool is never formed. It is held as

    .. math:: S = F B F^\top, \qquad F \in \mathbb{R}^{m \times r}, \quad B \in \mathbb{R}^{r \times r},

    where :meth:`fit` gives :math:`B = I` and :math:`F = \Phi_U \,(I - \Phi_X^\top (\Phi_X \Phi_X^\top +
    \lambda I)^{-1} \Phi_X)^{1/2}`, and :meth:`reveal` changes B by rank 1. Everything that
    :mod:`ntkal.acquisition` computes of a :class:`ntkal.Lookahead` it computes of this, in blocks of
    candidates. Memory is O(m r); scores cost O(m^2 r), a reveal O(m r + r^2).

    Features come from :func:`ntkal.kernels.gradient_sketch`, :func:`ntkal.kernels.nystrom` or
    :func:`ntkal.kernels.pivoted_cholesky`. For the kernel of those features nothing here is approximate.

    Attributes:
        mean: M, shape (m, C), float64.
        factor: F, shape (m, r), float64 or float32.
        inner: B, shape (r, r), float64, symmetric positive semi-definite.
        ridge: The absolute ridge λ.
        floor: Posterior variance below which a candidate counts as already determined.

    Source:
        Rasmussen and Williams (2006), section 2.1 (the weight-space view) and section 8.1; Mohamadi, Bae
        and Sutherland (2022), equations (11) and (12), for the look-ahead.

    Example:
        >>> import numpy as np
        >>> labelled, pool = np.array([[1.0, 0.0]]), np.array([[1.0, 1.0], [0.0, 2.0]])
        >>> post = FactorLookahead.fit(labelled, pool, np.zeros((1, 1)), np.zeros((2, 1)), np.array([[3.0]]))
        >>> post.mean.tolist()
        [[3.0], [0.0]]
        >>> post.after(1, np.array([4.0])).tolist()
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
        y_l: Real[ArrayLike, "n C"],
        *,
        ridge: float | int = 0.0,
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
            y_l: Label vectors (one-hot, say), shape (n, C).
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
        eps = precision_of(phi_l, phi_p)
        ridge = check_ridge(ridge)
        phi_l = as_float64("phi_l", phi_l, (None, None))
        n, r = phi_l.shape
        phi_p = as_float64("phi_p", phi_p, (None, r))
        f_l = as_float64("f_l", f_l, (n, None))
        f_p = as_float64("f_p", f_p, (len(phi_p), f_l.shape[1]))
        y_l = as_float64("y_l", y_l, f_l.shape)
        if (k_ll is None) != (k_pl is None):
            raise ValueError("k_ll, k_pl: one came without the other; give both, or neither.")
        left, s, right = jnp.linalg.svd(phi_l, full_matrices=n < r)
        low = float(s[-1]) ** 2 if n <= r else 0.0
        # Rounding of the features is squared in the kernel, unlike that of a kernel that comes as numbers.
        if low + ridge <= (4 * np.sqrt(max(n, r)) * eps * float(s[0])) ** 2:
            refuse("phi_l @ phi_l.T", np.asarray(phi_l @ phi_l.T), ridge, eps)
        known = jnp.zeros(r).at[: len(s)].set(s)
        keep = jnp.where(known > 0, jnp.sqrt(ridge / (jnp.where(known > 0, known, 1.0) ** 2 + ridge)), 1.0)
        prior = max(_largest_square(phi_l), _largest_square(phi_p))
        # Of a unit weight on a labelled input: what its features' rounding and that of the solve leave.
        noise = 16 * r * (eps**2 * prior + (2.0**-52 * float(s[0])) ** 2)
        factor = phi_p @ (right.T * keep[None, :])
        if ridge <= 2 * noise:  # otherwise no variance and ridge together can be mere rounding
            spread = phi_p @ (right[: len(s)].T * (s / (s**2 + ridge))[None, :])
            factor = _without_rounding(factor, spread, noise)
        if k_ll is None or k_pl is None:
            weights = right[: len(s)].T @ ((s / (s**2 + ridge))[:, None] * (left.T[: len(s)] @ (y_l - f_l)))
            mean = f_p + phi_p @ weights
        else:
            k_pl = as_float64("k_pl", k_pl, (len(f_p), n))
            known_l = cholesky("k_ll", as_float64("k_ll", k_ll, (n, n)), ridge, eps=precision_of(k_ll))
            mean = f_p + k_pl @ cho_solve((known_l, True), y_l - f_l)
        floor = 16 * r * 2.0**-52 * _largest_square(factor) + noise
        return cls(mean, factor.astype(dtype), jnp.eye(r), ridge, floor)

    def after(self, c: int, y: Real[ArrayLike, " C"]) -> Float[Array, "m C"]:
        """Return the pool's outputs once candidate c has the label vector y; as :meth:`Lookahead.after`.

        Args:
            c: Position of the candidate in the pool, 0 to m - 1.
            y: Its label vector, shape (C,).

        Returns:
            Outputs of the refitted linearised network over the pool, shape (m, C).

        Raises:
            ValueError: For a position outside the pool or a label vector of another shape or with NaN.
            SingularKernelError: When the labelled points determine the candidate already and the ridge is 0.

        Example:
            >>> post = FactorLookahead(jnp.zeros((2, 1)), jnp.eye(2), jnp.eye(2), ridge=1.0)
            >>> post.after(0, jnp.array([1.0])).tolist()
            [[0.5], [0.0]]
        """
        return _reveal(self, *self._candidate(c, y))[0]

    def reveal(self, c: int, y: Real[ArrayLike, " C"]) -> "FactorLookahead":
        r"""Return the look-ahead once (c, y) has joined the labelled set: a rank-1 update of B.

        .. math:: M \leftarrow M^+, \qquad B \leftarrow B - g g^\top / (F_c^\top g + \lambda),
                  \qquad g = B F_c

        Args:
            c: As in :meth:`after`.
            y: As in :meth:`after`.

        Returns:
            A new look-ahead; this one is unchanged, and both share F.

        Raises:
            ValueError: As :meth:`after`.
            SingularKernelError: As :meth:`after`.

        Example:
            >>> post = FactorLookahead(jnp.zeros((2, 1)), jnp.eye(2), jnp.eye(2), ridge=1.0)
            >>> post.reveal(0, jnp.array([1.0])).inner.tolist()
            [[0.5, 0.0], [0.0, 1.0]]
        """
        mean, inner = _reveal(self, *self._candidate(c, y))
        return FactorLookahead(mean, self.factor, inner, self.ridge, self.floor)

    @property
    def variance(self) -> Float[Array, " m"]:
        """The diagonal of S, shape (m,), in float64, 1024 candidates at a time."""
        return _variance(self.factor, self.inner)

    def variance_of(self, c: int) -> Float[Array, ""]:
        """S_cc of one candidate."""
        return _variance(self.factor[c][None], self.inner)[0]

    def columns(self, start: int | Integer[Array, ""], width: int) -> Float[Array, "m b"]:
        """``width`` neighbouring columns of S, the first of them number ``start``, shape (m, width)."""
        rows = jax.lax.dynamic_slice_in_dim(self.factor, start, width)
        # Without the barrier XLA turns the product and the sum that follows into one slow loop.
        return jax.lax.optimization_barrier(_times(rows @ self.inner, self.factor)).T


def _times(left: Float[Array, "b r"], factor: Float[Array, "m r"]) -> Float[Array, "b m"]:
    """The one large product, in the precision in which F is kept, and its result in that of B."""
    product = jnp.matmul(left.astype(factor.dtype), factor.T, precision=jax.lax.Precision.HIGHEST)
    return product.astype(left.dtype)


def _largest_square(rows: Float[Array, "n r"]) -> float:
    return float(jnp.max(_squares(rows)))


@jax.jit
def _squares(rows):
    return jnp.sum(rows**2, axis=1)


@jax.jit
def _without_rounding(factor, weights, noise):
    """Candidates whose variance is rounding, set to zero; large weights on labelled inputs make it large."""
    error = noise * (1 + jnp.linalg.norm(weights, axis=1)) ** 2
    return jnp.where((_squares(factor) <= error)[:, None], 0.0, factor)


@jax.jit
def _variance(factor, inner):
    def one(row):
        row = row.astype(inner.dtype)
        return row @ (inner @ row)

    return jax.lax.map(one, factor, batch_size=1024)


@jax.jit
def _reveal(post, c, y):
    row = post.factor[c].astype(post.inner.dtype)
    g = post.inner @ row
    gain = 1.0 / (row @ g + post.ridge)
    column = _times(g[None, :], post.factor)[0]
    mean = post.mean + column[:, None] * ((y - post.mean[c]) * gain)[None, :]
    return mean, post.inner - gain * g[:, None] * g[None, :]
