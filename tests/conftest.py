"""The strict test run: shapes checked by jaxtyping and beartype, 64-bit mode on, warnings are errors."""

import importlib
import os
import pkgutil

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import numpy as np
import pytest
from hypothesis import settings
from jaxtyping import config, install_import_hook

# `make test-faults` and `make mutants` run these by name; they take minutes and hours.
collect_ignore = ["faults", "mutants.py"]
HOOK = install_import_hook("ntkal", "beartype.beartype")

import ntkal  # noqa: E402

# No deadline: the first example of a shape is compiled. Few examples, the same on every run: no surprises in
# CI. `make test-random` draws anew, and many.
settings.register_profile("repository", deadline=None, derandomize=True, database=None, max_examples=20)
many = int(os.environ.get("EXAMPLES", "300"))
settings.register_profile("random", deadline=None, database=None, max_examples=many, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repository"))
jax.config.update("jax_numpy_rank_promotion", "raise")


def pytest_sessionstart(session):
    """Import each subpackage through the hook, which pytest's own import of an __init__ goes past."""
    if session.config.option.doctestmodules:
        for module in pkgutil.walk_packages(ntkal.__path__, "ntkal."):
            if module.ispkg:
                importlib.import_module(module.name)


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
