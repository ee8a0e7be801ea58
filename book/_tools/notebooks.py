"""Make notebooks/*.ipynb from book/*.md: the same bytes on every run. `--check` says what is out of step."""

import hashlib
import sys
from pathlib import Path

import nbformat
from flatten import Flattener
from labels import Book, Page
from myst import Cell
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from project import BookError, Project, command, flag
from setup_cell import header, setup_cell

CHECKED = "# NBVAL_CHECK_OUTPUT"
FOLDED_TAGS = {"hide-input", "remove-input", "hide-cell", "remove-cell"}
METADATA = {
    "colab": {"toc_visible": True},
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def build(book: Book, page: Page) -> NotebookNode:
    """The notebook of one page, without outputs."""
    flatten = Flattener(book, page)
    cells = first_cells(book.project, header(book.project, page.name))
    joins = False  # whether a line that names slides, coming now, has split a cell: then it is one cell again
    for cell in page.cells:
        metadata = {key: value for key, value in cell.metadata.items() if key not in {"slide", "mystnb"}}
        if cell.kind == "code":
            cells.append(code_cell(cell, metadata, flatten.solution))
            if caption := flatten.caption(cell):
                cells.append(new_markdown_cell(caption))
            joins = False
        elif text := flatten(cell):
            if "slide" in cell.metadata and not metadata and joins:
                cells[-1].source += f"\n\n{text}"
            else:
                cells.append(new_markdown_cell(text, metadata=metadata))
            joins = True
    return as_notebook(cells, METADATA)


def first_cells(project: Project, text: str) -> list[NotebookNode]:
    """What each notebook begins with: where it belongs, and the setup cell."""
    return [new_markdown_cell(text), code(setup_cell(project), {"tags": ["setup"]}, folded=True)]


def code(source: str, metadata: dict, folded: bool = False) -> NotebookNode:
    """A code cell, folded in Jupyter and in Colab when asked."""
    fold = {"cellView": "form", "jupyter": {"source_hidden": True}} if folded else {}
    return new_code_cell(source, metadata={**metadata, **fold})


def code_cell(cell: Cell, metadata: dict, solution: str | None) -> NotebookNode:
    """A code cell of the page; one of a solution is folded below a title."""
    source = f"# @title {solution}\n{cell.source}" if solution else cell.source
    return code(source, metadata, folded=bool(solution) or bool(FOLDED_TAGS & set(metadata.get("tags", []))))


def as_notebook(cells: list[NotebookNode], metadata: dict) -> NotebookNode:
    """A notebook whose cells have ids from their content, which stay when other cells change."""
    seen: dict[str, int] = {}
    for cell in cells:
        text = f"{cell.cell_type}\n{cell.source}"
        seen[text] = seen.get(text, 0) + 1
        cell.id = hashlib.sha256(f"{text}\n{seen[text]}".encode()).hexdigest()[:12]
    return new_notebook(cells=cells, metadata=metadata, nbformat_minor=5)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The code cells alone."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def store(notebook: NotebookNode, outputs: dict[str, list]) -> bool:
    """Give the cells that nbval compares their outputs, by cell id; return whether some have none."""
    lacking = False
    for count, cell in enumerate(code_cells(notebook), 1):
        if CHECKED in cell.source:
            cell.outputs, found = outputs.get(cell.id, []), cell.id in outputs
            cell.execution_count = count if found else None
            lacking |= not found
    return lacking


def outputs_of_run(project: Project, source: Path, notebook: NotebookNode) -> dict[str, list]:
    """The outputs of a run of the page by cell id, without what differs from run to run."""
    from execute import executed

    mine, ran = (
        code_cells(notebook)[1:],
        code_cells(executed(project, source)),
    )  # the setup cell is not the page's
    for cell in ran:
        for output in cell.outputs:
            output.update({"execution_count": None} if "execution_count" in output else {})
    return {cell.id: other.outputs for cell, other in zip(mine, ran, strict=True)}


def stored_outputs(path: Path) -> dict[str, list]:
    """The outputs in the notebook that is there, by cell id."""
    if not path.exists() or not path.stat().st_size:
        return {}
    cells = nbformat.read(path, as_version=4).cells
    return {cell["id"]: cell.outputs for cell in cells if cell.get("outputs")}


def render(notebook: NotebookNode) -> str:
    """The file's text."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=nbformat.NO_CONVERT) + "\n"


def generate(project: Project, only=(), run: bool = True, refresh: bool = False) -> dict[Path, str]:
    """The text of each notebook by its path; `run` executes pages whose compared outputs are not stored."""
    book = Book(project)
    texts, problems = {}, []
    for source in project.notebooks():
        if only and source.stem not in only:
            continue
        path = project.root / "notebooks" / f"{source.stem}.ipynb"
        try:
            notebook = build(book, book.pages[source.stem])
        except BookError as problem:
            problems.append(str(problem))
            continue
        if store(notebook, {} if refresh else stored_outputs(path)) and run:
            store(notebook, outputs_of_run(project, source, notebook))
        texts[path] = render(notebook)
    if problems:
        raise BookError("\n".join(problems))
    return texts


PAGES = {"nargs": "*", "help": "names of pages, such as ch09_closed_form (default: all)"}
CHECK = flag("write nothing; exit 1 when a notebook is out of step")
REFRESH = flag("store the compared outputs anew")


@command(__doc__, {"pages": PAGES, "--check": CHECK, "--refresh": REFRESH})
def main(project: Project, pages: list[str], check: bool, refresh: bool) -> int:
    """Write the notebooks, or compare them."""
    texts = generate(project, pages, not check, refresh)
    return project.keep_in_step(texts, project.root / "notebooks", "notebooks", check, whole=not pages)


if __name__ == "__main__":
    sys.exit(main())
