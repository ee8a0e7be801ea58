"""Turn a Markdown cell of the book into plain Markdown that reads well in Colab and Jupyter."""

from __future__ import annotations

import re

from docutils.nodes import make_id
from inline import Inline, name_of
from labels import THEOREMS, Label, Page
from markup import DETAILS_END, DETAILS_START, close_details, details, quote, strip, without_code
from myst import TARGET, BookError, Cell, Code, Directive, Math, Text, parse
from project import Project, chapter_number

ADMONITIONS = {
    "note", "tip", "warning", "important", "caution", "attention", "hint", "danger", "error", "seealso",
    "sidebar", "admonition",
}  # fmt: skip
DROPPED = {"tableofcontents", "toctree", "index", "contents"}
PLAIN = {"div", "container", "epigraph", "glossary"}
COMMENT = re.compile(r"^%( |$)")
LEFT_OVER = re.compile(
    r"(?<![`\\])\{[a-zA-Z][\w:.-]*\}`|^\s*:{3,}|^\s*`{3,}\{|^\+\+\+|^\(\S+\)=\s*$", re.MULTILINE
)


class Flattener:
    """Flattens the cells of one page in order; remembers whether it is inside a solution."""

    def __init__(self, project: Project, page: Page, labels: dict[str, Label], inline: Inline) -> None:
        self.project, self.page, self.labels, self.inline = project, page, labels, inline
        self.solution: str | None = None  # the heading of the solution that is open

    def __call__(self, cell: Cell) -> str:
        """The plain Markdown of a Markdown cell."""
        lines = self.blocks(cell.source.splitlines(), cell.line)
        text = "\n".join(close_details(lines, self.solution)).strip("\n")
        text = re.sub(r"\n{3,}", "\n\n", text)
        if number := chapter_number(self.page.name):
            text = re.sub(r"\A# ", f"# {number}. ", text)  # the title, with its number as in the book
        if found := LEFT_OVER.search(without_code(text)):
            raise BookError(f"{self.page.path}:{cell.line}: this cell keeps raw MyST: {found[0].strip()}")
        return text

    def caption(self, cell: Cell) -> str | None:
        """The caption of a code cell's figure, for a Markdown cell of its own after it."""
        figure = cell.metadata.get("mystnb", {}).get("figure", {})
        if not figure.get("caption"):
            return None
        text = self.inline(figure["caption"].strip(), cell.line, quoted=True)
        return f"*Figure {self.page.numbers[cell.line]}.* {text}"

    def blocks(self, lines: list[str], line: int, quoted: bool = False) -> list[str]:
        """Flatten the blocks of some lines."""
        out: list[str] = []
        for block in parse(lines, line, self.page.path):
            if isinstance(block, Code):
                out += block.lines
            elif isinstance(block, Math):
                out += self.math(block.tex, block.label, block.line, quoted, block.indent)
            elif isinstance(block, Text):
                rows = [row for row in block.lines if not TARGET.match(row) and not COMMENT.match(row)]
                out += self.inline("\n".join(rows), block.line, quoted).split("\n")
            else:
                out += [block.indent + row if row else row for row in self.directive(block, quoted)]
        return out

    def math(self, tex: str, label: str | None, line: int, quoted: bool, indent: str = "") -> list[str]:
        """A displayed equation, its number as a tag; on one line in a block quote, else `>` gets into it."""
        if "\\\\" in tex and "\\begin{" not in tex:
            tex = f"\\begin{{aligned}}\n{tex}\n\\end{{aligned}}"
        tag = f" \\tag{{{self.page.numbers[line]}}}" if label else ""
        if quoted or "\n" not in tex:
            return ["", f"{indent}$$ {' '.join(tex.split(chr(10)))}{tag} $$", ""]
        return ["", f"{indent}$$", *(tex + tag).split("\n"), f"{indent}$$", ""]

    def directive(self, block: Directive, quoted: bool) -> list[str]:
        """Flatten a directive by its kind."""
        name = block.name
        kind = name.removeprefix("prf:")
        if name == "math":
            return self.math("\n".join(block.body).strip(), block.options.get("label"), block.line, quoted)
        if name in {"code-block", "code", "sourcecode"}:
            return [f"```{block.argument}", *block.body, "```"]
        if name == "prf:proof":
            return quote(self.lead("*Proof.*", self.body(block)))
        if name.startswith("prf:") and kind in THEOREMS:
            return self.box(f"{kind.title()} {self.page.numbers.get(block.line, '')}", block)
        if name in {"exercise", "exercise-start"}:
            return self.box(f"Exercise {self.page.numbers.get(block.line, '')}", block)
        if name in {"solution", "solution-start"}:
            return self.open_solution(block)
        if name == "solution-end":
            self.solution = None
            return [DETAILS_END]
        if name == "exercise-end" or name in DROPPED:
            return []
        if name in ADMONITIONS:
            title = (
                block.argument
                if name in {"admonition", "sidebar"}
                else kind.replace("seealso", "see also").capitalize()
            )
            return quote([f"**{self.text(title, block.line)}**", "", *self.body(block)])
        if name == "dropdown":
            return details(self.text(block.argument, block.line), self.body(block, quoted))
        if name == "margin":
            return quote(
                self.lead(
                    f"**{self.text(block.argument, block.line)}**" if block.argument else "", self.body(block)
                )
            )
        if name in {"figure", "image", "explorable"}:
            return self.figure(block)
        if name == "table":
            caption = (
                f"*Table {self.page.numbers.get(block.line, '')}.* {self.text(block.argument, block.line)}"
            )
            return ["", *([caption, ""] if block.argument else []), *self.body(block, quoted), ""]
        if name == "list-table":
            return self.list_table(block)
        if name == "bibliography":
            return [f"All references: [bibliography]({self.project.page_url('bibliography')})."]
        if name == "raw":
            page = self.project.page_url(self.page.name)
            return quote([f"This place has an interactive figure on the [rendered page]({page})."])
        if name in PLAIN:
            return self.body(block, quoted)
        where = f"{self.page.path}:{block.line}"
        raise BookError(f"{where}: the directive {name} has no form in notebooks: see book/_tools/flatten.py")

    def text(self, text: str, line: int) -> str:
        """A title or caption on one line."""
        return self.inline(text, line, quoted=True)

    def body(self, block: Directive, quoted: bool = True) -> list[str]:
        """The flattened body of a directive, without blank lines around it."""
        return strip(self.blocks(block.body, block.body_line, quoted))

    def lead(self, words: str, body: list[str]) -> list[str]:
        """Put words before the first paragraph."""
        first = f"{words} {body[0]}".strip() if body else words
        return [first, *body[1:]]

    def box(self, name: str, block: Directive) -> list[str]:
        """A numbered box: bold name, title in parentheses, body, in a block quote."""
        title = f" ({self.text(block.argument, block.line)})" if block.argument else ""
        return quote([f"**{name.strip()}**{title}", "", *self.body(block)])

    def open_solution(self, block: Directive) -> list[str]:
        """A folded solution; a gated one stays open until its end, over several cells."""
        exercise = self.inline.label(block.argument)
        heading = f"Solution to {name_of(exercise)}"
        body = self.body(block, quoted=False)
        if block.name == "solution":
            return details(heading, body)
        self.solution = heading
        return [f"{DETAILS_START}{heading}", *body]

    def figure(self, block: Directive) -> list[str]:
        """An image with its alternative text and numbered caption; an explorable also has a link."""
        alive = block.name == "explorable"
        alt = block.options.get("alt", "").replace("\n", " ")
        source = self.inline.image(f"_static/explore/{block.argument}.png" if alive else block.argument)
        image = [f"![{alt}]({source})", ""]
        caption = " ".join(row.strip() for row in self.body(block)).strip()
        if block.name != "image" and caption:
            image += [f"*Figure {self.page.numbers[block.line]}.* {caption}", ""]
        if alive:
            place = f"{self.project.page_url(self.page.name)}#{make_id(block.options.get('name', ''))}"
            image += [
                f"This is a picture of it: the figure on the [rendered page]({place}) can be operated.",
                "",
            ]
        return ["", *image]

    def list_table(self, block: Directive) -> list[str]:
        """A list-table as a Markdown table; each cell must fit on one line."""
        rows: list[list[str]] = []
        for offset, row in enumerate(block.body):
            item = re.match(r"^(\*|  ?) ?- ?(.*)$", row)
            if item and item[1] == "*":
                rows.append([item[2]])
            elif item and rows:
                rows[-1].append(item[2])
            elif row.strip():
                raise BookError(
                    f"{self.page.path}:{block.body_line + offset}: put each cell of a list-table on one line"
                )
        table = [f"| {' | '.join(self.text(cell, block.body_line) for cell in row)} |" for row in rows]
        table.insert(1, f"|{'---|' * len(rows[0])}")
        if block.argument:
            table = [
                f"*Table {self.page.numbers[block.line]}.* {self.text(block.argument, block.line)}",
                "",
                *table,
            ]
        return ["", *table, ""]
