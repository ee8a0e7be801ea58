"""Collect every label of the book with the number that the rendered page shows."""

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from citations import Bibliography
from docutils.nodes import make_id
from myst import TARGET, Cell, Directive, Math, Text, parse, read_cells
from project import BookError, Project, chapter_number

# Kinds that share the count of theorems (see prf_realtyp_to_countertyp in _config.yml).
THEOREMS = {
    "theorem", "lemma", "proposition", "corollary", "definition", "assumption", "remark", "example",
    "algorithm", "conjecture", "property", "observation",
}  # fmt: skip
ADMONITIONS = {
    "note", "tip", "warning", "important", "caution", "attention", "hint", "danger", "error", "seealso",
    "sidebar", "admonition",
}  # fmt: skip
PLAIN = {"div", "container", "epigraph"}
CONTAINERS = {*ADMONITIONS, *PLAIN, "dropdown", "margin", "solution", "solution-start", "prf:proof"}
COUNTED = {"figure": "figure", "explorable": "figure", "table": "table", "list-table": "table"}
HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*$")


@dataclass(frozen=True)
class Label:
    """What a label points to."""

    kind: str  # equation, figure, table, exercise, solution, section, chapter, place, or a kind of theorem
    number: str  # "9.3", or "" where there is none
    title: str
    page: str
    anchor: str


@dataclass
class Page:
    """A page read once: its cells, and the numbers of its numbered things in order of appearance."""

    path: Path
    cells: list[Cell] = field(default_factory=list)
    labels: dict[str, Label] = field(default_factory=dict)
    blocks: dict[str, Math | Directive | Cell] = field(default_factory=dict)  # what has a label, by it
    numbers: dict[int, str] = field(default_factory=dict)  # by the line where the thing starts
    count: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Read the page and number what it holds."""
        self.cells = read_cells(self.path)
        for cell in self.cells:
            if cell.kind == "markdown":
                self.walk(cell.source.splitlines(), cell.line)
            elif figure := cell.metadata.get("mystnb", {}).get("figure"):
                digits = self.next_number("figure", cell.line) if figure.get("caption") else ""
                self.add(figure.get("name"), "figure", cell.line, digits, block=cell)

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def chapter(self) -> int | None:
        return chapter_number(self.name)

    def next_number(self, counter: str, line: int) -> str:
        """The next number of its kind, for what starts at `line`."""
        self.count[counter] += 1
        count = str(self.count[counter])
        self.numbers[line] = f"{self.chapter}.{count}" if self.chapter else count
        return self.numbers[line]

    def add(self, label: str | None, kind: str, line: int, number: str = "", title: str = "", **more) -> None:
        """Note a label, if there is one, and more of it: its anchor, its block."""
        if not label:
            return
        if label in self.labels:
            raise BookError(f"{self.path}:{line}: the label {label} is already taken on this page")
        self.labels[label] = Label(kind, number, title, self.name, more.get("anchor") or make_id(label))
        self.blocks |= {label: more["block"]} if "block" in more else {}

    def walk(self, lines: list[str], line: int) -> None:
        """Number what these lines hold."""
        blocks = list(parse(lines, line, self.path))
        for index, block in enumerate(blocks):
            if isinstance(block, Math) and block.label:
                self.add_equation(block.label, block)
            elif isinstance(block, Directive):
                self.add_directive(block)
            elif isinstance(block, Text):
                self.add_headings(block)
            # The text of a gated exercise is outside, up to the end or to code.
            if getattr(block, "name", "") == "exercise-start":
                ends = (
                    later.line for later in blocks[index:] if getattr(later, "name", "") == "exercise-end"
                )
                first = block.body_line + len(block.body) + 1
                body = lines[first - line : next(ends, line + len(lines)) - line]
                whole = replace(block, name="exercise", body=body, body_line=first)
                self.blocks[block.options.get("label", "")] = whole

    def add_headings(self, text: Text) -> None:
        """Note the targets in a text: of headings, or of the places where they stand."""
        waiting: list[str] = []
        for offset, row in enumerate([*text.lines, "end"]):
            if target := TARGET.match(row):
                waiting.append(target["label"])
            elif row.strip():
                kind, number, title = "place", "", ""
                if heading := HEADING.match(row):
                    top, title = len(heading[1]) == 1 and self.chapter, heading[2]
                    kind, number = ("chapter", str(top)) if top else ("section", "")
                for label in waiting:
                    self.add(label, kind, text.line + offset, number, title)
                waiting = []

    def add_equation(self, label: str, block: Math | Directive) -> None:
        """Number an equation."""
        number = self.next_number("equation", block.line)
        self.add(label, "equation", block.line, number, anchor=f"equation-{make_id(label)}", block=block)

    def add_directive(self, block: Directive) -> None:
        """Number a directive by its kind, and what is in it."""
        name, label, title = block.name, block.options.get("label"), block.argument
        kind = name.removeprefix("prf:").removesuffix("-start")
        numbered = kind == "exercise" or (name.startswith("prf:") and kind in THEOREMS)
        if name == "math" and label:
            self.add_equation(label, block)
        elif counter := COUNTED.get(name):
            caption = title if counter == "table" else any(row.strip() for row in block.body)
            digits = self.next_number(counter, block.line) if caption else ""
            self.add(block.options.get("name"), counter, block.line, digits, block=block)
        elif numbered:
            counter = "exercise" if kind == "exercise" else "theorem"
            digits = "" if "nonumber" in block.options else self.next_number(counter, block.line)
            self.add(label, kind, block.line, digits, title, anchor=label, block=block)
        elif kind == "solution":
            self.add(label, kind, block.line, "", title, anchor=label, block=block)
        if numbered or name in CONTAINERS:
            self.walk(block.body, block.body_line)


@dataclass(frozen=True)
class Book:
    """Every page of a project by its name, every label of the book, and the works that it cites."""

    project: Project

    @cached_property
    def pages(self) -> dict[str, Page]:
        return {path.stem: Page(path) for path in self.project.sources()}

    @cached_property
    def labels(self) -> dict[str, Label]:
        labels: dict[str, Label] = {}
        for page in self.pages.values():
            for name, label in page.labels.items():
                if name in labels:
                    raise BookError(f"{page.path}: the label {name} is also on page {labels[name].page}")
                labels[name] = label
        return labels

    @cached_property
    def bibliography(self) -> Bibliography:
        return Bibliography(self.project.root / "book" / "references.bib")
