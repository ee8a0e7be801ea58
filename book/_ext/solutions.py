"""Leave the solutions out of the rendered pages: `make book SOLUTIONS=hidden`.

Their cells are executed all the same, since later cells may use what they compute. The buttons that lead to a
page's source, notebook or repository go too, because the solutions are there.
"""

import os
import shutil
from pathlib import Path

from sphinx.errors import ConfigError
from sphinx.transforms import SphinxTransform
from sphinx_exercise.nodes import solution_node

VARIABLE, SHOWN, HIDDEN = "SOLUTIONS", "shown", "hidden"


class LeaveOut(SphinxTransform):
    """Take every solution out of a page, once sphinx-exercise has gathered its pieces (priority 10)."""

    default_priority = 11

    def apply(self) -> None:
        if self.config.solutions == HIDDEN:
            for node in list(self.document.findall(solution_node)):
                node.parent.remove(node)


def check(app, config) -> None:
    """Refuse a word that is neither; keep the sources of the pages out of a book without solutions."""
    if config.solutions not in (SHOWN, HIDDEN):
        said = f"{VARIABLE}: expected {SHOWN} or {HIDDEN}, got {config.solutions!r}; "
        raise ConfigError(said + f"for a book without solutions give make book {VARIABLE}={HIDDEN}.")
    if config.solutions == HIDDEN:
        config.html_copy_source = False


def drop_buttons(app, pagename, templatename, context, doctree) -> None:
    """Drop the buttons that lead to the solutions, after all others have been made."""
    if app.config.solutions == HIDDEN:
        leading = ("launch-buttons", "download-buttons", "source-buttons")
        groups = context.get("header_buttons", [])
        context["header_buttons"] = [group for group in groups if group.get("label") not in leading]


def drop_sources(app, exception) -> None:
    """Drop the sources of the pages that an earlier build with solutions has left."""
    if app.config.solutions == HIDDEN:
        shutil.rmtree(Path(app.outdir) / "_sources", ignore_errors=True)


def setup(app) -> dict:
    """Register the setting; another value reads all pages anew."""
    app.add_config_value("solutions", os.environ.get(VARIABLE) or SHOWN, "env")
    app.add_transform(LeaveOut)
    app.connect("config-inited", check)
    app.connect("build-finished", drop_sources)
    app.connect("html-page-context", drop_buttons, priority=700)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
