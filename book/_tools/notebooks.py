"""Make notebooks/*.ipynb from book/*.md: the same bytes on every run. `--check` says what is out of step."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

import nbformat
from citations import Bibliography
from flatten import Flattener
from inline import Inline
from labels import Label, Page, read_book
from myst import BookError, Cell
from project import ROOT, Project
from setup_cell import header, setup_cell

CHECKED = "# NBVAL_CHECK_OUTPUT"
FOLDED_TAGS = {"hide-input", "remove-input", "hide-cell", "remove-cell"}
METADATA = {
    "colab": {"toc_visible": True},
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def build(
    project: Project, page: Page, labels: dict[str, Label], bibliography: Bibliography
) -> nbformat.NotebookNode:
    """The notebook of one page, without outputs."""
    flatten = Flattener(project, page, labels, Inline(project, page, labels, bibliography))
    cells = [
        markdown(header(project, page.name)),
        code(setup_cell(project), {"tags": ["setup"]}, folded=True),
    ]
    previous = "code"
    for cell in page.cells:
        if cell.kind == "markdown":
            metadata = {key: value for key, value in cell.metadata.items() if key != "slide"}
            if not (text := flatten(cell)):
                continue
            # A line that names slides may split a cell of the page: here the parts are one cell again.
            if "slide" in cell.metadata and not metadata and previous == "markdown":
                cells[-1]["source"] += f"\n\n{text}"
            else:
                cells.append(markdown(text, metadata))
            previous = "markdown"
            continue
        previous = "code"
        cells.append(code_cell(cell, flatten.solution))
        if caption := flatten.caption(cell):
            cells.append(markdown(caption))
    name_cells(cells)
    return nbformat.from_dict({"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5})


def markdown(text: str, metadata: dict | None = None) -> dict:
    """A Markdown cell."""
    return {"cell_type": "markdown", "metadata": metadata or {}, "source": text}


def code(source: str, metadata: dict, folded: bool = False) -> dict:
    """A code cell, folded in Jupyter and in Colab when asked."""
    if folded:
        metadata = {**metadata, "cellView": "form", "jupyter": {"source_hidden": True}}
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": metadata,
        "outputs": [],
        "source": source,
    }


def code_cell(cell: Cell, solution: str | None) -> dict:
    """A code cell of the page; one of a solution is folded below a title."""
    metadata = {key: value for key, value in cell.metadata.items() if key != "mystnb"}
    source = f"# @title {solution}\n{cell.source}" if solution else cell.source
    return code(source, metadata, folded=bool(solution) or bool(FOLDED_TAGS & set(metadata.get("tags", []))))


def name_cells(cells: list[dict]) -> None:
    """Give each cell an id from its content, so that it stays when other cells change."""
    seen: dict[str, int] = {}
    for cell in cells:
        text = f"{cell['cell_type']}\n{cell['source']}"
        seen[text] = seen.get(text, 0) + 1
        cell["id"] = hashlib.sha256(f"{text}\n{seen[text]}".encode()).hexdigest()[:12]


def keep_outputs(notebook: nbformat.NotebookNode, old: nbformat.NotebookNode | None) -> list[int]:
    """Take over the stored outputs of unchanged cells that nbval compares; return which have none."""
    stored = {cell["id"]: cell for cell in (old.cells if old else []) if cell.get("outputs")}
    lacking = []
    count = 0
    for index, cell in enumerate(notebook.cells):
        count += cell.cell_type == "code"
        if cell.cell_type != "code" or CHECKED not in cell.source:
            continue
        if cell["id"] in stored:
            cell.outputs, cell.execution_count = stored[cell["id"]].outputs, count
        else:
            lacking.append(index)
    return lacking


def fill_outputs(project: Project, path: Path, notebook: nbformat.NotebookNode) -> None:
    """Store the outputs of the cells that nbval compares, from a run of the page."""
    from execute import executed

    ran = [cell for cell in executed(project, path).cells if cell.cell_type == "code"]
    mine = [cell for cell in notebook.cells if cell.cell_type == "code"][
        1:
    ]  # the setup cell is not the page's
    for count, (cell, source) in enumerate(zip(mine, ran, strict=True), start=2):
        if CHECKED in cell.source:
            cell.outputs, cell.execution_count = [plain_output(out) for out in source.outputs], count


def plain_output(output: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """An output without what differs from run to run."""
    output = nbformat.from_dict(dict(output))
    if "execution_count" in output:
        output["execution_count"] = None
    return output


def render(notebook: nbformat.NotebookNode) -> str:
    """The file's text."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=nbformat.NO_CONVERT) + "\n"


def generate(
    project: Project, only: tuple[str, ...] = (), run: bool = True, refresh: bool = False
) -> dict[Path, str]:
    """The text of each notebook by its path; `run` executes pages whose compared outputs are not stored."""
    pages, labels = read_book(project)
    bibliography = Bibliography(project.root / "book" / "references.bib", project.page_url("bibliography"))
    texts, problems = {}, []
    for source in project.notebooks():
        if only and source.stem not in only:
            continue
        path = project.root / "notebooks" / f"{source.stem}.ipynb"
        try:
            notebook = build(project, pages[source.stem], labels, bibliography)
        except BookError as problem:
            problems.append(str(problem))
            continue
        old = (
            nbformat.read(path, as_version=4)
            if path.exists() and path.stat().st_size and not refresh
            else None
        )
        if keep_outputs(notebook, old) and run:
            fill_outputs(project, source, notebook)
        texts[path] = render(notebook)
    if problems:
        raise BookError("\n".join(problems))
    return texts


def main(arguments: list[str] | None = None) -> int:
    """Write the notebooks, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="*", help="names of pages, such as ch09_closed_form (default: all)")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 when a notebook is out of step"
    )
    parser.add_argument("--refresh", action="store_true", help="store the compared outputs anew")
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository (default: this one)")
    options = parser.parse_args(arguments)
    project = Project(options.root)
    folder = project.root / "notebooks"
    try:
        texts = generate(project, tuple(options.pages), not options.check, options.refresh)
    except BookError as problem:
        print(problem, file=sys.stderr)
        return 1
    wrong = [path for path, text in texts.items() if not path.exists() or path.read_text() != text]
    stray = [path for path in sorted(folder.glob("*.ipynb")) if path not in texts and not options.pages]
    if options.check:
        for path in sorted(wrong + stray):
            print(f"{path.relative_to(project.root)} is out of step with book/: run `make notebooks`")
        return 1 if wrong or stray else 0
    folder.mkdir(exist_ok=True)
    for path in wrong:
        path.write_text(texts[path])
    for path in stray:
        path.unlink()
    print(f"notebooks: {len(texts)} in step, {len(wrong)} written, {len(stray)} removed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
