"""From the text to code and tests: the role `test` and the directive `crosswalk`, checked at build time.

{test}`tests/lookahead/test_flow.py::test_name` links to the line of that function in the repository.

A line of a chapter that begins with *Where it lives* names the functions and tests of the numbered result
before it. The crosswalk is the table of these lines: it repeats their roles, so a dangling one is reported.
"""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from project import Project, chapter_number
from sphinx.util.docutils import SphinxDirective, SphinxRole

LABEL = re.compile(r"^:label: (?P<label>(?P<kind>eq|thm|prop|cor|lem|def|alg)-\d\d-\S+)\s*$")
START = "*Where it lives*"
CODE = re.compile(r"\{(?:func|meth|class|mod)\}`[^`]+`")
TEST = re.compile(r"\{test\}`[^`]+`")


def find_test(root: Path, target: str) -> tuple[str, int]:
    """The file and line of `tests/file.py::function` or `...::Class::method`; ValueError if there is none."""
    path, *names = target.split("::")
    file = root / path
    if not file.is_file():
        raise ValueError(f"there is no file {path}")
    scope, line = ast.parse(file.read_text()), 1
    for name in names:
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        found = [node for node in scope.body if isinstance(node, kinds) and node.name == name]
        if not found:
            raise ValueError(f"{path} has no {'::'.join(names)}")
        scope, line = found[0], found[0].lineno
    return path, line


class TestRole(SphinxRole):
    """Link to a test, or warn (an error in our builds) when it does not exist."""

    def run(self):
        project = Project(Path(self.env.srcdir))
        literal = nodes.literal(self.text, self.text)
        path = self.text.split("::")[0]
        self.env.note_dependency(str(project.root / path))
        try:
            path, line = find_test(project.root, self.text)
        except ValueError as problem:
            message = self.inliner.reporter.warning(f"role test: {problem}", line=self.lineno)
            return [literal], [message]
        return [nodes.reference("", "", literal, refuri=f"{project.file_url(path)}#L{line}")], []


@dataclass(frozen=True)
class Row:
    """One *Where it lives* line."""

    page: str
    result: str
    code: tuple[str, ...]
    tests: tuple[str, ...]


def read_rows(path: Path) -> list[Row]:
    """The rows of one chapter; ValueError for a line that names neither a result before it nor any code."""
    rows, result = [], ""
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if label := LABEL.match(line):
            result = f"{{{'eq' if label['kind'] == 'eq' else 'prf:ref'}}}`{label['label']}`"
        elif line.startswith(START):
            end = next((i for i in range(number, len(lines)) if not lines[i].strip()), len(lines))
            text = " ".join(lines[number:end])
            code, tests = tuple(CODE.findall(text)), tuple(TEST.findall(text))
            if not code and not tests:
                raise ValueError(f"{path}:{number + 1}: this line names no function and no test")
            rows.append(Row(path.stem, result, code, tests))
    return rows


def as_table(rows: list[Row]) -> list[str]:
    """The rows as a Markdown table."""
    out = ["| Chapter | Result | Functions | Tests |", "|---|---|---|---|"]
    for row in rows:
        chapter = f"{{doc}}`{chapter_number(row.page)} <{row.page}>`"
        out.append(f"| {chapter} | {row.result} | {', '.join(row.code)} | {', '.join(row.tests)} |")
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
        table = StringList(as_table(rows), source="crosswalk")
        self.state.nested_parse(table, self.content_offset, container)
        return [container]


def setup(app) -> dict:
    """Register the extension."""
    app.add_role("test", TestRole())
    app.add_directive("crosswalk", Crosswalk)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
