"""Variants of a problem set: the numbers of its parameters cell, drawn by a seed; their use in the text."""

from __future__ import annotations

import re

import numpy as np
from myst import BookError, Cell

TAG = "parameters"
ASSIGNMENT = re.compile(r"^(?P<name>[A-Z][A-Z0-9_]*) = (?P<rule>.*?)(?P<comment>\s+# .*)?$")
SUBSTITUTION = re.compile(r"\{\{ (?P<expression>.+?) \}\}")


def is_parameters(cell: Cell) -> bool:
    """Whether this is the cell that a variant rewrites."""
    return cell.kind == "code" and TAG in cell.metadata.get("tags", [])


def draw(cell: Cell, seed: int, where: str) -> tuple[str, dict]:
    """The parameters cell with each rule replaced by its value, and the values by name.

    A line is `NAME = rule  # comment`. The rules are evaluated from the top with `rng`, which is
    `numpy.random.default_rng(seed)`, with `np`, and with the names drawn before; comments stay.
    """
    known = {"rng": np.random.default_rng(seed), "np": np}
    values: dict = {"SEED": seed}
    rows = []
    for row in cell.source.splitlines():
        match = ASSIGNMENT.match(row)
        if not match:
            if row and not row.startswith("#"):
                raise BookError(f"{where}: a line of the parameters cell is `NAME = rule  # comment`: {row}")
            rows.append(row)
            continue
        value = eval(match["rule"], {**known, **values})
        if not isinstance(value, int | float | str | list | tuple) or isinstance(value, np.generic):
            raise BookError(f"{where}: {match['name']} is a {type(value).__name__}: make it a plain number")
        values[match["name"]] = value
        rows.append(f"{match['name']} = {value!r}{match['comment'] or ''}")
    return "\n".join([*rows, f"SEED = {seed}  # the variant"]), values


def substitute(text: str, values: dict, where: str) -> str:
    """The text with `{{ NAME }}`, or any expression of the parameters and `np`, replaced by its value."""

    def replace(match: re.Match) -> str:
        try:
            return str(eval(match["expression"], {"np": np, **values}))
        except NameError as problem:
            raise BookError(f"{where}: {problem}") from None

    return SUBSTITUTION.sub(replace, text)
