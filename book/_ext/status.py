"""The directive `build-status`: what this build ran, with what, how long it took, and what it claims.

```{build-status} versions
```

The argument is `versions`, `times` or `claims`. All is read from the pages as they were run for this build
(the execution cache) and from the installed packages. A page with the directive is read anew on each build.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "_tools"))

from execute import open_cache, read
from inline import page_title
from project import Project, chapter_number

PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy", "neural-tangents", "ntkal")
CLAIM = re.compile(
    r"^Claim holds: (?P<statement>.*) (?P<value>\S+) \((?P<bound>(?:at least|at most|equal to) .*)\)\.$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Claim:
    """A checked number of the text."""

    statement: str
    value: str
    bound: str


@dataclass(frozen=True)
class Run:
    """A page as it was run for this build; `seconds` is None when the cache does not hold it."""

    name: str
    title: str
    seconds: float | None
    claims: list[Claim]


def claims_of(notebook) -> list[Claim]:
    """The claims that the cells of a page printed, in order."""
    printed = (
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream"
    )
    return [Claim(**found.groupdict()) for text in printed for found in CLAIM.finditer(text)]


def runs(project: Project) -> list[Run]:
    """Every page that has code, in order."""
    cache = open_cache(project)
    found = []
    for path in project.notebooks():
        seconds, claims = None, []
        try:
            record = cache.match_cache_notebook(read(path))
        except KeyError:
            pass  # said in the table
        else:
            seconds = (record.data or {}).get("execution_seconds")
            claims = claims_of(cache.get_cache_bundle(record.pk).nb)
        title, number = page_title(path).replace("*", ""), chapter_number(path.stem)
        found.append(Run(path.stem, f"{number}. {title}" if number else title, seconds, claims))
    return found


def versions(project: Project) -> list[tuple[str, str]]:
    """What the build was made with, and when."""
    rows = [("Python", platform.python_version())]
    rows += [(name, importlib.metadata.version(name)) for name in PACKAGES]
    clock = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.datetime.fromtimestamp(int(clock), datetime.UTC) if clock else now()
    return [
        *rows,
        ("commit", commit(project.root)),
        ("built", f"{moment:%Y-%m-%d %H:%M} UTC"),
        ("machine", f"{platform.system()} {platform.machine()}, {os.cpu_count()} processor cores"),
    ]


def now() -> datetime.datetime:
    """The moment of the build."""
    return datetime.datetime.now(datetime.UTC)


def commit(root: Path) -> str:
    """The commit of the book's checkout, and whether its files were changed since."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != root.resolve():
            return "not from a Git checkout"
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "--short=12", "HEAD") + (", with changes" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return "not from a Git checkout"


class Status(SphinxDirective):
    """One of three parts of the page."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        parts = {"versions": self.versions, "times": self.times, "claims": self.claims}
        if self.arguments[0] not in parts:
            raise self.error(f"build-status: expected {', '.join(parts)}; got {self.arguments[0]!r}")
        self.env.metadata[self.env.docname]["build-status"] = True
        return parts[self.arguments[0]](Project(Path(self.env.srcdir)))

    def versions(self, project: Project) -> list[nodes.Node]:
        """A table of names and versions."""
        return [table(["What", "Version"], ([text(name), text(said)] for name, said in versions(project)))]

    def times(self, project: Project) -> list[nodes.Node]:
        """A table of pages: seconds to run, and how many numbers are checked."""
        found = runs(project)
        rows = [[link(run), text(seconds(run)), text(str(len(run.claims)))] for run in found]
        total = sum(run.seconds or 0 for run in found), sum(len(run.claims) for run in found)
        rows.append([text("all"), text(f"{total[0]:.0f}"), text(str(total[1]))])
        return [table(["Page", "Seconds", "Claims"], rows)]

    def claims(self, project: Project) -> list[nodes.Node]:
        """For each page that has some, a list of what is claimed, what was measured and what is allowed."""
        out: list[nodes.Node] = []
        for run in runs(project):
            if not run.claims:
                continue
            items = nodes.bullet_list(classes=["claims"])
            for claim in run.claims:
                value = nodes.strong("", claim.value)
                said = nodes.paragraph(
                    "", "", nodes.Text(f"{claim.statement} "), value, nodes.Text(f" ({claim.bound})")
                )
                items += nodes.list_item("", said)
            out += [nodes.rubric("", "", link(run)[0]), items]
        return out


def seconds(run: Run) -> str:
    """The run time as text."""
    return "not run" if run.seconds is None else f"{run.seconds:.0f}"


def text(words: str) -> nodes.paragraph:
    """Plain words."""
    return nodes.paragraph("", words)


def link(run: Run) -> nodes.paragraph:
    """The page's title, linked."""
    reference = addnodes.pending_xref(
        "",
        nodes.inline("", run.title),
        refdomain="std",
        reftype="doc",
        reftarget=f"/book/{run.name}",
        refexplicit=True,
        refwarn=True,
    )
    return nodes.paragraph("", "", reference)


def table(heads: list[str], rows: Iterable[list[nodes.Node]]) -> nodes.table:
    """A table."""
    group = nodes.tgroup(cols=len(heads))
    group += [nodes.colspec(colwidth=1) for _ in heads]
    group += nodes.thead("", line([text(head) for head in heads]))
    group += nodes.tbody("", *(line(row) for row in rows))
    return nodes.table("", group, classes=["colwidths-auto"])


def line(cells: list[nodes.Node]) -> nodes.row:
    """A row of a table."""
    return nodes.row("", *(nodes.entry("", cell) for cell in cells))


def read_again(app, env, added, changed, removed) -> list[str]:
    """The pages with the directive: what they show may have changed though they have not."""
    return [name for name, said in env.metadata.items() if said.get("build-status")]


def setup(app) -> dict:
    """Register the extension."""
    app.add_directive("build-status", Status)
    app.connect("env-get-outdated", read_again)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
