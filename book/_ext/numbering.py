"""Number each chapter by its file name: theorems, figures and equations of ch09_*.md are 9.1, 9.2, ...

Sphinx numbers pages by their place in the table of contents, so that a missing chapter would renumber all
that follow. Here a chapter has its number for good, and the notebooks can count without asking Sphinx.
"""

from __future__ import annotations

import sys
from pathlib import Path

from docutils import nodes
from sphinx.util import logging
from sphinx_external_toc.collectors import TocTreeCollectorWithStyles

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "_tools"))

from labels import read_book
from project import Project, chapter_number

logger = logging.getLogger(__name__)


def assign_section_numbers(self, env) -> list[str]:
    """Stand in for the collector's method: fill env.toc_secnumbers, name the pages whose number changed."""
    before = env.toc_secnumbers
    env.toc_secnumbers = {}
    for docname, toc in env.tocs.items():
        number = chapter_number(docname)
        if number is None:
            continue
        references = list(toc.findall(nodes.reference))
        env.toc_secnumbers[docname] = {ref["anchorname"]: () for ref in references if "anchorname" in ref}
        env.toc_secnumbers[docname][""] = (number,)
        if references:
            references[0]["secnumber"] = [number]
        if docname in env.titles:
            env.titles[docname]["secnumber"] = [number]
    return [name for name, numbers in env.toc_secnumbers.items() if numbers != before.get(name)]


def check_numbers(app, env) -> None:
    """Warn when a notebook would show another number than the rendered page."""
    _, labels = read_book(Project(Path(app.srcdir)))
    for name, label in labels.items():
        docname = f"book/{label.page}"
        if not label.number or label.kind == "chapter" or docname not in env.toc_fignumbers:
            continue
        counts = env.toc_fignumbers[docname].values()
        rendered = {
            anchor: ".".join(map(str, number)) for count in counts for anchor, number in count.items()
        }
        if rendered.get(label.anchor) != label.number:
            logger.warning(
                "%s is %s %s in the notebook and %s in the rendered page",
                name,
                label.kind,
                label.number,
                rendered.get(label.anchor, "without number"),
                location=docname,
            )


def setup(app) -> dict:
    """Register the extension."""
    app.connect("env-check-consistency", check_numbers)
    TocTreeCollectorWithStyles.assign_section_numbers = assign_section_numbers
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
