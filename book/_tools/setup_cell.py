"""The first cells of each notebook: a link back to the book, and what installs the package if need be."""

import re

from packaging.requirements import Requirement
from project import Project, fill_in

MODULES = {"scikit-learn": "sklearn"}  # where the module's name is not the package's


def setup_cell(project: Project) -> str:
    """The code of the setup cell, made from pyproject.toml, the lock and the repository's address."""
    needs = {}
    for requirement in project.pyproject["project"]["dependencies"]:
        name = Requirement(requirement).name
        needs[MODULES.get(name, name)] = requirement
    needs["frozendict"] = "frozendict"  # for neural-tangents, which comes without its dependencies
    theory = project.pyproject["project"]["optional-dependencies"]["theory"][0]
    listed = "".join(f'        "{module}": "{requirement}",\n' for module, requirement in needs.items())
    low, high = jax_range(project)
    words = {"low_text": ".".join(map(str, low)), "high_text": ".".join(map(str, high))}
    words |= {"needs": "{\n" + listed + "    }", "package": package(project), "jax": project.pin("jax")}
    return fill_in("setup_cell.txt", theory=theory, low=low, high=high, **words).rstrip("\n")


def package(project: Project) -> str:
    """The requirement that installs this package from its repository."""
    return f"ntkal @ git+{project.url}@{project.branch}"


def jax_range(project: Project) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The lowest JAX that the package asks for and the one in the lock, as (major, minor)."""
    asked = next(item for item in project.pyproject["project"]["dependencies"] if re.match(r"jax\b", item))
    low, high = re.search(r">=([\d.]+)", asked)[1], project.pin("jax")
    return tuple(tuple(int(part) for part in text.split(".")[:2]) for text in (low, high))


def header(project: Project, page: str) -> str:
    """The first Markdown cell: where this comes from."""
    return (
        f"*A page of [{project.title}]({project.pages}): "
        f"[read it as a web page]({project.page_url(page)}), with the same numbers. "
        f"Made from [book/{page}.md]({project.file_url(f'book/{page}.md')}); change it there, not here.*"
    )
