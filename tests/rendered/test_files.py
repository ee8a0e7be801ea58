"""Every page of the rendered book, as files: links, pictures, headings, weight."""

import re

import built
import pytest
from project import Project, chapter_number

HEAVIEST = 2_000_000  # bytes of a page without what all pages share


def test_the_book_has_every_page_of_its_sources():
    sources = {f"book/{path.stem}.html" for path in Project().sources()}
    assert sources <= set(built.pages())
    first = re.search(r"url=([^\"]+)\"", (built.HTML / built.START).read_text())[1]
    assert first in built.pages()


def test_links_and_anchors_lead_somewhere(page):
    assert built.dangling(built.HTML / page) == []


def test_pictures_have_a_text(page):
    assert built.undescribed(built.HTML / page) == []


def test_headings_are_in_order(page):
    assert built.disorder(built.HTML / page) == []


def test_the_page_is_light(page):
    assert built.weight(built.HTML / page) < HEAVIEST


@pytest.mark.parametrize("path", Project().notebooks(), ids=lambda path: path.stem)
def test_the_colab_button_opens_the_notebook_of_the_page(path):
    project = Project()
    page = built.read(built.HTML / "book" / f"{path.stem}.html")
    found = [name for name in page.addresses if "colab.research.google.com" in name]
    notebook = f"notebooks/{path.stem}.ipynb"
    address = f"https://colab.research.google.com/github/{project.slug}/blob/{project.branch}/{notebook}"
    assert address in found
    assert (project.root / notebook).is_file()
    assert chapter_number(path.stem) is None or len(set(found)) == 1
