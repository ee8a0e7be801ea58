"""What scripts and extensions share: where things are, the repository's address, which pages are chapters."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = re.compile(r"ch(\d\d)_\w+$")


def chapter_number(page: str) -> int | None:
    """The number of a chapter by its file name: `book/ch09_closed_form` -> 9; None for other pages."""
    match = CHAPTER.search(page.removesuffix(".md"))
    return int(match[1]) if match else None


@dataclass(frozen=True)
class Project:
    """A copy of the repository at `root`."""

    root: Path = ROOT

    @cached_property
    def config(self) -> dict:
        return yaml.safe_load((self.root / "_config.yml").read_text())

    @cached_property
    def pyproject(self) -> dict:
        return tomllib.loads((self.root / "pyproject.toml").read_text())

    @property
    def title(self) -> str:
        return self.config["title"]

    @property
    def url(self) -> str:
        """The repository's web address."""
        return self.config["repository"]["url"].rstrip("/")

    @property
    def slug(self) -> str:
        """owner/name."""
        return "/".join(self.url.split("/")[-2:])

    @property
    def branch(self) -> str:
        return self.config["repository"]["branch"]

    @property
    def pages(self) -> str:
        """The address of the rendered book."""
        return self.config["html"]["baseurl"].rstrip("/")

    def page_url(self, page: str) -> str:
        """The address of the rendered page, for a source name without suffix."""
        return f"{self.pages}/book/{page}.html"

    def file_url(self, path: str, raw: bool = False) -> str:
        """The address of a file in the repository."""
        if raw:
            return f"https://raw.githubusercontent.com/{self.slug}/{self.branch}/{path}"
        return f"{self.url}/blob/{self.branch}/{path}"

    def sources(self) -> list[Path]:
        """Every page of the book, whether it has code or not."""
        return sorted((self.root / "book").glob("*.md"))

    def notebooks(self) -> list[Path]:
        """The pages that have code to run: they become notebooks and are executed."""
        return [path for path in self.sources() if is_notebook(path.read_text())]

    def pin(self, package: str) -> str:
        """The version of a package in requirements.lock."""
        found = re.search(rf"^{re.escape(package)}==(\S+)", self.lock, re.MULTILINE)
        if not found:
            raise ValueError(f"requirements.lock has no {package}")
        return found[1]

    @cached_property
    def lock(self) -> str:
        return (self.root / "requirements.lock").read_text()

    def execution_cache(self) -> Path:
        """The folder of executed pages, named by all that an output depends on besides the page's own cells.

        That is the package with the results stored in it, the locked versions, and the reader's data files.
        """
        digest = hashlib.sha256(self.lock.encode())
        files = [path for path in (self.root / "ntkal").rglob("*") if "__pycache__" not in path.parts]
        if data := os.environ.get("NTKAL_DATA"):
            files += Path(data).rglob("*")
        for path in sorted(path for path in files if path.is_file()):
            digest.update(path.name.encode())
            with path.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        return self.root / "_build" / "execution" / digest.hexdigest()[:16]


def is_notebook(text: str) -> bool:
    """Whether a page's header names a kernel."""
    header = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    return bool(header) and "kernelspec" in (yaml.safe_load(header[1]) or {})
