"""The public names: each has an example that is run, shapes are checked, references lead somewhere."""

import importlib
import inspect
import pkgutil
import re
import sys
from functools import cache
from pathlib import Path

import pytest

import ntkal

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "book" / "api.md"
SECTION = re.compile(r"^\.\. automodule:: (\S+)\n((?:   :.*\n)+)", re.MULTILINE)
SECTIONS = {  # the options of each, by the module
    name: dict(re.findall(r":(\S+): ?(.*)", options))
    for name, options in SECTION.findall(PAGE.read_text(encoding="utf-8"))
}
OWN = re.compile(r"^\.\. py:\w+:: (ntkal\.\w+)", re.MULTILINE)
ROLES = r"(?:py:)?(?:func|class|meth|mod|attr|data|exc|obj)"
REFERENCE = re.compile(rf"(?:\{{{ROLES}\}}|:{ROLES}:)`(?:[^`<]*<)?[~!.]*(ntkal[\w.]*)>?`")

# Their examples would take a minute, or start processes; tests/textbook/figures/test_figures.py and
# tests/experiments/test_sweep.py stand for them.
LONG = {"ntkal.textbook.figures.make", "ntkal.experiments.workers.connect"}


def public(module):
    """What the page shows of a module, errors aside: the names in ``__all__``, else those made in it."""
    listed = getattr(module, "__all__", None)
    left_out = SECTIONS[module.__name__].get("exclude-members", "").split(", ")
    for name, value in vars(module).items():
        if not (inspect.isfunction(value) or inspect.isclass(value)) or name in left_out:
            continue
        own = not name.startswith("_") and value.__module__ == module.__name__
        if own if listed is None else name in listed:
            yield f"{module.__name__}.{name}", value


@cache
def documented():
    """Every function and class of the page by the name under which its section has it."""
    found = {}
    for name in SECTIONS:
        found |= dict(public(importlib.import_module(name)))
    return found


@cache
def targets():
    """Every name that a reference can lead to: those of the page, with the methods and fields of classes."""
    found = {*SECTIONS, *OWN.findall(PAGE.read_text(encoding="utf-8")), *documented()}
    for name, value in documented().items():
        found.add(f"{value.__module__}.{value.__qualname__}")  # Sphinx knows where it is defined
        if inspect.isclass(value):
            inherited = "inherited-members" in SECTIONS[name.rpartition(".")[0]]
            members = [*(dir(value) if inherited else vars(value)), *getattr(value, "__annotations__", {})]
            found |= {f"{name}.{member}" for member in members if not member.startswith("_")}
    return found


def texts():
    """The pages of the book, and the docstrings that the API page shows."""
    for path in sorted((ROOT / "book").rglob("*.md")):
        yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    for name in SECTIONS:
        yield name, inspect.getdoc(importlib.import_module(name)) or ""
    for name, value in documented().items():
        yield name, inspect.getdoc(value) or ""
        for member, part in vars(value).items() if inspect.isclass(value) else ():
            yield f"{name}.{member}", inspect.getdoc(part) or "" if not member.startswith("__") else ""


def test_the_page_has_every_name_of_the_package_itself():
    own = {name.removeprefix("ntkal.") for name in OWN.findall(PAGE.read_text(encoding="utf-8"))}
    assert own == {name for name in ntkal.__all__ if not inspect.ismodule(getattr(ntkal, name))}
    packages = {f"ntkal.{name}" for name in ntkal.__all__ if inspect.ismodule(getattr(ntkal, name))}
    assert {
        name for name in packages if not any(f"{found}.".startswith(f"{name}.") for found in SECTIONS)
    } == set()


@pytest.mark.parametrize("name", [name for name in ntkal.__all__ if inspect.isfunction(getattr(ntkal, name))])
def test_the_page_shows_the_arguments_that_a_function_of_the_package_takes(name):
    shown = re.search(rf"^\.\. py:function:: ntkal\.{name}\((.*)\)$", PAGE.read_text(encoding="utf-8"), re.M)
    taken = inspect.signature(getattr(ntkal, name)).parameters.values()
    words = [part.split("=")[0].lstrip("*") for part in re.split(r",\s*(?![^(\[]*[)\]])", shown[1])]
    assert [word for word in words if word] == [parameter.name for parameter in taken]


def test_every_public_function_and_class_has_an_example():
    found = {name: value for name, value in documented().items() if not is_error(value)}
    assert len(found) > 100
    without = {name for name, value in found.items() if ">>> " not in (inspect.getdoc(value) or "")}
    assert without == LONG


def is_error(value):
    return inspect.isclass(value) and issubclass(value, BaseException)


def test_each_function_and_class_is_documented_once():
    homes = {}
    for name, value in documented().items():
        homes.setdefault(value, []).append(name)
    assert [names for names in homes.values() if len(names) > 1] == []


def test_every_reference_to_the_package_leads_to_a_documented_name():
    dangling = {
        f"{where}: {target}"
        for where, text in texts()
        for target in REFERENCE.findall(text)
        if target != "ntkal" and target not in targets()
    }
    assert sorted(dangling) == []


def test_a_reference_is_found_in_every_form():
    text = "{func}`ntkal.a` :func:`~ntkal.b.c` {class}`words <ntkal.D>` :py:meth:`.ntkal.e` `ntkal.not`"
    assert REFERENCE.findall(text) == ["ntkal.a", "ntkal.b.c", "ntkal.D", "ntkal.e"]


def test_the_examples_are_among_those_that_are_run():
    """They stand in modules of the package, which ``make unit`` gives to doctest as a whole."""
    unit = next(line for line in (ROOT / "Makefile").read_text().splitlines() if "--doctest" in line)
    assert "ntkal --doctest-modules" in unit
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
