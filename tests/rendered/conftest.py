"""The checks of the rendered book: after `make book`, and only when this folder is asked for by name."""

import sys
from pathlib import Path

import chromium
import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "book" / "_tools")]

import built  # noqa: E402


def pytest_ignore_collect(collection_path, config):
    """Leave the folder out of `pytest` and `pytest tests`, which do not render the book."""
    named = [(config.invocation_params.dir / argument.split("::")[0]).resolve() for argument in config.args]
    return None if any(path == HERE or HERE in path.parents for path in named) else True


def pytest_generate_tests(metafunc):
    """A test of `page` runs for each page."""
    if "page" in metafunc.fixturenames:
        metafunc.parametrize("page", built.pages())


@pytest.fixture(scope="session")
def browser():
    with chromium.launch() as found:
        yield found
