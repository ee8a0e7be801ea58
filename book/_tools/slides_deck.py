"""The deck of one chapter as a notebook, from the slides that the chapter's cells name in their metadata.

A Markdown cell of a chapter opens with one line (JSON, so a backslash is written twice):

+++ {"slide": {"title": "...", "say": ["..."], "show": ["thm-09-block", "run"], "then": ["..."]}}

or with a list of such slides. `say` stands above and `then` below what is shown. `show` names labels of the
page (equation, theorem, figure, table, exercise), the next code cell ("code", "output", or "run" for both),
or "code:function" for one definition. The first slide and the last are made from front box and take-aways.
The line reaches neither the rendered page nor the notebooks, and is no part of the execution cache's key.
"""

from __future__ import annotations

import nbformat
from citations import Bibliography
from flatten import Flattener
from labels import Label, Page
from myst import BookError, Cell
from project import Project, chapter_number
from slides_parts import Parts, SlideInline

KEYS = {"title", "say", "show", "then"}
CHECKED = "# NBVAL_CHECK_OUTPUT\n"


class Deck:
    """Makes the deck of one page."""

    def __init__(
        self, project: Project, page: Page, labels: dict[str, Label], bibliography: Bibliography
    ) -> None:
        self.project, self.page = project, page
        self.inline = SlideInline(project, page, labels, bibliography)
        self.parts = Parts(page, Flattener(project, page, labels, self.inline))
        self.outputs: dict[int, list[dict]] = {}

    def notebook(self, outputs: list[list[dict]]) -> nbformat.NotebookNode:
        """The deck; `outputs` are those of each code cell of the page, in order."""
        ran = [cell.line for cell in self.page.cells if cell.kind == "code"]
        self.outputs = dict(zip(ran, outputs, strict=True))
        cells = self.first()
        for index, cell in enumerate(self.page.cells):
            for slide in slides_of(cell, self.page):
                cells += self.slide(slide, cell, self.page.cells[index + 1 :])
        cells += opening([markdown(f"## Take-aways\n\n{self.parts.section('Take-aways')}")], "list")
        for index, cell in enumerate(cells):
            cell["id"] = f"slide-{index}"
        metadata = {
            "title": self.title,
            "chapter": chapter_number(self.page.name),
            "book": self.project.title,
        }
        return nbformat.from_dict({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})

    @property
    def title(self) -> str:
        """The chapter's title with its number."""
        title = next(label.title for label in self.page.labels.values() if label.kind == "chapter")
        return f"{chapter_number(self.page.name)}. {title}"

    def first(self) -> list[dict]:
        """The title slide: the chapter, what one will be able to do, where the text is."""
        address = self.project.page_url(self.page.name)
        text = (
            f"# {self.title}\n\n{self.parts.front('You will be able to')}\n\n"
            f"*{self.project.title}*\n\n[{address.removeprefix('https://')}]({address})"
        )
        return opening([markdown(text)], "first")

    def slide(self, slide: dict, cell: Cell, later: list[Cell]) -> list[dict]:
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

    def shown(self, name: str, later: list[Cell]) -> list[dict]:
        """The cells for one thing that is shown."""
        if name.startswith("code:"):
            return [code(self.parts.definition(name.removeprefix("code:")), [])]
        if name in {"run", "code", "output"}:
            following = next((cell for cell in later if cell.kind == "code"), None)
            if following is None:
                raise KeyError(f"no code cell follows for {name}")
            source = "" if name == "output" else following.source.replace(CHECKED, "")
            return [code(source, [] if name == "code" else self.described(following))]
        if name in self.parts.figures:
            cell = self.parts.figures[name]
            picture = code("", self.described(cell), ["figure"])
            return [picture, markdown(self.parts.caption(cell), ["caption"])]
        if getattr(self.parts.blocks.get(name), "name", "") in {"figure", "explorable"}:
            image, caption = self.parts.picture(name)
            return [markdown(image, ["figure"]), markdown(caption, ["caption"])]
        if name in self.parts.blocks:
            return [markdown(self.parts.markdown(name))]
        raise KeyError(f"the page has nothing to show that is called {name}")

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


def slides_of(cell: Cell, page: Page) -> list[dict]:
    """The slides that a cell names, checked."""
    named = cell.metadata.get("slide", [])
    slides = named if isinstance(named, list) else [named]
    for slide in slides:
        if not isinstance(slide, dict) or not slide.get("title") or not slide.keys() <= KEYS:
            raise BookError(
                f"{page.path}:{cell.line}: a slide has a title and may have say, show and then; got {slide}"
            )
    if slides and cell.kind != "markdown":
        raise BookError(f"{page.path}:{cell.line}: slides are named by Markdown cells: see slides_deck.py")
    return slides


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


def opening(cells: list[dict], kind: str) -> list[dict]:
    """Mark the first cell as the start of a slide of a kind that the style sheet knows."""
    cells[0]["metadata"] = {"slideshow": {"slide_type": "slide"}, "tags": [f"slide-{kind}"]}
    return cells


def markdown(text: str, tags: list[str] | None = None) -> dict:
    """A Markdown cell."""
    return {"cell_type": "markdown", "metadata": {"tags": tags or []}, "source": text.strip()}


def code(source: str, outputs: list[dict], tags: list[str] | None = None) -> dict:
    """A code cell that was run."""
    metadata = {"tags": tags or []}
    ran = {"execution_count": None, "outputs": outputs}
    return {"cell_type": "code", "metadata": metadata, "source": source, **ran}
