"""Make the slides: one deck for each of the chapters that name some, from the outputs of the last run."""

import shutil
import sys
from html import escape
from pathlib import Path

from execute import executed
from labels import Book, Page
from nbconvert import SlidesExporter
from project import MATHJAX, TEMPLATES, BookError, Project, command, copy_mathjax, fill_in, write
from slides_deck import Deck, check_all_read
from traitlets.config import Config

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
    copy_mathjax(target / "mathjax", MATHJAX)


def outputs_of(project: Project, page: Page) -> list[list[dict]]:
    """The outputs of each code cell, from the cache of `make book`, or from a run of the page now."""
    return [cell.outputs for cell in executed(project, page.path).cells if cell.cell_type == "code"]


def make(project: Project, chapters: list[int], target: Path, outputs=outputs_of) -> list[Path]:
    """Write the decks of these chapters (all when there are none) and the list of all decks."""
    book = Book(project)
    decks = [Deck(book, page) for page in book.pages.values() if page.chapter and has_slides(page)]
    if unknown := set(chapters) - {deck.page.chapter for deck in decks}:
        raise BookError(f"there are no slides for chapter {', '.join(map(str, sorted(unknown)))}")
    copy_assets(project, target)
    written, items = [], []
    for deck in decks:
        path = target / f"{deck.page.name}.html"
        if not chapters or deck.page.chapter in chapters:
            write(path, export(deck.notebook(outputs(project, deck.page))))
            written.append(path)
        if path.exists():
            items.append(f'<li><a href="{path.name}">{escape(deck.title)}</a></li>')
    listing = fill_in("list.html", title=escape(project.title), decks="\n".join(items))
    write(target / "index.html", listing)
    return written


CHAPTERS = {"nargs": "*", "type": int, "help": "numbers of chapters (default: all)"}


@command(__doc__, {"chapters": CHAPTERS})
def main(project: Project, chapters: list[int]) -> None:
    """Make the decks."""
    target = project.root / "_build" / "slides"
    written = make(project, chapters, target)
    print(f"{len(written)} decks; open {(target / 'index.html').relative_to(project.root)}")


if __name__ == "__main__":
    sys.exit(main())
