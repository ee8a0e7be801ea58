"""The deck of one chapter as a notebook, from the slides that the chapter's cells name in their metadata.

A Markdown cell of a chapter opens with one line (JSON, so a backslash is written twice):

+++ {"slide": {"title": "...", "say": ["..."], "show": ["thm-09-block", "run"], "then": ["..."]}}

or with a list of such slides. `say` stands above and `then` below what is shown. `show` names labels of the
page (equation, theorem, figure, table, exercise), the next code cell ("code", "output", or "run" for both),
or "code:function" for one definition. The first slide and the last are made from front box and take-aways.
The line reaches neither the rendered page nor the notebooks, and is no part of the execution cache's key.
"""

import ast
import base64
import mimetypes
import re
from collections.abc import Iterator

import nbformat
from flatten import Flattener
from inline import Inline
from labels import Book, Label, Page
from myst import Cell, Directive, Math, parse
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from project import BookError

KEYS = {"title", "say", "show", "then"}
CHECKED = "# NBVAL_CHECK_OUTPUT\n"
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


class Deck:
    """Makes the deck of one page."""

    def __init__(self, book: Book, page: Page) -> None:
        self.project, self.page, self.inline = book.project, page, SlideInline(book, page)
        self.flatten = Flattener(book, page, self.inline)
        self.outputs: dict[int, list[dict]] = {}
        title = next(label.title for label in page.labels.values() if label.kind == "chapter")
        self.title = f"{page.chapter}. {title}"

    def notebook(self, outputs: list[list[dict]]) -> NotebookNode:
        """The deck; `outputs` are those of each code cell of the page, in order."""
        ran = [cell.line for cell in self.page.cells if cell.kind == "code"]
        self.outputs = dict(zip(ran, outputs, strict=True))
        cells = self.first()
        for index, cell in enumerate(self.page.cells):
            for slide in slides_of(cell, self.page):
                cells += self.slide(slide, cell, self.page.cells[index + 1 :])
        cells += opening([markdown(f"## Take-aways\n\n{self.section('Take-aways')}")], "list")
        for index, cell in enumerate(cells):
            cell.id = f"slide-{index}"
        about = {"title": self.title, "chapter": self.page.chapter, "book": self.project.title}
        return new_notebook(cells=cells, metadata=about, nbformat_minor=5)

    def first(self) -> list[NotebookNode]:
        """The title slide: the chapter, what one will be able to do, where the text is."""
        address = self.project.page_url(self.page.name)
        text = (
            f"# {self.title}\n\n{self.front('You will be able to')}\n\n"
            f"*{self.project.title}*\n\n[{address.removeprefix('https://')}]({address})"
        )
        return opening([markdown(text)], "first")

    def slide(self, slide: dict, cell: Cell, later: list[Cell]) -> list[NotebookNode]:
        """The cells of one slide."""

        def text(key: str) -> str:
            said = [self.inline(item, cell.line) for item in listed(slide, key)]
            return said[0] if len(said) == 1 else "\n".join(f"- {item}" for item in said)

        cells = [markdown(f"## {self.inline(slide['title'], cell.line)}\n\n{text('say')}")]
        for name in listed(slide, "show"):
            try:
                cells += self.shown(name, later)
            except KeyError as problem:
                where = f"{self.page.path}:{cell.line}"
                raise BookError(f'{where}: slide "{slide["title"]}": {problem.args[0]}') from None
        if slide.get("then"):
            cells.append(markdown(text("then")))
        return opening(cells, "plain")

    def shown(self, name: str, later: list[Cell]) -> list[NotebookNode]:
        """The cells for one thing that is shown."""
        if name.startswith("code:"):
            return [code(self.definition(name.removeprefix("code:")), [])]
        if name in {"run", "code", "output"}:
            following = next((cell for cell in later if cell.kind == "code"), None)
            if following is None:
                raise KeyError(f"no code cell follows for {name}")
            source = "" if name == "output" else following.source.replace(CHECKED, "")
            return [code(source, [] if name == "code" else self.described(following))]
        block = self.page.blocks.get(name)
        if isinstance(block, Cell):
            caption = markdown(first_sentence(self.flatten.caption(block)), ["caption"])
            return [code("", self.described(block), ["figure"]), caption]
        if isinstance(block, Math):
            return [markdown("\n".join(self.flatten.math(block.tex, block.label, block.line, False)))]
        if isinstance(block, Directive):
            rows = self.flatten.directive(block, False)
            drawn = block.name in {"figure", "explorable"}
            return self.picture(rows) if drawn else [markdown("\n".join(rows))]
        raise KeyError(f"the page has nothing to show that is called {name}")

    def picture(self, rows: list[str]) -> list[NotebookNode]:
        """The image of a figure that is a file, and its caption; a live figure has a link."""
        image, caption, *rest = [row for row in rows if row]
        caption = first_sentence(caption)
        if rest and (address := re.search(r"\]\((\S+)\)", rest[0])):
            caption += f" [To be operated in the book]({address[1]})."
        return [markdown(image, ["figure"]), markdown(caption, ["caption"])]

    def described(self, cell: Cell) -> list[dict]:
        """The outputs of a cell, pictures with their alternative text."""
        alt = " ".join(cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "").split())
        outputs = nbformat.from_dict(self.outputs[cell.line])
        for output in outputs:
            if "image/png" in output.get("data", {}):
                if not alt:
                    raise KeyError(f"the picture of the cell in line {cell.line} has no alternative text")
                output.data = {"image/png": output.data["image/png"]}
                output.metadata = {"image/png": {"alt": alt}}
        return outputs

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
        cell = self.page.cells[0]
        for block in parse(cell.source.splitlines(), cell.line, self.page.path):
            if isinstance(block, Directive) and block.name == "admonition":
                for paragraph in "\n".join(self.flatten.body(block)).split("\n\n"):
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


def slides_of(cell: Cell, page: Page) -> Iterator[dict]:
    """The slides that a cell names, checked."""
    named = cell.metadata.get("slide", [])
    for slide in named if isinstance(named, list) else [named]:
        if not isinstance(slide, dict) or not slide.get("title") or not slide.keys() <= KEYS:
            fault = f"a slide has a title and may have say, show and then; got {slide}"
            raise BookError(f"{page.path}:{cell.line}: {fault}")
        if cell.kind != "markdown":
            fault = "slides are named by Markdown cells: see slides_deck.py"
            raise BookError(f"{page.path}:{cell.line}: {fault}")
        yield slide


def check_all_read(page: Page) -> None:
    """Fail when a `+++` line names slides but no text follows, for then it belongs to no cell."""
    written = sum(row.startswith("+++") and '"slide"' in row for row in page.path.read_text().splitlines())
    read = sum("slide" in cell.metadata for cell in page.cells)
    if written != read:
        raise BookError(
            f"{page.path}: {written} lines name slides, {read} are read: put text between such a line and "
            'the next cell, or several slides into one line: {"slide": [{...}, {...}]}'
        )


def listed(slide: dict, key: str) -> list[str]:
    """The value as a list: one string may stand alone."""
    value = slide.get(key, [])
    return [value] if isinstance(value, str) else value


def opening(cells: list[NotebookNode], kind: str) -> list[NotebookNode]:
    """Mark the first cell as the start of a slide of a kind that the style sheet knows."""
    cells[0].metadata = {"slideshow": {"slide_type": "slide"}, "tags": [f"slide-{kind}"]}
    return cells


def markdown(text: str, tags: tuple | list = ()) -> NotebookNode:
    """A Markdown cell."""
    return new_markdown_cell(text.strip(), metadata={"tags": list(tags)})


def code(source: str, outputs: list[dict], tags: tuple | list = ()) -> NotebookNode:
    """A code cell that was run."""
    return new_code_cell(source, outputs=outputs, metadata={"tags": list(tags)})


def first_sentence(caption: str) -> str:
    """The number of a figure and the first sentence of its caption: the speaker says the rest."""
    number, _, text = caption.partition(".* ")
    return f"{number}.* {SENTENCE.match(text)[0] if SENTENCE.match(text) else text}"
