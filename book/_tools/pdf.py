"""The whole book as one PDF: `make pdf`. It needs LaTeX, and says so in a sentence where there is none."""

import shutil
import subprocess
import sys
from pathlib import Path

from execute import JOBS
from execute import main as execute
from project import Project, command, flag

NEEDED = ("xelatex", "latexmk")
ADVICE = (
    "The PDF needs LaTeX, and {} cannot be found: install it (Debian, Ubuntu: apt install texlive-xetex "
    "texlive-latex-extra texlive-fonts-extra fonts-freefont-otf latexmk), or print the pages of "
    "`make book`."
)
SOURCES = flag("stop at the LaTeX sources, which need no LaTeX")


def missing(path: str | None = None) -> list[str]:
    """The programs that are not there."""
    return [name for name in NEEDED if shutil.which(name, path=path) is None]


@command(__doc__, {"--jobs": JOBS, "--sources": SOURCES})
def main(project: Project, jobs: int, sources: bool) -> int:
    """Run the chapters that are not in the cache, then render."""
    if not sources and (names := missing()):
        print(ADVICE.format(" and ".join(names)), file=sys.stderr)
        return 1
    if code := execute(["--jobs", str(jobs), "--root", str(project.root)]):
        return code
    book, builder = Path(sys.executable).with_name("jupyter-book"), "latex" if sources else "pdflatex"
    render = [book, "build", project.root, "--builder", builder, "-n", "--keep-going", "-q"]
    if code := subprocess.run(render, check=False).returncode:
        return code
    print(f"The book is in {project.root / '_build' / 'latex'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
