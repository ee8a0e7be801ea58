"""Pieces of plain Markdown: block quotes, folded parts, text without its code."""

from __future__ import annotations

import re

DETAILS_START, DETAILS_END = "\0solution:", "\0end"


def close_details(lines: list[str], still_open: str | None) -> list[str]:
    """Put the rows of each solution between <details> tags: one cannot reach from cell to cell."""
    out: list[str] = []
    heading, inside = None, []
    starts = any(row.startswith(DETAILS_START) for row in lines)
    ends_first = DETAILS_END in lines and (
        not starts or lines.index(DETAILS_END) < index_of(lines, DETAILS_START)
    )
    if ends_first or (still_open and not starts):
        heading = "Solution, continued"
    for row in lines:
        if row.startswith(DETAILS_START):
            heading, inside = row.removeprefix(DETAILS_START), []
        elif row == DETAILS_END:
            out += details(heading, strip(inside)) if strip(inside) else []
            heading, inside = None, []
        elif heading:
            inside.append(row)
        else:
            out.append(row)
    if heading and strip(inside):
        out += details(heading, strip(inside))
    elif heading:
        out += ["", f"**{heading}** is in the folded cell below.", ""]
    return out


def index_of(lines: list[str], start: str) -> int:
    """The index of the first row that begins with `start`."""
    return next(i for i, row in enumerate(lines) if row.startswith(start))


def details(summary: str, body: list[str]) -> list[str]:
    """A folded block of HTML with Markdown inside, which needs the blank lines."""
    summary = re.sub(r"\[([^\]]*)\]\([^)]*\)|[*`]", lambda match: match[1] or "", summary)
    return ["", f"<details><summary>{summary}</summary>", "", *body, "", "</details>", ""]


def quote(lines: list[str]) -> list[str]:
    """A block quote."""
    rows = re.sub(r"\n{3,}", "\n\n", "\n".join(strip(lines))).split("\n")
    return ["", *(f"> {row}".rstrip() for row in rows), ""]


def strip(lines: list[str]) -> list[str]:
    """Without blank rows at both ends."""
    rows = list(lines)
    while rows and not rows[0].strip():
        rows.pop(0)
    while rows and not rows[-1].strip():
        rows.pop()
    return rows


def without_code(text: str) -> str:
    """Without plain fences and code spans, which may show MyST on purpose."""
    text = re.sub(r"^(>? ?)*(`{3,})(?!\{)[^\n]*\n.*?^(>? ?)*\2\s*$", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"(?<!\})(`+)(?!`).+?(?<!`)\1(?!`)", "", text)
