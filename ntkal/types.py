"""Array types of the annotations: JAX inside, NumPy accepted everywhere."""

import jax
import numpy as np

ArrayLike = jax.Array | np.ndarray
