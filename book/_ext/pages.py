"""What is mended on the rendered pages: they work offline, their buttons open notebooks, lists are lists.

MathJax comes from our own files, and Thebe, which names an outside address on each page, does not come.
The launch buttons open the page's generated notebook. Two lists that confuse a reader's aid are put right.
"""

import re
from pathlib import Path

from project import MATHJAX, copy_mathjax
from sphinx.util import logging

logger = logging.getLogger(__name__)


def work_offline(app, config) -> None:
    """Take MathJax from a path below _static, and unhook sphinx-thebe, which Jupyter Book always loads."""
    config.mathjax_path = "mathjax/tex-chtml-full.js"
    for event, listeners in app.events.listeners.items():
        kept = [listener for listener in listeners if listener.handler.__module__ != "sphinx_thebe"]
        app.events.listeners[event] = kept
    app.registry.css_files = [item for item in app.registry.css_files if "thebe" not in item[0]]


def bring_mathjax(app, error) -> None:
    """Copy the part of MathJax that pages load, from the installed package."""
    if not error and app.builder.format == "html":
        copy_mathjax(Path(app.outdir) / "_static" / "mathjax", [*MATHJAX, "ui/safe.js"])


def search_without_summaries(app, pagename, templatename, context, doctree) -> None:
    """Read from the disk, the search page leaves out the excerpts, which a browser may not fetch there."""
    if pagename == "search":
        script = 'if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;'
        app.add_js_file(None, body=script)


def open_notebook(app, pagename, templatename, context, doctree) -> None:
    """Replace book/<page>.md by notebooks/<page>.ipynb in the launch buttons; warn when it is not there."""
    groups = context.get("header_buttons", [])
    for group in (group for group in groups if group.get("label") == "launch-buttons"):
        notebook = f"notebooks/{Path(pagename).name}.ipynb"
        if not (Path(app.srcdir) / notebook).exists():
            logger.warning("%s is missing: run `make notebooks`", notebook, location=pagename)
        for button in (button for button in group["buttons"] if "url" in button):
            if f"{pagename}.md" not in button["url"]:
                logger.warning("no address of this page in the button %s", button["text"], location=pagename)
            button["url"] = button["url"].replace(f"{pagename}.md", notebook)


def mend_lists(app, pagename, templatename, context, doctree) -> None:
    """Lists within lists that are no item of them, in the index of modules, and a list without items."""
    body = context.get("body", "")
    if pagename == "_modules/index":
        title, entries = re.search(r"<h1>.*?</h1>", body, re.S), re.findall(r"<li>.*?</li>", body, re.S)
        context["body"] = "\n".join([title[0], "<ul>", *entries, "</ul>"])
    elif 'class="citation-list"' in body:
        context["body"] = body.replace(' role="list" class="citation-list"', ' class="citation-list"')


def setup(app) -> dict:
    """Register; the buttons after the theme's own handlers, whose priority is 501 at most."""
    app.connect("config-inited", work_offline)
    app.connect("build-finished", bring_mathjax)
    app.connect("html-page-context", search_without_summaries)
    app.connect("html-page-context", open_notebook, priority=600)
    app.connect("html-page-context", mend_lists)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
