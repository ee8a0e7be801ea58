"""Run the book's pages in parallel and store their outputs where Sphinx, with `setup`, finds them."""

import asyncio
import contextlib
import os
import shutil
import sys
import time
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from myst import CONFIG
from myst_nb.core.read import read_myst_markdown_notebook
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from project import Project, command

TIMEOUT = 600  # seconds for a cell
KEEP = 3  # how many older caches stay, so that going back to a branch is quick


def read(path: Path) -> NotebookNode:
    """The page as MyST-NB reads it: the cache's key is made from these cells."""
    return read_myst_markdown_notebook(path.read_text(), CONFIG, path=path)


def open_cache(project: Project):
    """The cache for the package, lock and data as they are now; forgets the oldest ones."""
    folder = project.execution_cache()
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    others = sorted(folder.parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in others[KEEP:]:
        shutil.rmtree(old)
    return get_cache(str(folder))


def find(cache, notebook: NotebookNode) -> NotebookNode | None:
    """The stored run of these code cells; None when there is none."""
    try:
        return cache.get_cache_bundle(cache.match_cache_notebook(notebook).pk).nb
    except KeyError:
        return None


def store(cache, notebook: NotebookNode, uri: str, data: dict) -> None:
    """Put a run into the cache."""
    cache.cache_notebook_bundle(CacheBundleIn(notebook, uri, data=data), check_validity=False, overwrite=True)


def environment(jobs: int) -> dict[str, str]:
    """The kernels' environment: with several at a time, each gets its share of the cores."""
    threads = str(max(1, (os.cpu_count() or 1) // jobs))
    limits = dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], threads)
    return {"JUPYTER_PREFER_ENV_PATH": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1", **limits, **os.environ}


async def run_page(path: Path, notebook: NotebookNode, jobs: int) -> float:
    """Run the cells in a kernel of their own, in the page's folder; return the seconds."""
    start = time.perf_counter()
    quiet = ["--IPKernelApp.log_level=40"]  # else each kernel warns that it listens on an unencrypted port
    settings = {"timeout": TIMEOUT, "resources": {"metadata": {"path": str(path.parent)}}}
    # Timings would go into the cells' metadata, which are part of the cache's key.
    client = NotebookClient(notebook, **settings, extra_arguments=quiet, record_timing=False)
    await client.async_execute(env=environment(jobs))
    return time.perf_counter() - start


async def run_all(cache, paths: list[Path], jobs: int) -> list[str]:
    """Run the pages that are not in the cache, `jobs` at a time; return the names of those that failed."""
    notebooks = {path: read(path) for path in paths}
    waiting = [path for path in paths if find(cache, notebooks[path]) is None]
    if len(waiting) < len(paths):
        print(f"  {len(paths) - len(waiting)} of {len(paths)} pages are in the cache", flush=True)
    slots, failed, done = asyncio.Semaphore(jobs), [], 0

    async def one(path: Path) -> None:
        nonlocal done
        async with slots:
            try:
                seconds = await run_page(path, notebooks[path], jobs)
                store(cache, notebooks[path], str(path), {"execution_seconds": seconds})
                said = f"{seconds:.0f} s"
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as problem:
                failed.append(path.stem)
                said = f"FAILED in this cell:\n{problem}"
            done += 1
            print(f"  [{done}/{len(waiting)}] {path.stem} {said}", flush=True)

    await asyncio.gather(*(one(path) for path in waiting))
    return failed


def executed(project: Project, path: Path) -> NotebookNode:
    """A page with its outputs, run now if it is not in the cache."""
    cache = open_cache(project)
    if find(cache, read(path)) is None:
        print(f"running {path.name} for its outputs", flush=True)
        if asyncio.run(run_all(cache, [path], 1)):
            raise SystemExit(1)
    return find(cache, read(path))


JOBS = {"type": int, "default": os.cpu_count() or 1, "help": "pages at a time (default: the cores)"}


@command(__doc__, {"--jobs": JOBS})
def main(project: Project, jobs: int) -> int:
    """Run what is not in the cache."""
    start = time.perf_counter()
    print("Running the pages", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        failed = asyncio.run(run_all(open_cache(project), project.notebooks(), jobs))
        print(f"  {time.perf_counter() - start:.0f} s in all", flush=True)
        if failed:
            print(f"Failed: {', '.join(failed)}", file=sys.stderr)
        return 1 if failed else 0
    return 130


def find_cache(app, config) -> None:
    """Set the path before MyST-NB reads its settings; a changed one makes Sphinx read every page again."""
    config.nb_execution_cache_path = str(Project(Path(app.srcdir)).execution_cache())


def setup(app) -> dict:
    """Register the extension."""
    app.connect("config-inited", find_cache)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    sys.exit(main())
