"""Point MyST-NB to the folder that book/_tools/execute.py fills.

Its name changes when the package, the lock or the data do.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "_tools"))

from project import Project


def find_cache(app, config) -> None:
    """Set the path before MyST-NB reads its settings; a changed one makes Sphinx read every page again."""
    config.nb_execution_cache_path = str(Project(Path(app.srcdir)).execution_cache())


def setup(app) -> dict:
    """Register the extension."""
    app.connect("config-inited", find_cache)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
