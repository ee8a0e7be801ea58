"""One step of gradient descent on a candidate in place of retraining, to first order in the learning rate."""

from collections.abc import Iterator
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ntkal.experiments.rivals.situation import Rival, Situation, likely, spans
from ntkal.inputs import ArrayLike, as_float64
from ntkal.kernels.empirical import empirical_ntk


@dataclass(frozen=True)
class OneStep:
    r"""What one step on each candidate would do to the pool's outputs.

    A step of plain gradient descent with rate :math:`\eta` on the squared loss of candidate c alone moves

    .. math:: f(u) \leftarrow f(u) + \eta \, \Theta(u, c) (y_c - f(c)) + O(\eta^2) ,

    with :math:`\Theta(u, c)` the C x C empirical NTK. As everywhere in this package it is taken to be one
    logit's kernel times the identity; for a network with one output, and for one that is linear with separate
    weights for each output, that is exact. Momentum and weight decay have no part in it.
    Käding, Rodner, Freytag and Denzler (2016) take the step itself and read off the change of the outputs.

    Attributes:
        f: Outputs over the pool, shape (m, C).
        kernel: The pool's kernel, shape (m, m).
        rate: The learning rate; that of a run is its peak.

    Example:
        >>> state = OneStep(jnp.zeros((2, 1)), jnp.eye(2), rate=0.5)
        >>> [outputs.ravel().tolist() for _, outputs in STEP.after(state, 1)]
        [[0.5, 0.0], [0.0, 0.5]]
    """

    f: Float[ArrayLike, "m C"]
    kernel: Float[ArrayLike, "m m"]
    rate: float


def _prepare(case: Situation) -> OneStep:
    kernel = empirical_ntk(case.model.apply, case.params, jnp.asarray(case.x_p), logit=case.logit)
    rate = float(case.train.learning_rate)
    return OneStep(as_float64("f_p", case.f_p, (None, None)), kernel.astype(jnp.float64), rate)


def _after(state: OneStep, block: int | None = None) -> Iterator[tuple[np.ndarray, Float[Array, "b m C"]]]:
    changes = state.rate * (likely(state.f) - state.f)
    for at in spans(len(state.f), block, state.f.shape[1]):
        yield at, state.f[None] + state.kernel[:, at].T[:, :, None] * changes[at][:, None, :]


STEP = Rival("step", _prepare, before=lambda state: state.f, after=_after)
