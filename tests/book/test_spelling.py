"""Common misspellings, and American spellings in the prose, found by codespell's word lists."""

import re
import subprocess
import sys
from importlib.resources import files

import pytest
from project import ROOT, Project

PLACES = ["book", "README.md", "CONTRIBUTING.md", "ntkal", "tests", "Makefile"]
CODE = re.compile(
    r"^(`{3,}|~{3,}).*?^\1|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$|https?://\S+", re.DOTALL | re.MULTILINE
)
# Right in British prose as well: a program runs, a meter measures, a practice is a noun, a story is told.
ALSO = {"program", "programs", "meter", "meters", "practice", "practices", "check", "checks", "story"}


def american() -> dict[str, str]:
    """American words with their British spelling."""
    lines = (files("codespell_lib") / "data" / "dictionary_en-GB_to_en-US.txt").read_text().splitlines()
    pairs = (line.split("->") for line in lines)
    return {us: gb for gb, us in ((a, b.strip(" ,")) for a, b in pairs) if "," not in us and us not in ALSO}


def strangers(text: str, words: dict[str, str]) -> list[str]:
    """The American words in a page's prose, without its code, formulas and addresses."""
    return sorted({word for word in re.findall(r"[a-z]+", CODE.sub(" ", text).lower()) if word in words})


def run(*places):
    command = [sys.executable, "-m", "codespell_lib", *places]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_no_common_misspelling():
    found = run(*PLACES)
    assert (found.returncode, found.stdout) == (0, "")


def test_a_misspelling_is_found(tmp_path):
    (tmp_path / "a.md").write_text("It is a " + "sep" + "erate case.")
    found = run(str(tmp_path / "a.md"))
    assert found.returncode
    assert "separate" in found.stdout


@pytest.mark.parametrize("path", Project().sources(), ids=lambda path: path.stem)
def test_the_prose_is_british(path):
    assert strangers(path.read_text(), american()) == []


def test_an_american_word_is_found_in_prose_and_not_in_code():
    text = "The color of `color=1`.\n\n```python\nnormalize(color)\n```\nWe center it.\n"
    assert strangers(text, american()) == ["center", "color"]
