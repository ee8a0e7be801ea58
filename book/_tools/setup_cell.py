"""The first cells of each notebook: a link back to the book, and what installs the package if need be."""

from __future__ import annotations

import re

from project import Project

MODULES = {"scikit-learn": "sklearn"}  # where the module's name is not the package's
TEMPLATE = """\
# @title Setup: run this cell first {{ display-mode: "form" }}
# Installs what is missing (on Colab: ntkal and a few light packages). What is installed is not touched.
import importlib
import importlib.metadata
import importlib.util
import subprocess
import sys


def missing(module):
    return importlib.util.find_spec(module) is None


if missing("ntkal"):
    needs = {needs}
    wanted = [requirement for module, requirement in needs.items() if missing(module)]
    keep = ["jax", "jaxlib", "flax", "optax", "numpy", "scipy", "pandas", "scikit-learn", "matplotlib"]
    have = {{dist.metadata["Name"]: dist.version for dist in importlib.metadata.distributions()}}
    pinned = [f"{{name}}=={{have[name]}}" for name in keep if name in have]
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    if wanted:
        subprocess.run([*pip, *wanted, *pinned], check=True)
    # Without their dependencies: those are there now, and {theory} declares some that it does not need.
    subprocess.run([*pip, "--no-deps", "{theory}", "{package}"], check=True)
    importlib.invalidate_caches()

jax_version = importlib.metadata.version("jax")
tested = ({low}, {high})
if not tested[0] <= tuple(int(part) for part in jax_version.split(".")[:2]) <= tested[1]:
    print(f"This notebook was tested with JAX {low_text} to {high_text}; here is JAX {{jax_version}}.")
    print('If a cell fails: run  %pip install "jax=={jax}"  in a new cell, restart, run this cell again.')
print("ntkal", importlib.metadata.version("ntkal"), "with JAX", jax_version)
"""


def setup_cell(project: Project) -> str:
    """The code of the setup cell, made from pyproject.toml, the lock and the repository's address."""
    needs = {}
    for requirement in project.pyproject["project"]["dependencies"]:
        name = re.match(r"[\w.-]+", requirement)[0]
        needs[MODULES.get(name, name)] = requirement
    needs["frozendict"] = "frozendict"  # for neural-tangents, which comes without its dependencies
    theory = project.pyproject["project"]["optional-dependencies"]["theory"][0]
    listed = "".join(f'        "{module}": "{requirement}",\n' for module, requirement in needs.items())
    low, high = jax_range(project)
    return TEMPLATE.format(
        needs="{\n" + listed + "    }",
        theory=theory,
        package=f"ntkal @ git+{project.url}@{project.branch}",
        low=low,
        high=high,
        low_text=".".join(map(str, low)),
        high_text=".".join(map(str, high)),
        jax=project.pin("jax"),
    ).rstrip("\n")


def jax_range(project: Project) -> tuple[tuple[int, int], tuple[int, int]]:
    """The lowest JAX that the package asks for and the one in the lock, as (major, minor)."""
    asked = next(item for item in project.pyproject["project"]["dependencies"] if re.match(r"jax\b", item))
    low = re.search(r">=(\d+)\.(\d+)", asked)
    return (int(low[1]), int(low[2])), tuple(int(part) for part in project.pin("jax").split(".")[:2])


def header(project: Project, page: str) -> str:
    """The first Markdown cell: where this comes from."""
    return (
        f"*A page of [{project.title}]({project.pages}): "
        f"[read it as a web page]({project.page_url(page)}), with the same numbers. "
        f"Made from [book/{page}.md]({project.file_url(f'book/{page}.md')}); change it there, not here.*"
    )
