"""The bibliography: what is cited has an entry, every entry is cited and says where to read the work."""

import re

import pytest
from citations import Bibliography
from project import ROOT, Project

CITED = re.compile(r"\{cite(?::\w+)?\}`([^`]+)`")
ENTRIES = Bibliography(ROOT / "book" / "references.bib").entries


def cited():
    """Each key with the pages that cite it; a problem set is a page too."""
    pages = {}
    for path in [*Project().sources(), *(ROOT / "book" / "assignments").glob("*.md")]:
        for keys in CITED.findall(path.read_text()):
            for key in keys.split(","):
                pages.setdefault(key.strip(), set()).add(path.name)
    return pages


def test_every_key_that_is_cited_has_an_entry():
    assert {key: pages for key, pages in cited().items() if key not in ENTRIES} == {}


def test_every_entry_is_cited():
    assert sorted(set(ENTRIES) - set(cited())) == []


@pytest.mark.parametrize("key", ENTRIES)
def test_an_entry_says_who_what_when_and_where(key):
    entry = ENTRIES[key]
    assert entry.persons.get("author") or entry.persons.get("editor")
    assert entry.fields.get("title")
    assert re.fullmatch(r"(19|20)\d\d", entry.fields.get("year", ""))
    assert re.match(r"10\.\d{4,}/", entry.fields.get("doi", "")) or re.match(
        r"https?://", entry.fields.get("url", "")
    )
