"""The role `test`: a link from the text to the test that holds it, checked at build time.

{test}`tests/lookahead/test_flow.py::test_name` links to the line of that function in the repository.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxRole

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "_tools"))

from project import Project


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


def setup(app) -> dict:
    """Register the extension."""
    app.add_role("test", TestRole())
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
