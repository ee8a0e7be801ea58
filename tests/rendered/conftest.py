"""The checks of the rendered book: after `make book`, and only when this folder is asked for by name."""

import sys
from pathlib import Path

import chromium
import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "book" / "_tools")]

import built  # noqa: E402
import visits  # noqa: E402


def pytest_ignore_collect(collection_path, config):
    """Leave the folder out of `pytest` and `pytest tests`, which do not render the book."""
    named = [(config.invocation_params.dir / argument.split("::")[0]).resolve() for argument in config.args]
    return None if any(path == HERE or HERE in path.parents for path in named) else True


def pytest_generate_tests(metafunc):
    """A test of `page` runs for each page; one worker has all tests of a page, so that it loads it once."""
    if "page" in metafunc.fixturenames:
        pages = built.pages()
        marked = [pytest.param(page, marks=pytest.mark.xdist_group(page), id=page) for page in pages]
        metafunc.parametrize("page", marked)


@pytest.fixture(scope="session")
def browser():
    with chromium.launch() as found:
        yield found


@pytest.fixture(scope="session")
def seen():
    """What was found on the pages visited so far."""
    return {}


@pytest.fixture
def visit(browser, seen, page):
    """What the browser finds on a page, which it loads once for all tests."""
    if page not in seen:
        seen[page] = visits.visit(browser, (built.HTML / page).as_uri())
    return seen[page]
