"""Make the slides: one deck for each of the chapters that name some, from the outputs of the last run."""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import shutil
import sys
from html import escape
from pathlib import Path

from citations import Bibliography
from execute import find, open_cache, read, run_all
from labels import Page, read_book
from myst import BookError
from nbconvert import SlidesExporter
from project import ROOT, Project, chapter_number
from slides_deck import Deck, check_all_read
from traitlets.config import Config

TEMPLATES = Path(__file__).resolve().parent / "slides_template"
MATHJAX = ["tex-chtml-full.js", "output/chtml/fonts", "input/tex/extensions", "a11y/assistive-mml.js"]
FILES = {  # below book/_static, and the folder in which nbconvert's template expects it
    "reveal/reveal.js": "reveal/dist",
    "reveal/reveal.css": "reveal/dist",
    "reveal/deck.css": "reveal/dist/theme",
    "reveal/deck.js": "reveal",
    "reveal/LICENSE": "reveal",
    "favicon.svg": "reveal",
}


def has_slides(page: Page) -> bool:
    """Whether some cell of the page names a slide."""
    check_all_read(page)
    return any("slide" in cell.metadata for cell in page.cells)


def export(notebook) -> str:
    """The HTML of a deck: its files are found beside it, in `reveal` and `mathjax`."""
    exporter = SlidesExporter(
        template_name="deck",
        extra_template_basedirs=[str(TEMPLATES)],
        reveal_url_prefix="reveal",
        reveal_theme="deck",
        exclude_anchor_links=True,
        config=Config({"CSSHTMLHeaderPreprocessor": {"style": "a11y-light"}}),
    )
    return exporter.from_notebook_node(notebook)[0]


def copy_assets(project: Project, target: Path) -> None:
    """Put reveal.js and the part of MathJax that the slides load beside the decks."""
    static = project.root / "book" / "_static"
    for name, place in FILES.items():
        (target / place).mkdir(parents=True, exist_ok=True)
        shutil.copy(static / name, target / place)
    package = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
    for part in MATHJAX:
        source, copy = package / part, target / "mathjax" / part
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, copy)
            else:
                shutil.copy(source, copy)


def outputs_of(project: Project, page: Page) -> list[list[dict]]:
    """The outputs of each code cell, from the cache of `make book`, or from a run of the page now."""
    cache = open_cache(project)
    if find(cache, read(page.path)) is None and asyncio.run(run_all(cache, [page.path], 1)):
        raise SystemExit(1)
    return [cell.outputs for cell in find(cache, read(page.path)).cells if cell.cell_type == "code"]


def make(project: Project, chapters: set[int], target: Path, outputs=outputs_of) -> list[Path]:
    """Write the decks of these chapters (all when there are none) and the list of all decks."""
    pages, labels = read_book(project)
    bibliography = Bibliography(project.root / "book" / "references.bib", project.page_url("bibliography"))
    decks = [page for page in pages.values() if chapter_number(page.name) and has_slides(page)]
    if unknown := chapters - {chapter_number(page.name) for page in decks}:
        raise BookError(f"there are no slides for chapter {', '.join(map(str, sorted(unknown)))}")
    target.mkdir(parents=True, exist_ok=True)
    copy_assets(project, target)
    written, items = [], []
    for page in decks:
        path, number = target / f"{page.name}.html", chapter_number(page.name)
        deck = Deck(project, page, labels, bibliography)
        if not chapters or number in chapters:
            path.write_text(export(deck.notebook(outputs(project, page))))
            written.append(path)
        if path.exists():
            items.append(f'<li><a href="{path.name}">{escape(deck.title)}</a></li>')
    listing = (TEMPLATES / "list.html").read_text()
    listing = listing.replace("{title}", escape(project.title)).replace("{decks}", "\n".join(items))
    (target / "index.html").write_text(listing)
    return written


def main(arguments: list[str] | None = None) -> int:
    """Make the decks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chapters", nargs="*", type=int, help="numbers of chapters (default: all)")
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository (default: this one)")
    options = parser.parse_args(arguments)
    project = Project(options.root.resolve())
    target = project.root / "_build" / "slides"
    try:
        written = make(project, set(options.chapters), target)
    except BookError as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"{len(written)} decks; open {(target / 'index.html').relative_to(project.root)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
