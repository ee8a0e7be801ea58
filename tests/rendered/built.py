"""The files of the rendered book, read without a browser."""

from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from project import ROOT

HTML = ROOT / "_build" / "html"
START = "index.html"  # sends the reader to the first page and has nothing of its own
PRINTED = "onlyprint"  # the class of the theme's second title and contents, which no screen shows
LEVELS = ("h1", "h2", "h3", "h4", "h5", "h6")
PICTURES = (".png", ".svg", ".jpg", ".gif")


def pages(folder: Path = HTML) -> list[str]:
    """Every page, by its path below the book's folder."""
    if not (folder / START).is_file():
        raise pytest.UsageError(
            f"There is no rendered book in {folder}: run `make book` first, then these checks."
        )
    found = (path.relative_to(folder) for path in sorted(folder.rglob("*.html")))
    return [str(path) for path in found if path.parts[0] != "_static" and str(path) != START]


class Page(HTMLParser):
    """What a page names and shows: its anchors, addresses, headings and pictures."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.anchors: set[str] = set()
        self.addresses: dict[str, None] = {}  # in order, once each
        self.headings: list[tuple[int, str]] = []
        self.pictures: list[tuple[str, str]] = []  # address and text
        self.heading: str | None = None  # the element that is open
        self.printed = 0  # how many elements are open in what is only printed
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[key] for key in ("id", "name") if key in found}
        self.addresses |= {found[key]: None for key in ("href", "src") if key in found}
        if tag == "img":
            self.pictures.append((found.get("src", ""), found.get("alt", "").strip()))
        if tag == "div" and (self.printed or PRINTED in found.get("class", "").split()):
            self.printed += 1
        if tag in LEVELS and not self.printed:
            self.heading = tag
            self.headings.append((LEVELS.index(tag) + 1, ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "div" and self.printed:
            self.printed -= 1
        if tag == self.heading:
            self.heading = None

    def handle_data(self, data: str) -> None:
        if self.heading:
            level, text = self.headings[-1]
            self.headings[-1] = level, text + data


@cache
def read(path: Path) -> Page:
    """A page, read once."""
    return Page(path)


def dangling(path: Path) -> list[str]:
    """The page's own addresses that lead to no file, or to no place in it."""
    wrong = []
    for address in read(path).addresses:
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        place = unquote(parts.fragment) if target.suffix == ".html" else ""
        if not target.is_file() or (place and place not in read(target).anchors):
            wrong.append(address)
    return wrong


def disorder(path: Path) -> list[str]:
    """What is wrong with the headings: not one title, or a level left out."""
    levels = read(path).headings
    titles = [text for level, text in levels if level == 1]
    wrong = [] if len(titles) == 1 and titles[0].strip() else [f"{len(titles)} titles: {titles}"]
    for (above, _), (level, text) in zip([(0, ""), *levels], levels, strict=False):
        if level > above + 1:
            wrong.append(f"{text!r} has level {level} after level {above}")
    return wrong


def undescribed(path: Path) -> list[str]:
    """The pictures without a text that stands for them; a file's name is none."""
    return [source for source, text in read(path).pictures if not text or text.endswith(PICTURES)]


def weight(path: Path) -> int:
    """The bytes of a page and of its own pictures; what all pages share is in _static."""
    own = {(path.parent / unquote(source)).resolve() for source, _ in read(path).pictures}
    own = {file for file in own if file.is_file() and "_static" not in file.parts}
    return path.stat().st_size + sum(file.stat().st_size for file in own)
