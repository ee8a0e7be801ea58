"""In the PDF, as on the pages, a chapter has the number in its file name, and other pages have none.

LaTeX counts chapters by itself. Before each one this sets its counter, from which equations and figures
take their first number; sections have no number on the pages and get none here.
"""

from __future__ import annotations

import sys
from pathlib import Path

from docutils import nodes
from sphinx import addnodes

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "_tools"))

from project import chapter_number


def counters(docname: str) -> str:
    """The LaTeX that goes before a page."""
    number = chapter_number(docname)
    if number is None:
        return r"\setcounter{secnumdepth}{-1}"
    return rf"\setcounter{{secnumdepth}}{{0}}\setcounter{{chapter}}{{{number - 1}}}"


def set_counters(app, doctree, docname) -> None:
    """Put it at the head of each page, when all are joined into one document."""
    if app.builder.format == "latex":
        for page in doctree.findall(addnodes.start_of_file):
            page.insert(0, nodes.raw("", counters(page["docname"]), format="latex"))


def setup(app) -> dict:
    """Register the extension."""
    app.connect("doctree-resolved", set_counters)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
