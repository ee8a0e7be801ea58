"""Ask each address outside the book whether it still answers: `make links`."""

from __future__ import annotations

import argparse
import re
import sys
import time
import urllib.error
import urllib.request
from collections import defaultdict
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag, urlsplit

from project import ROOT, Project

TIMEOUT = 20  # seconds for an answer
PAUSE = 1.0  # seconds between two questions to one host
AGENT = "Mozilla/5.0 (compatible; the book's link check)"
REFUSED = (
    401,
    403,
    405,
    406,
    429,
    500,
    501,
    503,
)  # what some servers answer to HEAD, though the page is there


class Links(HTMLParser):
    """The outside addresses that a page's text links to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get("href") or ""
        if tag == "a" and re.match(r"https?://", address):
            self.found.add(urldefrag(address).url)


def gather(folder: Path, own: tuple[str, ...]) -> dict[str, list[str]]:
    """Each outside address with the pages that link to it, without those that begin like our own."""
    pages = defaultdict(list)
    for path in sorted(folder.rglob("*.html")):
        for address in Links(path.read_text(encoding="utf-8")).found:
            if not address.startswith(own):
                pages[address].append(str(path.relative_to(folder)))
    return dict(sorted(pages.items()))


def ask(address: str, timeout: float = TIMEOUT) -> str | None:
    """What is wrong with an address, None when it answers: HEAD first, GET where HEAD is refused."""
    for method in ("HEAD", "GET"):
        request = urllib.request.Request(address, method=method, headers={"User-Agent": AGENT})
        try:
            with urllib.request.urlopen(request, timeout=timeout):
                return None
        except urllib.error.HTTPError as answer:
            if method == "HEAD" and answer.code in REFUSED:
                continue
            return f"answers {answer.code}"
        except (OSError, ValueError) as problem:
            return f"no answer: {getattr(problem, 'reason', problem)}"
    return None


def check(pages: dict[str, list[str]], pause: float = PAUSE, timeout: float = TIMEOUT) -> dict[str, str]:
    """The addresses that do not answer, asked one after the other."""
    wrong, asked = {}, {}
    for address in pages:
        host = urlsplit(address).netloc
        time.sleep(max(0.0, asked.get(host, float("-inf")) + pause - time.monotonic()))
        if problem := ask(address, timeout):
            wrong[address] = problem
        asked[host] = time.monotonic()
    return wrong


def main(arguments: list[str] | None = None) -> int:
    """List the addresses that do not answer, and where they are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--html", type=Path, default=ROOT / "_build" / "html", help="the rendered book")
    options = parser.parse_args(arguments)
    if not (options.html / "index.html").is_file():
        print(f"There is no rendered book in {options.html}: run `make book` first.", file=sys.stderr)
        return 1
    project = Project()
    pages = gather(options.html, (project.url, project.pages))
    print(f"Asking {len(pages)} addresses, {PAUSE:g} s apart for each host", flush=True)
    wrong = check(pages)
    for address, problem in wrong.items():
        print(f"{address} {problem} (in {', '.join(pages[address][:3])})")
    print(f"{len(pages) - len(wrong)} answer, {len(wrong)} do not")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
