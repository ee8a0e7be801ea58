"""Mend two places where what Sphinx writes confuses a reader's aid."""

from __future__ import annotations

import re


def mend_lists(app, pagename, templatename, context, doctree) -> None:
    """Lists within lists that are no item of them, in the index of modules, and a list without items."""
    body = context.get("body", "")
    if pagename == "_modules/index":
        title = re.search(r"<h1>.*?</h1>", body, re.DOTALL)
        entries = re.findall(r"<li>.*?</li>", body, re.DOTALL)
        context["body"] = "\n".join([title[0], "<ul>", *entries, "</ul>"])
    elif 'class="citation-list"' in body:
        context["body"] = body.replace(
            '<div role="list" class="citation-list">', '<div class="citation-list">'
        )


def setup(app) -> dict:
    """Register the extension."""
    app.connect("html-page-context", mend_lists)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
