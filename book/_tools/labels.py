"""Collect every label of the book with the number that the rendered page shows."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from docutils.nodes import make_id
from myst import TARGET, BookError, Cell, Code, Directive, Math, Text, parse, read_cells
from project import Project, chapter_number

# Kinds that share the count of theorems (see prf_realtyp_to_countertyp in _config.yml).
THEOREMS = {
    "theorem", "lemma", "proposition", "corollary", "definition", "assumption", "remark", "example",
    "algorithm", "conjecture", "property", "observation",
}  # fmt: skip
CONTAINERS = {
    "admonition", "note", "tip", "warning", "important", "caution", "attention", "hint", "danger", "error",
    "seealso", "dropdown", "margin", "sidebar", "div", "container", "epigraph", "exercise", "exercise-start",
    "solution", "solution-start", "prf:proof",
}  # fmt: skip
HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*$")


@dataclass(frozen=True)
class Label:
    """What a label points to."""

    kind: str  # equation, figure, table, exercise, solution, section, chapter, or a kind of theorem
    number: str  # "9.3", or "" where there is none
    title: str
    page: str
    anchor: str


@dataclass
class Page:
    """A page read once: its cells, and the numbers of its numbered things in order of appearance."""

    path: Path
    cells: list[Cell]
    labels: dict[str, Label]
    numbers: dict[int | tuple[int, str], str]  # by the line where the thing starts

    @property
    def name(self) -> str:
        return self.path.stem


def read_page(path: Path) -> Page:
    """Read a page and number what it holds."""
    page = Page(path, read_cells(path), {}, {})
    count: Counter[str] = Counter()
    chapter = chapter_number(path.stem)

    def number(counter: str, line: int) -> str:
        count[counter] += 1
        page.numbers[line] = f"{chapter}.{count[counter]}" if chapter else str(count[counter])
        return page.numbers[line]

    def add(
        label: str | None, kind: str, digits: str, title: str, line: int, anchor: str | None = None
    ) -> None:
        if not label:
            return
        if label in page.labels:
            raise BookError(f"{path}:{line}: the label {label} is already taken on this page")
        page.labels[label] = Label(kind, digits, title, path.stem, anchor or make_id(label))

    def walk(lines: list[str], line: int) -> None:
        for block in parse(lines, line, path):
            if isinstance(block, Text):
                add_headings(block)
            elif isinstance(block, Math) and block.label:
                add_equation(block.label, block.line)
            elif isinstance(block, Directive):
                add_directive(block)

    def add_headings(text: Text) -> None:
        waiting = []
        for offset, row in enumerate(text.lines):
            if target := TARGET.match(row):
                waiting.append(target["label"])
            elif heading := HEADING.match(row):
                top = len(heading[1]) == 1 and chapter
                for label in waiting:
                    add(
                        label,
                        "chapter" if top else "section",
                        str(chapter or "") if top else "",
                        heading[2],
                        text.line + offset,
                    )
                waiting = []
            elif row.strip() and waiting:
                for label in waiting:
                    add(label, "place", "", "", text.line + offset)
                waiting = []
        for label in waiting:
            add(label, "place", "", "", text.line + len(text.lines))

    def add_equation(label: str, line: int) -> None:
        add(label, "equation", number("equation", line), "", line, f"equation-{make_id(label)}")

    def add_directive(block: Directive) -> None:
        kind, label = block.name.removeprefix("prf:"), block.options.get("label")
        if block.name == "math":
            if label:
                add_equation(label, block.line)
        elif block.name in {"figure", "explorable", "table", "list-table"}:
            counter = "figure" if block.name in {"figure", "explorable"} else "table"
            caption = block.argument if counter == "table" else any(row.strip() for row in block.body)
            digits = number(counter, block.line) if caption else ""
            add(block.options.get("name"), counter, digits, "", block.line)
        elif kind in THEOREMS and block.name.startswith("prf:"):
            digits = "" if "nonumber" in block.options else number("theorem", block.line)
            add(label, kind, digits, block.argument, block.line, label)
            walk(block.body, block.body_line)
        elif kind in {"exercise", "exercise-start"}:
            digits = "" if "nonumber" in block.options else number("exercise", block.line)
            add(label, "exercise", digits, block.argument, block.line, label)
            walk(block.body, block.body_line)
        elif block.name in CONTAINERS:
            if kind.startswith("solution"):
                add(label, "solution", "", block.argument, block.line, label)
            walk(block.body, block.body_line)

    for cell in page.cells:
        if cell.kind == "markdown":
            walk(cell.source.splitlines(), cell.line)
        elif figure := cell.metadata.get("mystnb", {}).get("figure"):
            digits = number("figure", cell.line) if figure.get("caption") else ""
            add(figure.get("name"), "figure", digits, "", cell.line)
    return page


def read_book(project: Project) -> tuple[dict[str, Page], dict[str, Label]]:
    """Every page by name, and every label of the book."""
    pages = {path.stem: read_page(path) for path in project.sources()}
    labels: dict[str, Label] = {}
    for page in pages.values():
        for name, label in page.labels.items():
            if name in labels:
                raise BookError(f"{page.path}: the label {name} is also on page {labels[name].page}")
            labels[name] = label
    return pages, labels


__all__ = ["CONTAINERS", "THEOREMS", "Code", "Label", "Page", "read_book", "read_page"]
