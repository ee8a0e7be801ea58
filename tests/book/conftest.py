"""The book's tools on the path, and a small book to try them on."""

import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [*(str(ROOT / "book" / name) for name in ("_tools", "_ext")), str(ROOT / "tests" / "book")]

from project import Project  # noqa: E402


@pytest.fixture
def sample(tmp_path) -> Project:
    """A repository with a book of two chapters that uses all the syntax that the notebooks support."""
    root = tmp_path / "repository"
    shutil.copytree(ROOT / "tests" / "book" / "sample", root)
    for name in ["_config.yml", "pyproject.toml", "requirements.lock"]:
        shutil.copy(ROOT / name, root / name)
    for name in ["_ext", "_tools", "_static"]:
        shutil.copytree(
            ROOT / "book" / name, root / "book" / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    (root / "ntkal").mkdir()
    (root / "ntkal" / "__init__.py").write_text('"""A package."""\n')
    return Project(root)
