"""Decks: made from the chapters' cells with the book's numbers, without a trace in pages and notebooks."""

import json
from collections import Counter

import pytest
import slides
from execute import find, open_cache, read, store
from labels import Book
from project import BookError, Project
from slides_deck import Deck, check_all_read, listed, slides_of

import notebooks

PICTURE = {
    "output_type": "display_data",
    "metadata": {},
    "data": {"image/png": "aGVsbG8=", "text/plain": "<Figure>"},
}
TAGGED = {
    "## Second section": {"title": "Numbers", "say": "By {eq}`eq-09-a`", "show": ["eq-09-b", "thm-09-block"]},
    "As {numref}": [
        {"title": "Cells", "show": ["fig-09-plot", "run"], "then": ["One $x$", "Two"]},
        {"title": "Exercise", "show": "ex-09-1"},
    ],
}


def deck(book, page, outputs):
    """The cells of a page's deck; `outputs` of its code cells by their index, empty for the others."""
    count = sum(cell.kind == "code" for cell in book.pages[page].cells)
    made = Deck(book, book.pages[page])
    return made.notebook([outputs.get(index, []) for index in range(count)]).cells


def tag(project, slide, before, page="ch09_sample"):
    """Write slides before the line that starts so."""
    path = project.root / "book" / f"{page}.md"
    text = path.read_text()
    assert text.count(f"\n{before}") == 1
    line = f"+++ {json.dumps({'slide': slide})}\n"
    path.write_text(text.replace(f"\n{before}", f"\n{line}\n{before}"))


@pytest.fixture
def tagged(sample):
    """The sample's chapter 9 with a front box, take-aways and three slides."""
    path = sample.root / "book" / "ch09_sample.md"
    text = path.read_text().replace("# NBVAL_CHECK_OUTPUT\n", "")
    text = text.replace(
        "::::{admonition} What you will be able to do\n:class: tip\n\nRead this (",
        "::::{admonition} In this chapter\n:class: tip\n\n**You will be able to** read this (",
    )
    text = text.replace("(sec:second)=\n## Second", "## Second").replace("{ref}`sec:second`", "there")
    path.write_text(
        text + "\n## Take-aways\n\n- First, {eq}`eq-09-a`.\n- Second.\n\n## Further reading\n\nMore.\n"
    )
    plain = notebooks.generate(sample, run=False)
    key = read(path)
    for before, slide in TAGGED.items():
        tag(sample, slide, before)
    return sample, plain, key


def test_slides_leave_the_notebooks_and_the_execution_cache_alone(tagged):
    sample, plain, key = tagged
    path = sample.root / "book" / "ch09_sample.md"
    assert notebooks.generate(sample, run=False) == plain
    cache = open_cache(sample)
    store(cache, key, str(path), {})
    assert find(cache, read(path)) is not None


def test_a_deck_has_the_numbers_of_the_book(tagged):
    sample, *_ = tagged
    printed = {"output_type": "stream", "name": "stdout", "text": "deterministic 42\n"}
    cells = deck(Book(sample), "ch09_sample", {1: [PICTURE], 2: [printed]})
    starts = [cell for cell in cells if cell.metadata.get("slideshow", {}).get("slide_type") == "slide"]
    assert [cell.source.split("\n")[0] for cell in starts] == [
        "# 9. Sample of *everything*",
        "## Numbers",
        "## Cells",
        "## Exercise",
        "## Take-aways",
    ]
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert "**You will be able to** read this" in starts[0].source
    assert "By (9.2)" in text
    assert r"a = b \tag{9.3}" in text
    assert "> **Theorem 9.1** (Block inverse)" in text
    assert "> **Exercise 9.1** (Check *it*)\n>\n> Compute the thing." in text
    assert "- One $x$\n- Two" in text
    assert "- First, (9.2).\n- Second." in text
    assert "More." not in text
    picture, source = (cell for cell in cells if cell.cell_type == "code")
    assert picture.source == ""
    assert picture.outputs[0].metadata["image/png"]["alt"] == "A parabola"
    assert cells[cells.index(picture) + 1].source.startswith("*Figure 9.2.* A plot of $x^2$")
    assert source.source == 'print("deterministic", 6 * 7)'
    assert source.outputs[0].text == "deterministic 42\n"


@pytest.mark.parametrize(
    ("slide", "fault"),
    [
        ({"title": "T", "show": "eq-09-none"}, '"T": the page has nothing to show that is called eq-09-none'),
        ({"title": "T", "show": "code:nothing"}, "no cell of the page defines nothing"),
        ({"title": "T", "shows": "eq-09-a"}, "a slide has a title and may have say, show and then"),
        ({"say": "no title"}, "a slide has a title"),
        ({"title": "T", "say": "{eq}`eq-09-none`"}, "there is no label eq-09-none"),
    ],
)
def test_a_wrong_slide_is_named_with_its_line(tagged, slide, fault):
    sample, *_ = tagged
    tag(sample, slide, "```{list-table} Costs")
    with pytest.raises(BookError, match=r"ch09_sample.md:\d+: ") as raised:
        deck(Book(sample), "ch09_sample", {})
    assert fault in str(raised.value)


def test_slides_that_no_cell_would_carry_are_noticed(tagged):
    sample, *_ = tagged
    check_all_read(Book(sample).pages["ch09_sample"])
    tag(sample, {"title": "Lost"}, "```{code-cell} ipython3\nimport matplotlib")
    with pytest.raises(BookError, match="3 lines name slides, 2 are read"):
        check_all_read(Book(sample).pages["ch09_sample"])


def test_a_chapter_without_slides_is_named(sample, capsys):
    assert slides.main(["7", "--root", str(sample.root)]) == 1
    assert "there are no slides for chapter 7" in capsys.readouterr().err


@pytest.fixture(scope="module")
def book():
    """The book itself, read once."""
    return Book(Project())


@pytest.mark.parametrize("chapter", range(1, 13))
def test_each_deck_of_the_book_has_what_a_lecture_needs(book, chapter):
    page = next(page for page in book.pages.values() if page.chapter == chapter)
    check_all_read(page)
    outputs = [
        [PICTURE] if "figure" in cell.metadata.get("mystnb", {}) else []
        for cell in page.cells
        if cell.kind == "code"
    ]
    cells = deck(book, page.name, dict(enumerate(outputs)))
    kinds = Counter(tag for cell in cells for tag in cell.metadata.get("tags", []))
    assert (kinds["slide-first"], kinds["slide-list"]) == (1, 1)
    assert 8 <= kinds["slide-plain"] + 2 <= 14
    assert kinds["figure"] >= 2
    assert any("**Exercise" in cell.source for cell in cells), "an exercise for class"
    assert any(rf"\tag{{{chapter}." in cell.source for cell in cells), "an equation with its number"
    shown = [name for cell in page.cells for slide in slides_of(cell, page) for name in listed(slide, "show")]
    assert any(name in {"run", "code", "output"} or name.startswith("code:") for name in shown)
