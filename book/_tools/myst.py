"""Read the book's MyST, with line numbers: pages into cells, cells into blocks. Only what the book uses."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from docutils.parsers.rst.directives.misc import TestDirective
from markdown_it.renderer import RendererHTML
from myst_nb.core.read import read_myst_markdown_notebook
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.directives import parse_directive_text
from myst_parser.parsers.mdit import create_md_parser
from project import BookError

CONFIG = MdParserConfig(enable_extensions={"amsmath", "colon_fence", "deflist", "dollarmath"})
PARSER = create_md_parser(CONFIG, RendererHTML)
DIRECTIVE = re.compile(r"\{(?P<name>[\w:.-]+)\}\s*(?P<argument>.*)$")
TARGET = re.compile(r"^\((?P<label>[^()\s]+)\)=\s*$")


@dataclass
class Text:
    """Ordinary Markdown."""

    lines: list[str]
    line: int


@dataclass
class Code(Text):
    """A fence without a directive, kept as it stands."""


@dataclass
class Math:
    """A displayed equation."""

    tex: str
    label: str | None
    line: int
    indent: str = ""


@dataclass
class Directive:
    """A fenced directive: its body is not parsed yet; `body_line` is the line of its first line."""

    name: str
    argument: str
    options: dict[str, str]
    body: list[str]
    line: int
    body_line: int
    indent: str = ""


@dataclass
class Cell:
    """A cell of a page and the line (from 1) on which it starts."""

    kind: str
    source: str
    line: int
    metadata: dict = field(default_factory=dict)


def read_cells(path: Path) -> list[Cell]:
    """The page's cells, as MyST-NB sees them, so that the book and the notebooks split a page alike."""
    notebook = read_myst_markdown_notebook(path.read_text(), config=CONFIG, add_source_map=True, path=path)
    rows = path.read_text().splitlines()
    cells = []
    for cell, start in zip(notebook.cells, notebook.metadata.pop("source_map"), strict=True):
        while cell.cell_type == "markdown" and not rows[start].strip():
            start += 1  # the blank lines before a cell are not in it
        cells.append(Cell(cell.cell_type, cell.source, start + 1, dict(cell.metadata)))
    return cells


def parse(lines: list[str], line: int, path: Path) -> Iterator[Text | Code | Math | Directive]:
    """Split Markdown into blocks; `line` is the number of the first line in the file at `path`."""
    done = 0
    for token in PARSER.parse("\n".join(lines)):
        if token.type not in {"fence", "colon_fence", "math_block", "math_block_label"}:
            continue
        start, end = token.map
        if start > done:
            yield Text(lines[done:start], line + done)
        indent, done = re.match(r"[ \t]*", lines[start])[0], end
        if token.type.startswith("math"):
            yield Math(token.content.strip(), token.info or None, line + start, indent)
            continue
        if not re.fullmatch(rf"\s*{re.escape(token.markup)}+\s*", lines[end - 1]) or end == start + 1:
            raise BookError(f"{path}:{line + start}: a fence is opened and not closed")
        if not (named := DIRECTIVE.match(token.info.strip())):
            yield Code(lines[start:end], line + start)
            continue
        found = parse_directive_text(TestDirective, "", token.content)
        name, argument, body_line = named["name"], named["argument"].strip(), start + 1 + found.body_offset
        yield Directive(name, argument, found.options, found.body, line + start, line + body_line, indent)
    if done < len(lines):
        yield Text(lines[done:], line + done)
