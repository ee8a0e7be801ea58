"""Every letter of the theory that is more than one proof's own, and every term, has its entry."""

import re
from collections import Counter

import pytest
from project import Project, chapter_number

GREEK = (
    "alpha|beta|gamma|delta|epsilon|varepsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|phi|varphi|"
    "chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Phi|Psi|Omega"
)
LETTER = re.compile(rf"\\(?:{GREEK})(?![a-zA-Z])|\\(?:mathcal|mathbb|mathfrak)\s*\{{?[A-Z]\}}?")
# What a cell computes, what a proof introduces and drops again, and what a solution does are local.
LOCAL = re.compile(
    r"^(`{3,})\{(?:code-cell|prf:proof)\}.*?^\1\s*$|^`{3,}\{solution-start\}.*?\{solution-end\}\n`{3,}$",
    re.DOTALL | re.MULTILINE,
)
MATHS = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$|^```\{math\}\n(.+?)^```", re.DOTALL | re.MULTILINE)
PLACES = 3
"""A letter in so many formulas of a chapter is part of the chapter's notation, not of one proof's."""


def letters(text: str) -> Counter[str]:
    """How many formulas outside proofs and solutions use each Greek, calligraphic or blackboard letter."""
    count: Counter[str] = Counter()
    for match in MATHS.finditer(LOCAL.sub("", text)):
        formula = next(group for group in match.groups() if group)
        count.update({re.sub(r"[\s{}]", "", letter) for letter in LETTER.findall(formula)})
    return count


def chapters():
    return [p for p in Project().sources() if (number := chapter_number(p.stem)) and number <= 12]


def page(name: str) -> str:
    return (Project().root / "book" / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", chapters(), ids=lambda path: path.stem)
def test_each_letter_that_a_chapter_keeps_using_is_on_the_notation_page(path):
    known = set(letters(page("notation")))
    used = {
        letter for letter, places in letters(path.read_text(encoding="utf-8")).items() if places >= PLACES
    }
    assert used
    assert not used - known, f"add to book/notation.md: {', '.join(sorted(used - known))}"


def test_each_term_that_a_page_uses_is_in_the_glossary():
    entries = {
        line.strip().lower()
        for line in page("glossary").split("{glossary}")[1].splitlines()
        if re.match(r"\S", line) and not line.startswith((":", "`"))
    }
    used = set()
    for path in Project().sources():
        for target in re.findall(r"\{term\}`([^`]+)`", path.read_text(encoding="utf-8")):
            name = re.search(r"<([^>]+)>$", target)
            used.add((name[1] if name else target).lower())
    assert len(entries) > 30
    assert not used - entries, f"add to book/glossary.md: {', '.join(sorted(used - entries))}"


def test_a_letter_is_found_in_every_kind_of_formula_but_not_in_code_or_proofs():
    text = (
        "$\\lambda I$ and $$ \\mathcal{H}_X $$\n```{math}\n:label: eq\n\\Theta_0\n```\n"
        "```{code-cell} ipython3\nx = '$\\mu$'\n```\n```{prf:proof}\n$\\nu$\n```\n"
        "```{solution-start} ex\n```\n$\\xi$\n```{solution-end}\n```\n"
    )
    assert letters(text) == {r"\lambda": 1, r"\mathcalH": 1, r"\Theta": 1}
