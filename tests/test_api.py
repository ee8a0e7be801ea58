"""The public names: each has an example that the tests run, and its shapes are checked in every test."""

import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ntkal

PAGE = Path(__file__).parents[1] / "book" / "api.md"
MODULES = re.findall(r"^\.\. automodule:: (\S+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)

# Their examples would take a minute, or start processes; tests/textbook/figures/test_figures.py and
# tests/experiments/test_sweep.py stand for them.
LONG = {"ntkal.textbook.figures.make", "ntkal.experiments.workers.connect"}


def public(module):
    """What the page shows of a module, errors aside: the names in ``__all__``, else those made in it."""
    listed = getattr(module, "__all__", None)
    for name, value in vars(module).items():
        if not (inspect.isfunction(value) or inspect.isclass(value)):
            continue
        if inspect.isclass(value) and issubclass(value, BaseException):
            continue
        own = not name.startswith("_") and value.__module__ == module.__name__
        if own if listed is None else name in listed:
            yield f"{module.__name__}.{name}", value


def documented():
    found = {}
    for name in MODULES:
        found |= dict(public(importlib.import_module(name)))
    for name in ntkal.__all__:
        value = getattr(ntkal, name)
        if not inspect.ismodule(value):
            found[f"ntkal.{name}"] = value
    return found


def test_the_page_has_every_module_of_the_package_s_own_names():
    modules = {f"ntkal.{name}" for name in ntkal.__all__ if inspect.ismodule(getattr(ntkal, name))}
    assert modules <= set(MODULES)


def test_every_public_function_and_class_has_an_example():
    found = documented()
    assert len(found) > 100
    without = {name for name, value in found.items() if ">>> " not in (inspect.getdoc(value) or "")}
    assert without == LONG


def test_the_examples_are_among_those_that_are_run():
    """They stand in modules of the package, which ``make unit`` gives to doctest as a whole."""
    unit = next(
        line for line in (PAGE.parents[1] / "Makefile").read_text().splitlines() if "--doctest" in line
    )
    assert "pytest tests ntkal --doctest-modules" in unit
    homes = {inspect.getmodule(inspect.unwrap(value)).__name__ for value in documented().values()}
    assert {home.split(".")[0] for home in homes} == {"ntkal"}


def test_jaxtyping_and_beartype_watch_every_module_of_the_package():
    for info in pkgutil.walk_packages(ntkal.__path__, "ntkal."):
        if not info.name.endswith("__main__"):
            try:
                importlib.import_module(info.name)
            except ImportError as error:  # an extra that is not installed
                pytest.skip(str(error))
    loaders = {
        name: type(module.__spec__.loader).__module__
        for name, module in sys.modules.items()
        if name.split(".")[0] == "ntkal" and getattr(module, "__spec__", None) is not None
    }
    assert len(loaders) > 60
    assert {name for name, loader in loaders.items() if not loader.startswith("jaxtyping")} == set()


@pytest.mark.parametrize(("given", "kept"), [({}, "4"), ({"OPENBLAS_THREAD_TIMEOUT": "20"}, "20")])
def test_idle_blas_threads_are_told_to_sleep_soon_unless_the_user_says_otherwise(given, kept):
    rest = {k: v for k, v in os.environ.items() if k != "OPENBLAS_THREAD_TIMEOUT"}
    program = "import ntkal, os; print(os.environ['OPENBLAS_THREAD_TIMEOUT'])"
    said = subprocess.run([sys.executable, "-c", program], env=rest | given, capture_output=True, check=True)
    assert said.stdout.decode().strip() == kept
