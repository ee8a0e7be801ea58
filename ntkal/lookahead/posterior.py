"""The contract of a look-ahead: what every posterior over a pool offers, however its covariance is held."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.lax.linalg import triangular_solve
from jaxtyping import Array, Float, Integer, Shaped

from ntkal.inputs import ArrayLike, SingularKernelError, as_labels, as_positions, check_int, is_traced
from ntkal.kernels.rounding import noise_floor


class Posterior(ABC):
    r"""A trained linearised network over a pool of m inputs: its mean M, and its covariance S in some form.

    Acquisition functions, sequential queries and the oracle read no more than this, so they take any
    posterior. Each is a JAX pytree: scores and labels can go through ``jit``, ``vmap``, ``grad`` and
    ``scan``.

    What :meth:`after`, :meth:`reveal` and :meth:`reveal_all` return is new; the posterior is unchanged. They
    raise a ValueError for positions outside the pool and label vectors of another shape or with NaN, and a
    SingularKernelError when the labelled points, with those given, determine a candidate already and the
    ridge is 0. What is traced has no value that could be checked: there both give NaN.

    Attributes:
        mean: M, shape (m, C), float64.
        ridge: The absolute ridge λ that was added to the labelled kernel's diagonal.
        floor: Posterior variance below which a candidate counts as already determined: the rounding level of
            the kernel that came in.
        stored: Whether S is an array, so that its columns are read and not computed; the same for all
            objects of a class.

    Example:
        >>> from ntkal import FactorLookahead, ImplicitLookahead, Lookahead
        >>> all(issubclass(kind, Posterior) for kind in (FactorLookahead, ImplicitLookahead, Lookahead))
        True
    """

    mean: Float[Array, "m C"]
    ridge: Float[Array, ""] | float
    floor: Float[Array, ""] | float
    stored: ClassVar[bool] = False

    @property
    @abstractmethod
    def variance(self) -> Float[Array, " m"]:
        """The diagonal of S, shape (m,)."""

    @abstractmethod
    def _columns(self, take: Callable[[Array], Array]) -> Float[Array, "m b"]:
        """Columns of S; ``take`` gives their rows of an array that has one for each pool input."""

    @abstractmethod
    def _with_label(
        self, c: Integer[Array, ""] | int, mean: Array, column: Array, variance: Float[Array, ""]
    ) -> "Posterior":
        """The same with the new mean, and with S less the square of a column over a variance."""

    @abstractmethod
    def _with_labels(self, at: ArrayLike, mean: Array, half: Array, factor: Array) -> "Posterior":
        r"""The same with the new mean, and with :math:`S - V V^\top`, where V is ``half``."""

    def variance_of(self, c: Integer[Array, ""] | int) -> Float[Array, ""]:
        """S_cc of one candidate."""
        return self.variance[c]

    def columns(self, start: Integer[Array, ""] | int, width: int) -> Float[Array, "m b"]:
        """``width`` neighbouring columns of S, the first of them number ``start``, shape (m, width)."""
        return self._columns(lambda rows: jax.lax.dynamic_slice_in_dim(rows, start, width))

    def columns_at(self, at: Integer[ArrayLike, " r"]) -> Float[Array, "m r"]:
        """Columns of S at the given positions, shape (m, r)."""
        return self._columns(lambda rows: rows[at])

    def absolute_sums(self) -> Float[Array, " m"] | None:
        """The sums over u of the sizes of S_uc, shape (m,), where there is a shorter way than by columns."""
        return None

    def with_room(self, reveals: int) -> "Posterior":
        """The same, such that ``reveals`` more labels change no shape: what a loop that is traced needs."""
        return self

    def after(self, c: Integer[Array, ""] | int, y: Shaped[ArrayLike, " C"]) -> Float[Array, "m C"]:
        r"""Return the pool's outputs once candidate c has the label vector y, without retraining.

        .. math:: M^+ = M + S_{:c} (y - M_c)^\top / (S_{cc} + \lambda)

        Args:
            c: Position of the candidate in the pool, 0 to m - 1.
            y: Its label vector, shape (C,); booleans will do.

        Returns:
            Outputs of the refitted linearised network over the pool, shape (m, C).

        Example:
            >>> from ntkal import Lookahead
            >>> Lookahead(jnp.zeros((2, 1)), jnp.eye(2), ridge=1.0).after(0, jnp.array([1.0])).tolist()
            [[0.5], [0.0]]
        """
        return self._labelled(c, y)[1]

    def reveal(self, c: Integer[Array, ""] | int, y: Shaped[ArrayLike, " C"]) -> "Posterior":
        r"""Return the look-ahead once (c, y) has joined the labelled set: a rank-1 update.

        .. math:: M \leftarrow M^+, \qquad S \leftarrow S - S_{:c} S_{c:} / (S_{cc} + \lambda)

        Args:
            c: As in :meth:`after`. With a ridge a candidate can be labelled again: its label is noisy then.
            y: As in :meth:`after`.

        Example:
            >>> from ntkal import Lookahead
            >>> later = Lookahead(jnp.zeros((2, 1)), jnp.eye(2), ridge=1.0).reveal(0, jnp.array([1.0]))
            >>> later.variance.tolist()
            [0.5, 1.0]
        """
        return self._with_label(*self._labelled(c, y))

    def reveal_all(self, at: Integer[ArrayLike, " r"], y: Shaped[ArrayLike, "r C"]) -> "Posterior":
        r"""Return the look-ahead once several candidates have joined the labelled set: one product.

        .. math:: V = S_{:R} L^{-\top}, \quad L L^\top = S_{RR} + \lambda I, \qquad
                  M \leftarrow M + V L^{-1} (y - M_R), \quad S \leftarrow S - V V^\top

        The numbers are those of :meth:`reveal` for one candidate after another, in any order, but what holds
        the covariance goes through memory once and not r times.

        Args:
            at: Positions of the candidates in the pool, shape (r,), at least one, none twice; no mask.
            y: Their label vectors, shape (r, C).

        Example:
            >>> from ntkal import Lookahead
            >>> post = Lookahead(jnp.zeros((3, 1)), jnp.eye(3), ridge=1.0)
            >>> post.reveal_all(np.array([0, 2]), np.ones((2, 1))).mean.round(9).tolist()
            [[0.5], [0.0], [0.5]]
        """
        at = as_positions("at", at, len(self.mean) - 1)
        y = as_labels("y", y, (len(at), self.mean.shape[1]))
        mean, half, factor, block, least = _given_labels(self, at, y)
        if not is_traced(factor) and bool(jnp.isnan(factor).any()):
            _refuse("at", *_determined(np.asarray(block), at, float(least)))
        return self._with_labels(at, mean, half, factor)

    def _labelled(self, c, y):
        c = check_int("c", c, low=0, high=len(self.mean) - 1)
        y = as_labels("y", y, (self.mean.shape[1],))
        mean, column, variance = _given_label(self, c, y)
        if not is_traced(variance) and bool(jnp.isnan(variance)):
            _refuse("c", c, float(self.variance_of(c)))
        return c, mean, column, variance


def _refuse(name: str, c: int, variance: float) -> None:
    raise SingularKernelError(
        f"{name}: the labelled points determine pool point {c} already (posterior variance {variance:.3g}), "
        "so no label can be added there. It duplicates a labelled input: choose another candidate, or fit "
        "with a ridge above 0."
    )


def _determined(block: np.ndarray, at: np.ndarray, least: float) -> tuple[int, float]:
    """The first candidate that those before it determine, and the variance that they leave."""
    left = block.copy()
    for i, c in enumerate(at.tolist()):
        if not left[i, i] > least:
            return c, left[i, i]
        left -= np.outer(left[:, i], left[i]) / left[i, i]
    return c, left[i, i]


@jax.jit
def _given_label(post, c, y):
    """The mean with candidate c labelled, its column of S, and S_cc + ridge: NaN for what takes no label."""
    column, variance = post.columns(c, 1), post.variance_of(c) + post.ridge
    variance = jnp.where((variance <= post.floor) | (c < 0) | (c >= len(post.mean)), jnp.nan, variance)
    return post.mean + column * ((y - post.mean[c]) / variance)[None, :], column, variance


@jax.jit
def _given_labels(post, at, y):
    """The mean with the candidates labelled, V, L, S_RR + ridge, and the least square of L's diagonal."""
    columns = post.columns_at(at)
    block = columns[at] + post.ridge * jnp.eye(len(at))
    factor, largest = jnp.linalg.cholesky(block), jnp.max(jnp.diag(block))
    least = jnp.maximum(post.floor, largest * noise_floor(0.0, len(at), 0.0, 1.0))
    takes = (jnp.min(jnp.diag(factor)) ** 2 > least) & (jnp.min(at) >= 0) & (jnp.max(at) < len(post.mean))
    factor = jnp.where(takes, factor, jnp.nan)
    solved = partial(triangular_solve, factor, lower=True)
    half = solved(columns, left_side=False, transpose_a=True)
    return post.mean + half @ solved(y - post.mean[at], left_side=True), half, factor, block, least
