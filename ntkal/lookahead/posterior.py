"""What every look-ahead criterion reads of a pool: its mean, its variances and columns of its covariance."""

from abc import ABC, abstractmethod
from typing import ClassVar

import jax
from jaxtyping import Array, Float, Integer

from ntkal.inputs import ArrayLike, SingularKernelError, as_float64, check_int


class Posterior(ABC):
    """A trained linearised network over a pool of m inputs, however its covariance S is held.

    The acquisition functions read no more than this, so a class that has it can be scored by all of them.
    It must be a JAX pytree, because the scores are compiled with it as their argument.

    Attributes:
        mean: M, shape (m, C), float64.
        ridge: The absolute ridge λ that was added to the labelled kernel's diagonal.
        floor: Posterior variance below which a candidate counts as already determined.
        stored: Whether S is an array, so that its columns are read and not computed; the same for all
            objects of a class.

    Example:
        >>> import jax.numpy as jnp
        >>> from ntkal import FactorLookahead, Lookahead
        >>> issubclass(Lookahead, Posterior) and issubclass(FactorLookahead, Posterior)
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
    def variance_of(self, c: int) -> Float[Array, ""]:
        """S_cc of one candidate."""

    @abstractmethod
    def columns(self, start: int | Integer[Array, ""], width: int) -> Float[Array, "m b"]:
        """``width`` neighbouring columns of S, the first of them number ``start``, shape (m, width)."""

    def absolute_sums(self) -> Float[Array, " m"] | None:
        """The sums over u of the sizes of S_uc, shape (m,), where there is a shorter way than by columns."""
        return None

    def _candidate(self, c: int, y: ArrayLike) -> tuple[int, jax.Array]:
        c = check_int("c", c, low=0, high=len(self.mean) - 1)
        y = as_float64("y", y, (self.mean.shape[1],))
        variance = self.variance_of(c)
        if variance + self.ridge <= self.floor:
            raise SingularKernelError(
                f"c: the labelled points determine pool point {c} already (posterior variance "
                f"{float(variance):.3g}), so no label can be added there. "
                "It duplicates a labelled input: choose another candidate, or fit with a ridge above 0."
            )
        return c, y


@jax.jit
def moved(
    mean: Float[Array, "m C"],
    column: Float[Array, "m 1"],
    variance: Float[Array, ""],
    c: Integer[Array, ""] | int,
    y: Float[Array, " C"],
) -> Float[Array, "m C"]:
    r"""Return the outputs once candidate c has label y, from its column and its variance with the ridge.

    .. math:: M^+ = M + S_{:c} \, (y - M_c) / (S_{cc} + \lambda)

    Example:
        >>> import jax.numpy as jnp
        >>> moved(jnp.zeros((2, 1)), jnp.array([[1.0], [0.5]]), jnp.array(2.0), 0, jnp.array([4.0])).tolist()
        [[2.0], [1.0]]
    """
    return mean + column * ((y - mean[c]) / variance)[None, :]
