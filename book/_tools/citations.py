"""Author-year citations with a link, from book/references.bib."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from pybtex.database import Entry, Person, parse_file
from pybtex.richtext import Text


class Bibliography:
    """The entries of a BibTeX file, cited by key."""

    def __init__(self, path: Path, fallback: str) -> None:
        """`fallback` is the page to link to when an entry has neither DOI nor address."""
        self.path, self.fallback = path, fallback

    @cached_property
    def entries(self) -> dict[str, Entry]:
        return parse_file(str(self.path)).entries if self.path.exists() else {}

    def link(self, key: str) -> str:
        """Where the work can be read."""
        fields = self.entry(key).fields
        if "doi" in fields:
            return f"https://doi.org/{fields['doi']}"
        return fields.get("url", self.fallback)

    def entry(self, key: str) -> Entry:
        """The entry of a key; KeyError with a clear message when there is none."""
        if key not in self.entries:
            raise KeyError(f"no entry {key} in {self.path.name}")
        return self.entries[key]

    def authors(self, key: str) -> str:
        """Surnames as they are cited: "Roy and McCallum", "Jacot et al."."""
        entry = self.entry(key)
        people = entry.persons.get("author") or entry.persons.get("editor") or []
        names = [surname(person) for person in people] or [str(Text.from_latex(entry.fields["title"]))]
        if len(names) > 2:
            return f"{names[0]} et al."
        return " and ".join(names)

    def textual(self, keys: list[str]) -> str:
        """As part of a sentence: Jacot et al. (2018)."""
        return ", ".join(
            f"[{self.authors(key)} ({self.entry(key).fields['year']})]({self.link(key)})" for key in keys
        )

    def parenthetical(self, keys: list[str]) -> str:
        """In parentheses: (Jacot et al., 2018)."""
        cited = [f"[{self.authors(key)}, {self.entry(key).fields['year']}]({self.link(key)})" for key in keys]
        return f"({'; '.join(cited)})"


def surname(person: Person) -> str:
    """The name under which a person is cited, without TeX."""
    return str(Text.from_latex(" ".join(person.prelast_names + person.last_names)))
