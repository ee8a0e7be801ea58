"""What scripts and extensions share: where things are, which pages are chapters, how a command is made."""

import argparse
import hashlib
import os
import re
import shutil
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from string import Template

import yaml

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = Path(__file__).resolve().parent / "templates"
# The part of MathJax that slides load, and pages with one file more.
MATHJAX = ["tex-chtml-full.js", "output/chtml/fonts", "input/tex/extensions", "a11y/assistive-mml.js"]
CHAPTER = re.compile(r"ch(\d\d)_\w+$")


class BookError(Exception):
    """Something in the book that cannot be shown or made; says where."""


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

        That is the package with its stored results, Python, the locked versions, and the reader's data files.
        """
        digest = hashlib.sha256(f"{sys.version}\n{self.lock}".encode())
        files = [path for path in (self.root / "ntkal").rglob("*") if "__pycache__" not in path.parts]
        if data := os.environ.get("NTKAL_DATA"):
            files += Path(data).rglob("*")
        for path in sorted(path for path in files if path.is_file()):
            digest.update(path.name.encode())
            with path.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        return self.root / "_build" / "execution" / digest.hexdigest()[:16]

    def asked(self) -> list[str]:
        """The requirements in pyproject.toml, those of the extras too."""
        table = self.pyproject["project"]
        return sum(table["optional-dependencies"].values(), table["dependencies"])

    def keep_in_step(self, texts: dict[Path, str], folder: Path, target: str, check: bool, whole=True) -> int:
        """Write what make's target makes where it differs; when whole, remove what else is in the folder.

        To check is to write nothing, name what is out of step, and return 1 when something is.
        """
        wrong = [path for path, text in texts.items() if not path.exists() or path.read_text() != text]
        stray = [path for path in folder.glob("*.ipynb") if whole and path not in texts]
        if check:
            for path in sorted(wrong + stray):
                print(f"{path.relative_to(self.root)} is out of step with book/: run `make {target}`")
            return int(bool(wrong or stray))
        for path in wrong:
            write(path, texts[path])
        for path in stray:
            path.unlink()
        print(f"{target}: {len(texts)} in step, {len(wrong)} written, {len(stray)} removed")
        return 0


def write(path: Path, text: str) -> None:
    """Write a file, in a new folder if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def fill_in(template: str, **words) -> str:
    """A file of templates/ with its `${words}` put in."""
    return Template((TEMPLATES / template).read_text()).substitute(words)


def copy_mathjax(target: Path, parts: list[str]) -> None:
    """Copy these parts of MathJax that are not there yet, from the installed package."""
    package = Path(find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
    for part in parts:
        if not (target / part).exists():
            (target / part).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (package / part).is_dir() else shutil.copy
            copy(package / part, target / part)


def command(
    about: str, options: dict[str, dict]
) -> Callable[[Callable[..., int | None]], Callable[..., int]]:
    """Make a function of a project and these options of argparse, by their names, a command.

    The command takes the words of a command line and returns the exit status. A BookError is printed.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository (default: this one)")
    for name, settings in options.items():
        parser.add_argument(name, **settings)

    def wrap(work: Callable[..., int | None]) -> Callable[..., int]:
        def main(arguments: list[str] | None = None) -> int:
            given = vars(parser.parse_args(arguments))
            try:
                return work(Project(given.pop("root").resolve()), **given) or 0
            except BookError as problem:
                print(problem, file=sys.stderr)
                return 1

        return main

    return wrap


def flag(about: str) -> dict:
    """An option that is on when it is named."""
    return {"action": "store_true", "help": about}


def is_notebook(text: str) -> bool:
    """Whether a page's header names a kernel."""
    header = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    return bool(header) and "kernelspec" in (yaml.safe_load(header[1]) or {})
