"""Point the whole book at a fork: `make retarget REPO=owner/name`.

The address is that of _config.yml; every tracked text file that names it is rewritten, and the notebooks are
made anew.
"""

import re
import subprocess
import sys
from pathlib import Path

from project import Project, command

import notebooks

REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")


def text_files(root: Path) -> list[Path]:
    """The files under version control, or all but hidden and built ones where there is no Git."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True)
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


@command(__doc__, {"repo": {"help": "owner/name on GitHub"}})
def main(project: Project, repo: str) -> int:
    """Retarget, then make the notebooks with the new address."""
    if not REPO.fullmatch(repo):
        print(f"retarget needs REPO=owner/name, not {repo!r}", file=sys.stderr)
        return 2
    print(f"{repo}: {len(retarget(project, repo))} files changed")
    return notebooks.main(["--root", str(project.root)])


if __name__ == "__main__":
    sys.exit(main())
