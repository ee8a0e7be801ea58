"""Make the launch buttons of a page open its generated notebook, and fail when that notebook is not there."""

from __future__ import annotations

from pathlib import Path

from sphinx.util import logging

logger = logging.getLogger(__name__)


def open_notebook(app, pagename, templatename, context, doctree) -> None:
    """Replace book/<page>.md by notebooks/<page>.ipynb in the buttons that the theme has made."""
    groups = [
        button for button in context.get("header_buttons", []) if button.get("label") == "launch-buttons"
    ]
    for group in groups:
        notebook = f"notebooks/{Path(pagename).name}.ipynb"
        if not (Path(app.srcdir) / notebook).exists():
            logger.warning("%s is missing: run `make notebooks`", notebook, location=pagename)
        for button in group["buttons"]:
            if "url" not in button:
                continue
            if f"{pagename}.md" not in button["url"]:
                logger.warning("no address of this page in the button %s", button["text"], location=pagename)
            button["url"] = button["url"].replace(f"{pagename}.md", notebook)


def setup(app) -> dict:
    """Register after the theme's own handlers, whose priority is 501 at most."""
    app.connect("html-page-context", open_notebook, priority=600)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
