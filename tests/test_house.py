"""The house: few doors, small files, imports that run one way, one name for one module."""

import ast
import importlib
import re
from collections import Counter
from pathlib import Path

import pytest

import ntkal

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ntkal"
CORE = ("data", "models", "training", "kernels", "lookahead", "acquisition")
LAYERS = ("inputs", *CORE, "experiments", "scaling", "textbook")
ANYWHERE = {
    "scaling",
    "textbook",
    "doctor",
    "__main__",
    "adapters",
}  # they stand above all and may use each other
LATER = {"release.py", "colab_pins.py"}  # tools with a purpose that came after the limit was set
FEATURES = ("adapters", "grading")  # parts of the package that did
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))


def lines(*paths):
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths)


def layer(path):
    """The folder or file of the package that a module stands in."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path):
    """The parts of the package that a module names, in functions too, but not for type checkers alone."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"ntkal.{name}" for name in names] if node.module == "ntkal" else [node.module]
        yield from (name.split(".")[1] for name in names if name.startswith("ntkal."))


@pytest.fixture(scope="module")
def table():
    """The lines of each folder, docstrings and blank lines with them; printed where a test fails."""
    found = Counter()
    for path in MODULES:
        found[layer(path)] += lines(path)
    print(*(f"{count:6} {name}" for name, count in found.most_common()), sep="\n")
    return found


def test_the_listing_of_the_package_is_short():
    tracked = [path for path in PACKAGE.iterdir() if path.name != "__pycache__" and not empty(path)]
    assert len([path for path in tracked if path.is_file()]) <= 8
    assert len([path for path in tracked if path.is_dir()]) <= 11


def empty(folder):
    """A folder that an older version of the package has left, with nothing but what was compiled."""
    return folder.is_dir() and not any(path.suffix != ".pyc" for path in folder.rglob("*") if path.is_file())


def test_no_file_is_long():
    tools = [*(ROOT / "book" / "_tools").glob("*.py"), *(ROOT / "book" / "_ext").glob("*.py")]
    sizes = {str(path.relative_to(ROOT)): lines(path) for path in [*MODULES, *tools]}
    assert {name: size for name, size in sizes.items() if size > 300} == {}


def test_the_package_is_small(table):
    features = sum(lines(path) for path in MODULES if layer(path) in FEATURES or path.stem in FEATURES)
    assert sum(table.values()) - features <= 13_700  # on its way to 12,000: it may shrink, not grow
    assert features <= 1_000


def test_the_core_is_small(table):
    assert table["inputs"] + sum(table[name] for name in CORE) <= 7_500


def test_the_tools_of_the_book_are_small():
    tools = {
        path.name: lines(path)
        for folder in ("_tools", "_ext")
        for path in (ROOT / "book" / folder).glob("*.py")
    }
    print(*(f"{size:6} {name}" for name, size in sorted(tools.items(), key=lambda item: -item[1])), sep="\n")
    assert sum(size for name, size in tools.items() if name not in LATER) <= 3_000


def test_no_import_runs_upwards():
    wrong = []
    for path in MODULES:
        here = layer(path)
        if here in ANYWHERE or here == "__init__":
            continue
        allowed = {*LAYERS[: LAYERS.index(here) + 1], "inputs"}
        above = set(imported(path)) - allowed
        wrong += [f"{path.relative_to(PACKAGE)} imports {name}" for name in sorted(above)]
    assert wrong == []


def test_an_import_that_runs_upwards_is_seen(tmp_path):
    source = "import ntkal.scaling.sharded\nfrom ntkal import textbook\n"
    (tmp_path / "module.py").write_text(source + "def f():\n    from ntkal.kernels import x\n")
    assert set(imported(tmp_path / "module.py")) == {"scaling", "textbook", "kernels"}


def test_no_two_modules_have_one_name():
    names = Counter(path.stem for path in MODULES if not path.stem.startswith("__"))
    names += Counter(
        path.parent.name for path in MODULES if path.stem == "__init__" and path.parent != PACKAGE
    )
    assert {name: count for name, count in names.items() if count > 1} == {}


@pytest.mark.parametrize("old", sorted(ntkal._MOVED))
def test_what_has_moved_is_found_by_its_old_name(old):
    module = importlib.import_module(f"ntkal.{old}")
    assert module is importlib.import_module(f"ntkal.{ntkal._MOVED[old]}")


def test_the_changelog_begins_with_what_has_moved():
    rows = re.findall(r"^\| `ntkal\.(.+)` \| `ntkal\.(.+)` \|$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert dict(rows) == ntkal._MOVED
