"""Parts of a page that a slide can show: by label, by the name of a function, or as the next code cell."""

from __future__ import annotations

import ast
import base64
import mimetypes
import re
from dataclasses import replace

from flatten import Flattener
from inline import Inline
from labels import CONTAINERS, THEOREMS, Label, Page
from myst import BookError, Cell, Directive, Math, parse

SENTENCE = re.compile(r".+?[.?!](?=\s|$)", re.DOTALL)


class SlideInline(Inline):
    """Text of a slide: names and numbers as in the book, without links, and pictures inside the file."""

    def to(self, shown: str, label: Label) -> str:
        """The text alone."""
        return shown

    def api(self, text: str, target: str, role: str) -> str:
        """The name of a Python object."""
        path = target.lstrip("~!.")
        return f"`{text or (path.split('.')[-1] if target.startswith('~') else path)}`"

    def term(self, text: str, target: str) -> str:
        """A term without its link."""
        return text or target

    def image(self, target: str) -> str:
        """The picture itself: a deck asks for nothing from outside."""
        file = self.page.path.parent / target
        if not file.is_file():
            raise ValueError(f"there is no image {target}")
        kind = mimetypes.guess_type(file.name)[0]
        return f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"


class Parts:
    """Finds the parts of one page, in the form that slides show."""

    def __init__(self, page: Page, flatten: Flattener) -> None:
        self.page, self.flatten = page, flatten
        self.blocks: dict[str, Math | Directive] = {}
        self.figures: dict[str, Cell] = {}
        for cell in page.cells:
            if cell.kind == "markdown":
                self.collect(cell.source.splitlines(), cell.line)
            elif name := cell.metadata.get("mystnb", {}).get("figure", {}).get("name"):
                self.figures[name] = cell

    def collect(self, lines: list[str], line: int) -> None:
        """Note each labelled block of these lines, and those inside it."""
        start = None  # of the exercise that is open
        for block in parse(lines, line, self.page.path):
            if isinstance(block, Math) and block.label:
                self.blocks[block.label] = block
            if not isinstance(block, Directive):
                continue
            if block.name == "exercise-start":
                start = block
            elif block.name == "exercise-end" and start:
                self.keep(start, lines, line, block.line)
                start = None
            elif label := block.options.get("label") or block.options.get("name"):
                self.blocks[label] = block
            if block.name in CONTAINERS or block.name.removeprefix("prf:") in THEOREMS:
                self.collect(block.body, block.body_line)
        if start:  # it goes on with code: what stands before that is the task
            self.keep(start, lines, line, line + len(lines))

    def keep(self, start: Directive, lines: list[str], line: int, end: int) -> None:
        """Note a gated exercise as one block, its text up to the line `end`."""
        first = start.body_line + len(start.body) + 1  # after the closing fence
        body = lines[first - line : end - line]
        self.blocks[start.options["label"]] = replace(start, name="exercise", body=body, body_line=first)

    def markdown(self, label: str) -> str:
        """The block of that label as plain Markdown, with the book's number."""
        block = self.blocks[label]
        if isinstance(block, Math):
            return "\n".join(self.flatten.math(block.tex, block.label, block.line, False))
        return "\n".join(self.flatten.directive(block, False))

    def caption(self, cell: Cell) -> str:
        """The caption of a code cell's figure, as far as a slide needs it."""
        return first_sentence(self.flatten.caption(cell))

    def picture(self, label: str) -> tuple[str, str]:
        """The image of a figure that is a file, and its caption; a live figure has a link."""
        image, caption, *rest = [row for row in self.markdown(label).splitlines() if row]
        caption = first_sentence(caption)
        if rest and (address := re.search(r"\]\((\S+)\)", rest[0])):
            caption += f" [To be operated in the book]({address[1]})."
        return image, caption

    def definition(self, name: str) -> str:
        """The source of a function or class that a cell of the page defines."""
        for cell in self.page.cells:
            if cell.kind == "code" and re.search(rf"^(def|class) {re.escape(name)}\b", cell.source, re.M):
                for node in ast.parse(cell.source).body:
                    if getattr(node, "name", None) == name:
                        first = min([node.lineno, *(line.lineno for line in node.decorator_list)])
                        return "\n".join(cell.source.splitlines()[first - 1 : node.end_lineno])
        raise KeyError(f"no cell of the page defines {name}")

    def front(self, words: str) -> str:
        """The paragraph of the front box that begins with these words in bold."""
        for block in parse(self.page.cells[0].source.splitlines(), self.page.cells[0].line, self.page.path):
            if isinstance(block, Directive) and block.name == "admonition":
                text = "\n".join(self.flatten.body(block))
                for paragraph in text.split("\n\n"):
                    if paragraph.startswith(f"**{words}**"):
                        return paragraph
        raise BookError(f"{self.page.path}: the front box has no paragraph that begins with **{words}**")

    def section(self, heading: str) -> str:
        """The text of a section that lies within one cell."""
        for cell in self.page.cells:
            found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", cell.source, re.DOTALL | re.M)
            if cell.kind == "markdown" and found:
                line = cell.line + cell.source[: found.start(1)].count("\n")
                return "\n".join(self.flatten.blocks(found[1].splitlines(), line)).strip()
        raise BookError(f"{self.page.path}: there is no section {heading}")


def first_sentence(caption: str) -> str:
    """The number of a figure and the first sentence of its caption: the speaker says the rest."""
    number, _, text = caption.partition(".* ")
    return f"{number}.* {SENTENCE.match(text)[0] if SENTENCE.match(text) else text}"
