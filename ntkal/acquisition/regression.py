"""Look-ahead scores for regression: what a label is expected to do to the pool when it is Gaussian."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from ntkal.acquisition.candidates import gain, over_candidates
from ntkal.lookahead.posterior import Posterior


def variance_reduction(post: Posterior) -> Float[Array, " m"]:
    r"""Return how much variance each candidate's label takes from the pool, whatever the label is.

    .. math:: a_c = \operatorname{tr} S - \operatorname{tr} S^{+c} = \frac{\sum_u S_{uc}^2}{S_{cc} + \lambda}

    Args:
        post: The look-ahead over the pool.

    Returns:
        Scores, shape (m,), larger is better, in squared units of the outputs. A candidate that the labelled
        points determine scores 0.

    Source:
        Cohn, Ghahramani and Jordan (1996); Seo, Wallat, Graepel and Obermayer (2000).

    Example:
        >>> import jax.numpy as jnp
        >>> from ntkal import Lookahead
        >>> cov = jnp.array([[2.0, 1.0], [1.0, 1.0]])
        >>> variance_reduction(Lookahead(jnp.zeros((2, 1)), cov, ridge=0.0)).tolist()
        [2.5, 2.0]
    """
    return over_candidates(_squares, post, arrays=1) * (post.variance + post.ridge)


def expected_squared_change(post: Posterior) -> Float[Array, " m"]:
    r"""Return the expected squared change of the pool's outputs when the label is drawn from the posterior.

    .. math:: a_c = \frac1m \sum_u \mathbb E\big[(M^{+c}_u - M_u)^2\big]
              = \frac{S_{cc}}{m} \, \frac{\sum_u S_{uc}^2}{(S_{cc} + \lambda)^2},
              \qquad y \sim \mathcal N(M_c, S_{cc})

    The label is drawn without its noise, as scikit-activeml draws it; with noise of variance
    :math:`\lambda` this would be :func:`variance_reduction` over m.

    Args:
        post: The look-ahead over the pool.

    Returns:
        Scores, shape (m,), larger is better, in squared units of the outputs. A candidate that the labelled
        points determine scores 0.

    Source:
        Käding, Rodner, Freytag, Mothes, Barz and Denzler (2018), expected model output change.

    Example:
        >>> import jax.numpy as jnp
        >>> from ntkal import Lookahead
        >>> cov = jnp.array([[2.0, 1.0], [1.0, 1.0]])
        >>> expected_squared_change(Lookahead(jnp.zeros((2, 1)), cov, ridge=0.0)).tolist()
        [1.25, 1.0]
    """
    return variance_reduction(post) * post.variance * gain(post) / len(post.mean)


def _squares(mean: Float[Array, "C m"], shift: Float[Array, "b m"]) -> Float[Array, " b"]:
    return jnp.sum(shift**2, axis=1)
