"""Roles, links and references within a line, turned into Markdown that Colab and Jupyter show."""

import re
from pathlib import Path

from labels import Book, Label, Page
from project import BookError
from sphinx.util.nodes import _make_id as sphinx_id

TOKEN = re.compile(
    r"(?P<escape>\\[\\`*_{}\[\]()#+\-.!$|~<>])"
    r"|\{(?P<role>[a-zA-Z][\w:+.-]*)\}(?P<ticks>`+)(?P<content>.+?)(?P=ticks)(?!`)"
    r"|(?P<code>(?P<marks>`+)(?!`).+?(?<!`)(?P=marks)(?!`))"
    r"|(?P<math>\$\$.+?\$\$|\$(?!\s)(?:\\.|(?!\n\s*\n)[^$\\])+?\$)"
    r"|\]\((?P<target>[^()\s]+(?:\([^()\s]*\)[^()\s]*)*)(?P<title>\s+\"[^\"]*\")?\)"
    r"|(?P<footnote>\[\^[^\]]+\])"
    r"|(?P<substitution>\{\{.+?\}\})",
    re.DOTALL,
)
EXPLICIT = re.compile(r"^(?P<text>.*?)\s*<(?P<target>[^<>]+)>$", re.DOTALL)
OBJECTS = {"func", "class", "meth", "mod", "attr", "data", "exc", "obj"}
LITERAL = {"kbd", "samp", "file", "command", "code", "guilabel"}
ROLES = {  # and the methods that write them
    "eq": "equation", "ref": "reference", "numref": "numbered", "prf:ref": "numbered", "term": "term",
    "doc": "document", "download": "document",
}  # fmt: skip


class Inline:
    """Rewrites the text of one page."""

    def __init__(self, book: Book, page: Page) -> None:
        self.project, self.page, self.bibliography = book.project, page, book.bibliography
        self.labels = {**book.labels, **page.labels}

    def __call__(self, text: str, line: int, quoted: bool = False) -> str:
        """Rewrite `text`, which starts at `line`; in a block quote a formula must stay on one line."""

        def replace(match: re.Match) -> str:
            here = f"{self.page.path}:{line + text[: match.start()].count(chr(10))}"
            try:
                return self.replace(match, quoted)
            except (KeyError, ValueError) as problem:
                raise BookError(f"{here}: {problem.args[0]}") from None

        return TOKEN.sub(replace, text)

    def replace(self, match: re.Match, quoted: bool) -> str:
        """The new form of one token."""
        if match["role"]:
            return self.role(match["role"], " ".join(match["content"].split()))
        if match["math"]:
            return " ".join(match["math"].split("\n")) if quoted else match["math"]
        if match["target"]:
            before, title = match.string[: match.start()], match["title"] or ""
            if re.search(r"!\[[^\]]*$", before):
                return f"]({self.image(match['target'])}{title})"
            text, address = self.link(match["target"])
            return f"{text if before.endswith('[') else ''}]({address}{title})"
        if match["footnote"]:
            raise ValueError("notebooks do not show footnotes: use a note or the margin")
        if match["substitution"]:
            raise ValueError(f"no substitutions in notebooks: {match['substitution']}")
        return match[0]

    def role(self, name: str, content: str) -> str:
        """The Markdown of a role."""
        if name in {"cite:t", "cite:p", "cite"}:
            return self.bibliography.cite([key.strip() for key in content.split(",")], name == "cite:t")
        if name == "test":
            return f"[`{content}`]({self.project.file_url(content.split('::')[0])})"
        if name == "math":
            return f"${content}$"
        if name in LITERAL:
            return f"`{content}`"
        if name in {"sub", "sup"}:
            return f"<{name}>{content}</{name}>"
        explicit = EXPLICIT.match(content)
        text, target = (explicit["text"], explicit["target"]) if explicit else ("", content)
        if name.removeprefix("py:") in OBJECTS:
            return self.api(text, target, name.removeprefix("py:"))
        if name not in ROLES:
            raise ValueError(f"the role {name} has no form in notebooks: see book/_tools/inline.py")
        return getattr(self, ROLES[name])(text, target)

    def api(self, text: str, target: str, role: str) -> str:
        """The name of a Python object, linked to the API page."""
        path = target.lstrip("~!.")
        shown = text or (path.split(".")[-1] if target.startswith("~") else path)
        if not path.startswith("ntkal"):
            return f"`{shown}`"
        brackets = "()" if role in {"func", "meth"} and not text else ""
        return f"[`{shown}{brackets}`]({self.project.page_url('api')}#{path})"

    def label(self, name: str) -> Label:
        """The label of that name."""
        if name not in self.labels:
            raise KeyError(f"there is no label {name}")
        return self.labels[name]

    def to(self, shown: str, label: Label) -> str:
        """`shown`, linked to the rendered page when the label is on another page than this."""
        return shown if label.page == self.page.name else f"[{shown}]({self.place(label)})"

    def equation(self, text: str, target: str) -> str:
        label = self.label(target)
        if label.kind != "equation":
            raise ValueError(f"{target} is no equation")
        return self.to(f"({label.number})", label)

    def reference(self, text: str, target: str) -> str:
        label = self.label(target)
        titled = label.kind in {"section", "chapter"}
        return self.to(text or (self.plain(label.title) if titled else name_of(label)), label)

    def numbered(self, text: str, target: str) -> str:
        label = self.label(target)
        if not label.number:
            raise ValueError(f"{target} has no number")
        shown = text.replace("%s", label.number).replace("{number}", label.number)
        return self.to(shown or name_of(label), label)

    def term(self, text: str, target: str) -> str:
        return f"[{text or target}]({self.project.page_url('glossary')}#term-{sphinx_id(target)})"

    def document(self, text: str, target: str) -> str:
        shown, address = self.link(f"{target.removesuffix('.md')}.md")
        return f"[{text or shown}]({address})"

    def link(self, target: str) -> tuple[str, str]:
        """The text, for want of the author's, and the address of a Markdown link."""
        if re.match(r"[a-z][a-z0-9+.-]*:", target) and target not in self.labels:
            return target, target
        if label := self.labels.get(target.removeprefix("#")):
            return self.plain(label.title) or name_of(label), self.place(label)
        path, _, anchor = target.partition("#")
        file = (self.page.path.parent / path).resolve()
        if not path or not file.exists():
            raise ValueError(f"the link {target} leads nowhere")
        inside = file.relative_to(self.project.root.resolve()).as_posix()
        if file.suffix == ".md" and inside.startswith("book/"):
            return page_title(file), self.project.page_url(file.stem) + (f"#{anchor}" if anchor else "")
        return file.name, self.project.file_url(inside)

    def place(self, label: Label) -> str:
        """The address of what a label points to."""
        return f"{self.project.page_url(label.page)}#{label.anchor}"

    def image(self, target: str) -> str:
        """The address of an image: notebooks are read away from the repository, so it is an outside one."""
        if target.startswith("https:"):
            return target
        file = (self.page.path.parent / target).resolve()
        if not file.exists():
            raise ValueError(f"there is no image {target}")
        return self.project.file_url(f"book/{target}", raw=True)

    def plain(self, title: str) -> str:
        """A heading as the text of a link."""
        return TOKEN.sub(lambda match: self.replace(match, True), title)


def name_of(label: Label) -> str:
    """ "Figure 9.1", "Theorem 9.2": what the rendered page prints for a reference."""
    if label.kind == "equation":
        return f"({label.number})"
    return f"{label.kind.title()} {label.number}".strip()


def page_title(path: Path) -> str:
    """The first heading of a page."""
    found = re.search(r"^# (.*)$", path.read_text(), re.MULTILINE)
    return found[1] if found else path.stem
