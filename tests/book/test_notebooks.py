"""The generated notebooks: same bytes every time, drift seen, nothing raw left, numbers in place."""

import re

import nbformat
import pytest
from flatten import LEFT_OVER, without_code
from project import BookError

import notebooks


def generate(sample, *arguments):
    return notebooks.main([*arguments, "--root", str(sample.root)])


def texts(sample):
    return {path.stem: text for path, text in notebooks.generate(sample, run=False).items()}


def cells(sample, page="ch09_sample"):
    return nbformat.reads(texts(sample)[page], as_version=4).cells


def prose(sample):
    return "\n\n".join(cell.source for cell in cells(sample) if cell.cell_type == "markdown")


def replace(sample, page, old, new):
    path = sample.root / "book" / f"{page}.md"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.fixture
def without_checked_cells(sample):
    """The sample without cells whose outputs are compared, so that no kernel is needed."""
    replace(sample, "ch09_sample", "# NBVAL_CHECK_OUTPUT\n", "")
    return sample


def test_a_second_run_gives_the_same_bytes(without_checked_cells, capsys):
    sample = without_checked_cells
    assert generate(sample) == 0
    first = {path.name: path.read_bytes() for path in (sample.root / "notebooks").iterdir()}
    assert sorted(first) == ["ch01_few.ipynb", "ch09_sample.ipynb"]
    assert generate(sample) == 0
    assert {path.name: path.read_bytes() for path in (sample.root / "notebooks").iterdir()} == first
    assert "0 written" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize("drift", ["page", "notebook", "missing", "stray"])
def test_check_names_what_is_out_of_step(without_checked_cells, drift, capsys):
    sample = without_checked_cells
    generate(sample)
    assert generate(sample, "--check") == 0
    capsys.readouterr()
    folder = sample.root / "notebooks"
    if drift == "page":
        replace(sample, "ch01_few", "A thing.", "Another thing.")
    elif drift == "notebook":
        path = folder / "ch01_few.ipynb"
        path.write_text(path.read_text().replace("A thing.", "Another thing."))
    elif drift == "missing":
        (folder / "ch01_few.ipynb").unlink()
    else:
        (folder / "stray.ipynb").write_text("{}")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert generate(sample, "--check") == 1
    name = "stray" if drift == "stray" else "ch01_few"
    assert capsys.readouterr().out.startswith(f"notebooks/{name}.ipynb is out of step")
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_no_markdown_cell_keeps_myst(sample):
    raw = re.compile(r"\{[\w:]+\}`|^>? ?(:::|```\{)", re.MULTILINE)
    for cell in cells(sample):
        if cell.cell_type == "markdown":
            assert not raw.search(without_code(cell.source)), cell.source


@pytest.mark.parametrize("text", ["{eq}`x`", ":::{note}", "```{note}\n```", "(label)=", "> ::: {x}"[2:]])
def test_raw_myst_is_recognised(text):
    assert LEFT_OVER.search(without_code(f"Some text\n\n{text}"))


def test_literal_code_may_show_myst():
    assert not LEFT_OVER.search(without_code("Write `{eq}` or\n\n```python\n{role}`x`\n```\n"))


@pytest.mark.parametrize(
    "shown",
    [
        r"$$ \begin{aligned} x &= y \\ z &= w \end{aligned} \tag{9.1} $$",
        r"\tag{9.2} $$",
        "> **Theorem 9.1** (Block inverse)\n>\n> If $A$ then\n>\n> $$ A^{-1} = B \\tag{9.4} $$\n>\n> - one",
        "> *Proof.* From (9.2) and [Definition 1.1](",
        "> **Lemma 9.2**",
        "# 9. Sample of *everything*\n",
        "*Figure 9.2.* A plot of $x^2$, see (9.2).",
        "As Figure 9.2 and the plot, no. 9.1 show. See Second section and [Few labels](",
        "[Jacot et al. (2018)](https://doi.org/10.1/1)",
        "([Roy and McCallum, 2001](https://example.org/roy); [Jacot et al., 2018](https://doi.org/10.1/1))",
        "> **Exercise 9.1** (Check *it*)",
        "Exercise: Exercise 9.1, Exercise 9.2.",
        "*Table 9.1.* Costs\n\n| Method | Cost |\n|---|---|\n| Ours | $O(n)$ |",
        "Table 9.1 says so. A literal `{role}` stays",
        "> Nested with $x = y$",
        "#ntkal.inputs.check_choice)",
        "blob/main/tests/held.py)",
        "<details><summary>More on this</summary>\n\nHidden text.\n\n</details>",
        "  $$ b = c \\tag{9.5} $$",
    ],
)
def test_reads_well(sample, shown):
    assert shown in prose(sample)


def test_comments_and_targets_are_dropped(sample):
    assert "no reader sees" not in prose(sample)
    assert "(sec:second)=" not in prose(sample)


def test_solutions_are_folded(sample):
    found = [cell for cell in cells(sample) if cell.source.startswith("# @title Solution to Exercise 9.1")]
    assert len(found) == 1
    assert found[0].metadata["jupyter"]["source_hidden"]
    assert found[0].metadata["cellView"] == "form"
    text = prose(sample)
    assert "<details><summary>Solution to Exercise 9.1</summary>\n\nBy (9.3):\n\n</details>" in text
    assert "<details><summary>Solution, continued</summary>\n\nDone.\n\n</details>" in text
    assert "<details><summary>Solution to Exercise 9.2</summary>\n\nAn answer.\n\n</details>" in text
    assert text.count("<details>") == text.count("</details>")


def test_cell_ids_come_from_the_content(sample):
    before = [cell.id for cell in cells(sample)]
    assert len(set(before)) == len(before)
    replace(sample, "ch09_sample", "print(answer)", "print(answer, answer)")
    after = [cell.id for cell in cells(sample)]
    assert len([1 for old, new in zip(before, after, strict=True) if old != new]) == 1


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("{eq}`eq-09-b`", "{eq}`eq-09-none`", "there is no label eq-09-none"),
        ("{cite}`roy`", "{cite}`nobody`", "no entry nobody"),
        ("{term}`NTK`", "{unknown}`NTK`", "the role unknown has no form"),
        ("```{margin}", "```{strange}", "the directive strange has no form"),
        ("[Link](ch01_few.md)", "[Link](ch77_none.md)", "the link ch77_none.md leads nowhere"),
        ("Hidden text.", "Hidden text.[^1]", "notebooks do not show footnotes"),
    ],
)
def test_what_cannot_be_shown_is_an_error_with_file_and_line(sample, old, new, problem):
    replace(sample, "ch09_sample", old, new)
    path = sample.root / "book" / "ch09_sample.md"
    line = next(i for i, row in enumerate(path.read_text().splitlines(), 1) if new in row)
    with pytest.raises(BookError, match=re.escape(f"{path}:{line}: {problem}")):
        texts(sample)


def test_stored_outputs_stay_while_their_cell_does(sample):
    path = sample.root / "notebooks" / "ch09_sample.ipynb"
    path.parent.mkdir()
    notebook = nbformat.reads(texts(sample)["ch09_sample"], as_version=4)
    checked = next(cell for cell in notebook.cells if "NBVAL_CHECK_OUTPUT" in cell.source)
    checked.outputs = [nbformat.v4.new_output("stream", text="deterministic 42\n")]
    checked.execution_count = 4
    path.write_text(notebooks.render(notebook))
    assert texts(sample)["ch09_sample"] == path.read_text()
    assert generate(sample, "--check") == 1  # the other notebook is not there
    replace(sample, "ch09_sample", "6 * 7", "7 * 6")
    assert "deterministic 42" not in texts(sample)["ch09_sample"]


@pytest.mark.slow
def test_compared_outputs_come_from_a_run(sample):
    assert generate(sample) == 0
    notebook = nbformat.read(sample.root / "notebooks" / "ch09_sample.ipynb", as_version=4)
    outputs = {
        cell.source: cell.outputs for cell in notebook.cells if cell.cell_type == "code" and cell.outputs
    }
    assert [out.text for found in outputs.values() for out in found] == ["deterministic 42\n"]
    assert generate(sample, "--check") == 0
