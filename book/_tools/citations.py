"""Author-year citations with a link, from book/references.bib."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pybtex.database import Entry, parse_file
from pybtex.richtext import Text


@dataclass(frozen=True)
class Bibliography:
    """The entries of a BibTeX file, cited by key."""

    path: Path

    @cached_property
    def entries(self) -> dict[str, Entry]:
        return parse_file(str(self.path)).entries if self.path.exists() else {}

    def entry(self, key: str) -> Entry:
        """The entry of a key; KeyError with a clear message when there is none."""
        if key not in self.entries:
            raise KeyError(f"no entry {key} in {self.path.name}")
        return self.entries[key]

    def authors(self, key: str) -> str:
        """Surnames as they are cited, without TeX: "Roy and McCallum", "Jacot et al."."""
        entry = self.entry(key)
        people = entry.persons.get("author") or entry.persons.get("editor") or []
        names = [" ".join(person.prelast_names + person.last_names) for person in people]
        names = [str(Text.from_latex(name)) for name in names or [entry.fields["title"]]]
        return " and ".join(names) if len(names) <= 2 else f"{names[0]} et al."

    def cite(self, keys: list[str], textual: bool) -> str:
        """As part of a sentence, Jacot et al. (2018), or in parentheses, (Jacot et al., 2018), with links."""
        cited = []
        for key in keys:
            fields, authors = self.entry(key).fields, self.authors(key)
            link = f"https://doi.org/{fields['doi']}" if "doi" in fields else fields["url"]
            said = f"{authors} ({fields['year']})" if textual else f"{authors}, {fields['year']}"
            cited.append(f"[{said}]({link})")
        return ", ".join(cited) if textual else f"({'; '.join(cited)})"
