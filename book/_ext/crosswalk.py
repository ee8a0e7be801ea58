"""The directive `crosswalk`: a table of results, functions and tests, read from the chapters' own lines.

A line that begins with *Where it lives* names the functions and tests of the numbered result before it. The
table repeats those roles, so a dangling one is reported here as it is in the chapter.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "_tools"))

from project import chapter_number

LABEL = re.compile(r"^:label: (?P<label>(?P<kind>eq|thm|prop|cor|lem|def|alg)-\d\d-\S+)\s*$")
START = "*Where it lives*"
CODE = re.compile(r"\{(?:func|meth|class|mod)\}`[^`]+`")
TEST = re.compile(r"\{test\}`[^`]+`")


@dataclass(frozen=True)
class Row:
    """One *Where it lives* line."""

    page: str
    result: str
    code: tuple[str, ...]
    tests: tuple[str, ...]


def read_rows(path: Path) -> list[Row]:
    """The rows of one chapter; ValueError for a line that names neither a result before it nor any code."""
    rows, result = [], None
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if label := LABEL.match(line):
            result = (
                f"{{eq}}`{label['label']}`" if label["kind"] == "eq" else f"{{prf:ref}}`{label['label']}`"
            )
        elif line.startswith(START):
            end = next((i for i in range(number, len(lines)) if not lines[i].strip()), len(lines))
            text = " ".join(lines[number:end])
            code, tests = tuple(CODE.findall(text)), tuple(TEST.findall(text))
            if not code and not tests:
                raise ValueError(f"{path}:{number + 1}: this line names no function and no test")
            rows.append(Row(path.stem, result or "", code, tests))
    return rows


def as_table(rows: list[Row]) -> list[str]:
    """The rows as a Markdown table."""
    out = ["| Chapter | Result | Functions | Tests |", "|---|---|---|---|"]
    for row in rows:
        cells = (
            f"{{doc}}`{chapter_number(row.page)} <{row.page}>`",
            row.result,
            *map(", ".join, (row.code, row.tests)),
        )
        out.append(f"| {' | '.join(cells)} |")
    return out


class Crosswalk(SphinxDirective):
    """Write the table of all chapters."""

    def run(self) -> list[nodes.Node]:
        rows = []
        for path in sorted((Path(self.env.srcdir) / "book").glob("ch[0-9][0-9]_*.md")):
            self.env.note_dependency(str(path))
            try:
                rows += read_rows(path)
            except ValueError as problem:
                return [self.state.document.reporter.warning(str(problem), line=self.lineno)]
        container = nodes.container(classes=["crosswalk"])
        self.state.nested_parse(
            StringList(as_table(rows), source="crosswalk"), self.content_offset, container
        )
        return [container]


def setup(app) -> dict:
    """Register the extension."""
    app.add_directive("crosswalk", Crosswalk)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
