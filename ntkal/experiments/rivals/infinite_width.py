"""Looking ahead with the kernel of an infinitely wide network in place of the network's own."""

from ntkal.experiments.rivals.situation import Situation, of_lookahead
from ntkal.kernels.infinite import split
from ntkal.lookahead.dense import Lookahead


def prepare(situation: Situation) -> Lookahead:
    """Return the look-ahead of the trained network's outputs with the kernel of an infinitely wide one.

    The infinite kernel's scale differs from the empirical one's. Nothing depends on it: the ridge is a
    fraction of the kernel's own mean diagonal, and with the ridge scaled as the kernel is, the mean stays as
    it was and in the scores the covariance and the variance of a candidate scale alike.

    Source:
        After Borsos, Mutny and Krause (2020), who select a coreset with the infinite-width kernel.

    Example:
        >>> import jax, ntkal, numpy as np
        >>> x, y = np.eye(2), np.eye(2)
        >>> model = ntkal.models.mlp((2,), 2, width=4)
        >>> params = model.init(jax.random.key(0))
        >>> f = model.apply(params, x)
        >>> prepare(Situation(model, params, x[:1], y[:1], x, f[:1], f)).mean.shape
        (2, 2)
    """
    blocks = split(situation.infinite, situation.x_l, situation.x_p)
    rest = (situation.f_l, situation.f_p, situation.y_l)
    return Lookahead.fit(*blocks, *rest, ridge=situation.ridge(blocks[0]))


INFINITE = of_lookahead("infinite", prepare)
