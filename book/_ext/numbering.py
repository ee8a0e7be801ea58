"""Number each chapter by its file name: theorems, figures and equations of ch09_*.md are 9.1, 9.2, ...

Sphinx numbers pages by their place in the table of contents, so that a missing chapter would renumber all
that follow. Here a chapter has its number for good, and the notebooks can count without asking Sphinx.
"""

from __future__ import annotations

import sys
from pathlib import Path

from docutils import nodes
from sphinx_external_toc.collectors import TocTreeCollectorWithStyles

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "_tools"))

from project import chapter_number


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


def setup(app) -> dict:
    """Register the extension."""
    TocTreeCollectorWithStyles.assign_section_numbers = assign_section_numbers
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
