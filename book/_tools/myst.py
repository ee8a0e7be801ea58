"""Read the book's MyST, with line numbers: pages into cells, cells into blocks. Only what the book uses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from myst_nb.core.read import read_myst_markdown_notebook
from myst_parser.config.main import MdParserConfig

FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<marks>`{3,}|~{3,}|:{3,})(?P<info>.*)$")
DIRECTIVE = re.compile(r"\{(?P<name>[\w:.-]+)\}\s*(?P<argument>.*)$")
MATH_START = re.compile(r"^[ \t]*\$\$")
MATH_BLOCK = re.compile(r"^\s*\$\$(?P<tex>.*?)\$\$[ \t]*(\((?P<label>[^)\s]+)\))?[ \t]*$", re.DOTALL)
OPTION = re.compile(r"^:(?P<key>[\w-]+):\s*(?P<value>.*)$")
TARGET = re.compile(r"^\((?P<label>[^()\s]+)\)=\s*$")
EXTENSIONS = {"amsmath", "colon_fence", "deflist", "dollarmath"}


class BookError(Exception):
    """Something in a page that the notebooks cannot show; says file and line."""


@dataclass
class Text:
    """Ordinary Markdown."""

    lines: list[str]
    line: int


@dataclass
class Code:
    """A fence without a directive, kept as it stands."""

    lines: list[str]
    line: int


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
    config = MdParserConfig(enable_extensions=EXTENSIONS)
    notebook = read_myst_markdown_notebook(path.read_text(), config=config, add_source_map=True, path=path)
    rows = path.read_text().splitlines()
    cells = []
    for cell, start in zip(notebook.cells, notebook.metadata.pop("source_map"), strict=True):
        while cell.cell_type == "markdown" and not rows[start].strip():
            start += 1  # the blank lines before a cell are not in it
        cells.append(Cell(cell.cell_type, cell.source, start + 1, dict(cell.metadata)))
    return cells


def parse(lines: list[str], line: int, path: Path) -> Iterator[Text | Code | Math | Directive]:
    """Split Markdown into blocks; `line` is the number of the first line in the file at `path`."""
    text: list[str] = []
    i = 0
    while i < len(lines):
        fence = FENCE.match(lines[i])
        if not fence and not MATH_START.match(lines[i]):
            text.append(lines[i])
            i += 1
            continue
        if text:
            yield Text(text, line + i - len(text))
            text = []
        end, block = read_fence(lines, i, line, path) if fence else read_math(lines, i, line, path)
        yield block
        i = end
    if text:
        yield Text(text, line + i - len(text))


def read_fence(lines: list[str], start: int, line: int, path: Path) -> tuple[int, Code | Directive]:
    """Read the fence that opens at `start`; return the index after it and the block."""
    opening = FENCE.match(lines[start])
    closing = re.compile(rf"^\s*{re.escape(opening['marks'][0])}{{{len(opening['marks'])},}}\s*$")
    end = next((i for i in range(start + 1, len(lines)) if closing.match(lines[i])), None)
    if end is None:
        raise BookError(f"{path}:{line + start}: a fence is opened and not closed")
    directive = DIRECTIVE.match(opening["info"].strip())
    if not directive:
        return end + 1, Code(lines[start : end + 1], line + start)
    indent = opening["indent"]
    body = [row.removeprefix(indent) for row in lines[start + 1 : end]]
    options, skipped = read_options(body)
    block = Directive(
        directive["name"],
        directive["argument"].strip(),
        options,
        body[skipped:],
        line + start,
        line + start + 1 + skipped,
        indent,
    )
    return end + 1, block


def read_options(body: list[str]) -> tuple[dict[str, str], int]:
    """A directive's options, in either notation, and the number of lines that they take."""
    if body and body[0].strip() == "---":
        end = next((i for i in range(1, len(body)) if body[i].strip() == "---"), len(body) - 1)
        options = yaml.safe_load("\n".join(body[1:end])) or {}
        return {key: "" if value is None else str(value) for key, value in options.items()}, end + 1
    options = {}
    for count, row in enumerate(body):
        match = OPTION.match(row)
        if not match:
            return options, count
        options[match["key"]] = match["value"]
    return options, len(body)


def read_math(lines: list[str], start: int, line: int, path: Path) -> tuple[int, Math | Text]:
    """Read a `$$ ... $$ (label)` block."""
    indent = re.match(r"[ \t]*", lines[start])[0]
    for end in range(start + 1, len(lines) + 1):
        chunk = "\n".join(lines[start:end])
        if chunk.count("$$") < 2:
            if end > start + 1 and not lines[end - 1].strip():
                break
            continue
        match = MATH_BLOCK.match(chunk)
        if match:
            return end, Math(match["tex"].strip(), match["label"], line + start, indent)
        return end, Text(lines[start:end], line + start)
    raise BookError(f"{path}:{line + start}: $$ is opened and not closed")
