"""Turn a Markdown cell of the book into plain Markdown that reads well in Colab and Jupyter."""

import re

from docutils.nodes import make_id
from inline import Inline, name_of
from labels import ADMONITIONS, PLAIN, THEOREMS, Book, Page
from myst import TARGET, Cell, Code, Directive, Math, Text, parse
from project import BookError, chapter_number

DROPPED = {"tableofcontents", "toctree", "index", "contents", "exercise-end"}
COMMENT = re.compile(r"^%( |$)")
LEFT_OVER = re.compile(
    r"(?<![`\\])\{[a-zA-Z][\w:.-]*\}`|^\s*:{3,}|^\s*`{3,}\{|^\+\+\+|^\(\S+\)=\s*$", re.MULTILINE
)
OPENED, CLOSED = "\0solution:", "\0end"  # rows that stand for the ends of a solution


class Flattener:
    """Flattens the cells of one page in order; remembers whether it is inside a solution."""

    def __init__(self, book: Book, page: Page, inline: Inline | None = None) -> None:
        self.project, self.page, self.inline = book.project, page, inline or Inline(book, page)
        self.solution: str | None = None  # the heading of the solution that is open

    def __call__(self, cell: Cell) -> str:
        """The plain Markdown of a Markdown cell."""
        still_open = "Solution, continued" if self.solution else None
        rows = fold_solutions(self.blocks(cell.source.splitlines(), cell.line), still_open)
        text = re.sub(r"\n{3,}", "\n\n", "\n".join(rows).strip("\n"))
        if number := chapter_number(self.page.name):
            text = re.sub(r"\A# ", f"# {number}. ", text)  # the title, with its number as in the book
        if found := LEFT_OVER.search(without_code(text)):
            raise BookError(f"{self.page.path}:{cell.line}: this cell keeps raw MyST: {found[0].strip()}")
        return text

    def caption(self, cell: Cell) -> str | None:
        """The caption of a code cell's figure, for a Markdown cell of its own after it."""
        caption = cell.metadata.get("mystnb", {}).get("figure", {}).get("caption")
        return caption and self.numbered("Figure", caption.strip(), cell.line)

    def numbered(self, kind: str, caption: str, line: int) -> str:
        """The caption of what has a number and starts at `line`."""
        return f"*{kind} {self.page.numbers.get(line, '')}.* {self.text(caption, line)}"

    def text(self, text: str, line: int) -> str:
        """A title or caption on one line."""
        return self.inline(text, line, quoted=True)

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

    def body(self, block: Directive, quoted: bool = True) -> list[str]:
        """The flattened body of a directive, without blank lines around it."""
        return strip(self.blocks(block.body, block.body_line, quoted))

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
        name, argument, line = block.name, block.argument, block.line
        kind = name.removeprefix("prf:").removesuffix("-start")
        if name == "math":
            return self.math("\n".join(block.body).strip(), block.options.get("label"), line, quoted)
        if name in {"code-block", "code", "sourcecode"}:
            return [f"```{argument}", *block.body, "```"]
        if name == "prf:proof":
            return self.led("*Proof.*", block)
        if kind == "exercise" or (name.startswith("prf:") and kind in THEOREMS):
            heading = f"**{kind.title()} {self.page.numbers.get(line, '')}".strip() + "**"
            title = f" ({self.text(argument, line)})" if argument else ""
            return quote([heading + title, "", *self.body(block)])
        if kind == "solution":
            heading = f"Solution to {name_of(self.inline.label(argument))}"
            body = self.body(block, quoted=False)
            if name == "solution":
                return details(heading, body)
            self.solution = heading  # it is open until its end, over several cells
            return [f"{OPENED}{heading}", *body]
        if name == "solution-end":
            self.solution = None
            return [CLOSED]
        if name in DROPPED:
            return []
        if name in ADMONITIONS:
            own = name in {"admonition", "sidebar"}
            title = argument if own else kind.replace("seealso", "see also").capitalize()
            return quote([f"**{self.text(title, line)}**", "", *self.body(block)])
        if name == "dropdown":
            return details(self.text(argument, line), self.body(block, quoted))
        if name == "margin":
            return self.led(f"**{self.text(argument, line)}**" if argument else "", block)
        if name in {"figure", "image", "explorable"}:
            return self.figure(block)
        if name in {"table", "list-table"}:
            caption = [self.numbered("Table", argument, line), ""] if argument else []
            rows = self.body(block, quoted) if name == "table" else self.list_table(block)
            return ["", *caption, *rows, ""]
        if name == "bibliography":
            return [f"All references: [bibliography]({self.project.page_url('bibliography')})."]
        if name == "raw":
            page = self.project.page_url(self.page.name)
            return quote([f"This place has an interactive figure on the [rendered page]({page})."])
        if name in {*PLAIN, "glossary"}:
            return self.body(block, quoted)
        where = f"{self.page.path}:{line}"
        raise BookError(f"{where}: the directive {name} has no form in notebooks: see book/_tools/flatten.py")

    def led(self, words: str, block: Directive) -> list[str]:
        """A block quote with words before its first paragraph."""
        first, *rest = self.body(block) or [""]
        return quote([f"{words} {first}".strip(), *rest])

    def figure(self, block: Directive) -> list[str]:
        """An image with its alternative text and numbered caption; an explorable also has a link."""
        alive = block.name == "explorable"
        alt = block.options.get("alt", "").replace("\n", " ")
        source = self.inline.image(f"_static/explore/{block.argument}.png" if alive else block.argument)
        image = ["", f"![{alt}]({source})", ""]
        caption = " ".join(row.strip() for row in self.body(block)).strip()
        if block.name != "image" and caption:
            image += [f"*Figure {self.page.numbers[block.line]}.* {caption}", ""]
        if alive:
            place = f"{self.project.page_url(self.page.name)}#{make_id(block.options.get('name', ''))}"
            there = f"[rendered page]({place})"
            image += [f"This is a picture of it: the figure on the {there} can be operated.", ""]
        return image

    def list_table(self, block: Directive) -> list[str]:
        """The rows of a list-table as a Markdown table; each cell must fit on one line."""
        rows: list[list[str]] = []
        for line, row in enumerate(block.body, block.body_line):
            item = re.match(r"^(\*|  ?) ?- ?(.*)$", row)
            if item and item[1] == "*":
                rows.append([item[2]])
            elif item and rows:
                rows[-1].append(item[2])
            elif row.strip():
                raise BookError(f"{self.page.path}:{line}: put each cell of a list-table on one line")
        table = [f"| {' | '.join(self.text(cell, block.body_line) for cell in row)} |" for row in rows]
        return [table[0], f"|{'---|' * len(rows[0])}", *table[1:]]


def fold_solutions(lines: list[str], heading: str | None) -> list[str]:
    """Put the rows of each solution between <details> tags: one cannot reach from cell to cell.

    `heading` is that of a solution which an earlier cell has opened.
    """
    out: list[str] = []
    inside: list[str] = []
    for row in lines:
        if row.startswith(OPENED):
            heading, inside = row.removeprefix(OPENED), []
        elif row == CLOSED:
            out += details(heading, strip(inside)) if strip(inside) else []
            heading, inside = None, []
        else:
            (inside if heading else out).append(row)
    if heading:
        here = ["", f"**{heading}** is in the folded cell below.", ""]
        out += details(heading, strip(inside)) if strip(inside) else here
    return out


def details(summary: str, body: list[str]) -> list[str]:
    """A folded block of HTML with Markdown inside, which needs the blank lines."""
    summary = re.sub(r"\[([^\]]*)\]\([^)]*\)|[*`]", lambda match: match[1] or "", summary)
    return ["", f"<details><summary>{summary}</summary>", "", *body, "", "</details>", ""]


def quote(lines: list[str]) -> list[str]:
    """A block quote."""
    rows = re.sub(r"\n{3,}", "\n\n", "\n".join(strip(lines))).split("\n")
    return ["", *(f"> {row}".rstrip() for row in rows), ""]


def strip(lines: list[str]) -> list[str]:
    """Without blank rows at both ends."""
    full = [index for index, row in enumerate(lines) if row.strip()]
    return lines[full[0] : full[-1] + 1] if full else []


def without_code(text: str) -> str:
    """Without plain fences and code spans, which may show MyST on purpose."""
    text = re.sub(r"^(>? ?)*(`{3,})(?!\{)[^\n]*\n.*?^(>? ?)*\2\s*$", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"(?<!\})(`+)(?!`).+?(?<!`)\1(?!`)", "", text)
