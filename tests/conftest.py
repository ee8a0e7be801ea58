"""The strict test run: shapes checked by jaxtyping and beartype, 64-bit mode on, warnings are errors."""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import numpy as np
import pytest
from jaxtyping import config, install_import_hook

HOOK = install_import_hook("ntkal", "beartype.beartype")

import ntkal  # noqa: E402, F401

jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture
def as_user():
    """Call the package as a user does, with the test run's type checker off: our own messages must do."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator with a stated seed."""
    return np.random.default_rng(20220612)
