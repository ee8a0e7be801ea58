"""Number each chapter by its file name: theorems, figures and equations of ch09_*.md are 9.1, 9.2, ...

Sphinx numbers pages by their place in the table of contents, so that a missing chapter would renumber all
that follow. Here a chapter has its number for good, and the notebooks can count without asking Sphinx. In the
PDF other pages have none; sections have none anywhere.
"""

from pathlib import Path

from docutils import nodes
from labels import Book
from project import Project, chapter_number
from sphinx import addnodes
from sphinx.util import logging
from sphinx_external_toc.collectors import TocTreeCollectorWithStyles

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
    """Count the figures of a page that is no chapter alone; warn where a notebook shows another number."""
    for kinds in (kinds for name, kinds in env.toc_fignumbers.items() if chapter_number(name) is None):
        for kind, at in kinds.items():
            kinds[kind] = {anchor: (i,) for i, anchor in enumerate(sorted(at, key=at.get), 1)}
    for name, label in Book(Project(Path(app.srcdir))).labels.items():
        docname = f"book/{label.page}"
        if not label.number or label.kind == "chapter" or docname not in env.toc_fignumbers:
            continue
        counts, rendered = env.toc_fignumbers[docname].values(), "without number"
        for number in (count[label.anchor] for count in counts if label.anchor in count):
            rendered = ".".join(map(str, number))
        if rendered != label.number:
            message = "%s is %s %s in the notebook and %s in the rendered page"
            logger.warning(message, name, label.kind, label.number, rendered, location=docname)


def counters(docname: str) -> str:
    """The LaTeX that goes before a page: it sets the counter that equations and figures begin with."""
    number = chapter_number(docname)
    if number is None:
        return r"\setcounter{secnumdepth}{-1}"
    return rf"\setcounter{{secnumdepth}}{{0}}\setcounter{{chapter}}{{{number - 1}}}"


def set_counters(app, doctree, docname) -> None:
    """Put it at the head of each page, when all are joined into one document, for LaTeX counts by itself."""
    if app.builder.format == "latex":
        for page in doctree.findall(addnodes.start_of_file):
            page.insert(0, nodes.raw("", counters(page["docname"]), format="latex"))


def setup(app) -> dict:
    """Register the extension."""
    app.connect("env-check-consistency", check_numbers)
    app.connect("doctree-resolved", set_counters)
    TocTreeCollectorWithStyles.assign_section_numbers = assign_section_numbers
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
