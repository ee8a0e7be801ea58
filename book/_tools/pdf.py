"""The whole book as one PDF: `make pdf`. It needs LaTeX, and says so in a sentence where there is none."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from project import ROOT

NEEDED = ("xelatex", "latexmk")


def missing(path: str | None = None) -> list[str]:
    """The programs that are not there."""
    return [name for name in NEEDED if shutil.which(name, path=path) is None]


def main(arguments: list[str] | None = None) -> int:
    """Run the chapters that are not in the cache, then render."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="pages run at a time")
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository (default: this one)")
    parser.add_argument(
        "--sources", action="store_true", help="stop at the LaTeX sources, which need no LaTeX"
    )
    options = parser.parse_args(arguments)
    if not options.sources and (names := missing()):
        print(
            f"The PDF needs LaTeX, and {' and '.join(names)} cannot be found: install it (Debian, Ubuntu: "
            "apt install texlive-xetex texlive-latex-extra texlive-fonts-extra fonts-freefont-otf latexmk), "
            "or print the pages that `make book` renders.",
            file=sys.stderr,
        )
        return 1
    tools = Path(__file__).parent
    run = [sys.executable, tools / "execute.py", "--jobs", str(options.jobs), "--root", options.root]
    book = Path(sys.executable).with_name("jupyter-book")
    builder = "latex" if options.sources else "pdflatex"
    render = [book, "build", options.root, "--builder", builder, "-n", "--keep-going", "-q"]
    for command in (run, render):
        if code := subprocess.run(command, check=False).returncode:
            return code
    print(f"The book is in {options.root / '_build' / 'latex'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
