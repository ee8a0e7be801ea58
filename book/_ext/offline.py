"""Keep every page free of requests that leave the machine: MathJax from our own files, and no Thebe."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from sphinx.util.fileutil import copy_asset

# The part of MathJax that pages load: one script, its TeX extensions on demand, the fonts.
MATHJAX = [
    "tex-chtml-full.js",
    "output/chtml/fonts",
    "input/tex/extensions",
    "a11y/assistive-mml.js",
    "ui/safe.js",
]


def use_local_mathjax(app, config) -> None:
    """Replace the address of a content-delivery network by a path below _static."""
    config.mathjax_path = "mathjax/tex-chtml-full.js"


def copy_mathjax(app, error) -> None:
    """Copy the part of MathJax that is used, from the installed package."""
    if error or app.builder.format != "html":
        return
    package = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent
    target = Path(app.outdir) / "_static" / "mathjax"
    for part in MATHJAX:
        if not (target / part).exists():
            (target / part).parent.mkdir(parents=True, exist_ok=True)
            source = package / "static" / "mathjax" / part
            copy_asset(str(source), str(target / part if source.is_dir() else (target / part).parent))


def drop_thebe(app, config) -> None:
    """Unhook sphinx-thebe, which Jupyter Book always loads: it names an outside address on each page."""
    for event, listeners in app.events.listeners.items():
        kept = [listener for listener in listeners if listener.handler.__module__ != "sphinx_thebe"]
        app.events.listeners[event] = kept
    app.registry.css_files = [item for item in app.registry.css_files if "thebe" not in item[0]]


def search_without_summaries(app, pagename, templatename, context, doctree) -> None:
    """Read from the disk, the search page leaves out the excerpts, which a browser may not fetch there."""
    if pagename == "search":
        script = 'if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;'
        app.add_js_file(None, body=script)


def setup(app) -> dict:
    """Register the extension."""
    app.connect("html-page-context", search_without_summaries)
    app.connect("config-inited", use_local_mathjax)
    app.connect("build-finished", copy_mathjax)
    app.connect("config-inited", drop_thebe)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
