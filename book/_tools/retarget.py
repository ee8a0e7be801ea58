"""Point the whole book at a fork: `make retarget REPO=owner/name`.

The address is that of _config.yml; every tracked text file that names it is rewritten, and the notebooks are
made anew.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

from project import ROOT, Project

import notebooks

REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")


def text_files(root: Path) -> list[Path]:
    """The files under version control, or all but hidden and built ones where there is no Git."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
    )
    if listed.returncode == 0:
        paths = [root / name for name in listed.stdout.splitlines()]
    else:
        paths = [path for path in root.rglob("*") if not {".venv", ".git", "_build"} & set(path.parts)]
    return [path for path in paths if path.is_file()]


def retarget(project: Project, repo: str) -> list[Path]:
    """Rewrite the address and that of the rendered book; return the changed files."""
    owner, name = repo.split("/")
    old_pages = re.escape(project.pages.removeprefix("https://"))
    slug = re.compile(rf"(?<![\w.-]){re.escape(project.slug)}(?![\w-])")
    pages = re.compile(rf"(?<![\w.-]){old_pages}(?![\w-])")
    changed = []
    for path in text_files(project.root):
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        new = slug.sub(repo, pages.sub(f"{owner.lower()}.github.io/{name}", text))
        if new != text:
            path.write_text(new)
            changed.append(path)
    return changed


def main(arguments: list[str] | None = None) -> int:
    """Retarget, then make the notebooks with the new address."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repo", help="owner/name on GitHub")
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository (default: this one)")
    options = parser.parse_args(arguments)
    if not REPO.fullmatch(options.repo):
        print(f"retarget needs REPO=owner/name, not {options.repo!r}", file=sys.stderr)
        return 2
    changed = retarget(Project(options.root), options.repo)
    print(f"{options.repo}: {len(changed)} files changed")
    return notebooks.main(["--root", str(options.root)])


if __name__ == "__main__":
    sys.exit(main())
