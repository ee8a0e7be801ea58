"""The directive `build-status`: what this build ran, with what, how long it took, and what it claims.

```{build-status} versions
```

The argument is `versions`, `times` or `claims`. All is read from the pages as they were run for this build
(the execution cache) and from the installed packages. A page with the directive is read anew on each build.
"""

import os
import platform
import re
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from execute import open_cache, read
from inline import page_title
from project import Project, chapter_number
from sphinx.util.docutils import SphinxDirective

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
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    printed = (output.text for output in outputs if output.output_type == "stream")
    return [Claim(**found.groupdict()) for text in printed for found in CLAIM.finditer(text)]


def runs(project: Project) -> list[Run]:
    """Every page that has code, in order."""
    cache = open_cache(project)
    found = []
    for path in project.notebooks():
        seconds, claims = None, []
        with suppress(KeyError):  # the table says of a page that it was not run
            record = cache.match_cache_notebook(read(path))
            seconds = (record.data or {}).get("execution_seconds")
            claims = claims_of(cache.get_cache_bundle(record.pk).nb)
        title, number = page_title(path).replace("*", ""), chapter_number(path.stem)
        found.append(Run(path.stem, f"{number}. {title}" if number else title, seconds, claims))
    return found


def versions(project: Project) -> list[tuple[str, str]]:
    """What the build was made with, and when."""
    clock = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.fromtimestamp(int(clock), UTC) if clock else datetime.now(UTC)
    return [
        ("Python", platform.python_version()),
        *((name, version(name)) for name in PACKAGES),
        ("commit", commit(project.root)),
        ("built", f"{moment:%Y-%m-%d %H:%M} UTC"),
        ("machine", f"{platform.system()} {platform.machine()}, {os.cpu_count()} processor cores"),
    ]


def commit(root: Path) -> str:
    """The commit of the book's checkout, and whether its files were changed since."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() == root.resolve():
            return git("describe", "--always", "--exclude=*", "--abbrev=12", "--dirty=, with changes")
    except (OSError, subprocess.SubprocessError):
        pass
    return "not from a Git checkout"


class Status(SphinxDirective):
    """One of three parts of the page."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        if (part := self.arguments[0]) not in PARTS:
            raise self.error(f"build-status: expected {', '.join(PARTS)}; got {part!r}")
        self.env.metadata[self.env.docname]["build-status"] = True
        made = nodes.container(classes=["build-status"])
        rows = StringList(PARTS[part](Project(Path(self.env.srcdir))), source="build-status")
        self.state.nested_parse(rows, self.content_offset, made)
        for items in made.findall(nodes.bullet_list):
            items["classes"].append("claims")
        return made.children


def table(heads: str, *rows: str) -> list[str]:
    """A Markdown table of rows whose cells are between bars."""
    return [heads, f"|{'---|' * (heads.count('|') - 1)}", *rows]


def plain(text: str) -> str:
    """Text whose marks mean nothing in Markdown."""
    return re.sub(r"([^\w\s])", r"\\\1", text)


def link(run: Run) -> str:
    """The page's title, linked."""
    return f"{{doc}}`{run.title} </book/{run.name}>`"


def versions_table(project: Project) -> list[str]:
    """A table of names and versions."""
    rows = (f"| {plain(name)} | {plain(said)} |" for name, said in versions(project))
    return table("| What | Version |", *rows)


def times_table(project: Project) -> list[str]:
    """A table of pages: seconds to run, and how many numbers are checked."""
    found = runs(project)
    spent = ["not run" if run.seconds is None else f"{run.seconds:.0f}" for run in found]
    rows = [f"| {link(run)} | {took} | {len(run.claims)} |" for run, took in zip(found, spent, strict=True)]
    seconds, claims = sum(run.seconds or 0 for run in found), sum(len(run.claims) for run in found)
    return table("| Page | Seconds | Claims |", *rows, f"| all | {seconds:.0f} | {claims} |")


def claims_list(project: Project) -> list[str]:
    """For each page that has some, a list of what is claimed, what was measured and what is allowed."""
    out = []
    for run in (run for run in runs(project) if run.claims):
        out += [f":::{{rubric}} {link(run)}", ":::", ""]
        for claim in run.claims:
            out.append(f"- {plain(claim.statement)} **{plain(claim.value)}** ({plain(claim.bound)})")
        out.append("")
    return out


PARTS = {"versions": versions_table, "times": times_table, "claims": claims_list}


def read_again(app, env, added, changed, removed) -> list[str]:
    """The pages with the directive: what they show may have changed though they have not."""
    return [name for name, said in env.metadata.items() if said.get("build-status")]


def setup(app) -> dict:
    """Register the extension."""
    app.add_directive("build-status", Status)
    app.connect("env-get-outdated", read_again)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
