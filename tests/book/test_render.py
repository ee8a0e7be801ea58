"""The rendered sample: numbers and buttons as in the notebooks, no outside address, planted faults seen."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from labels import Book

import notebooks

pytestmark = pytest.mark.slow


def build(sample, **variables):
    """Render as `make book` does; return the process."""
    command = [Path(sys.executable).with_name("jupyter-book"), "build", ".", "-W", "-n", "--keep-going", "-q"]
    environment = os.environ | variables
    return subprocess.run(
        command, cwd=sample.root, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def rendered(sample):
    """The HTML of the sample's chapter 9."""
    assert notebooks.main(["--root", str(sample.root)]) == 0
    made = build(sample)
    assert made.returncode == 0, made.stderr
    return (sample.root / "_build" / "html" / "book" / "ch09_sample.html").read_text()


def test_the_page_and_the_notebook_agree(sample, rendered):
    numbered = [
        label for label in Book(sample).labels.values() if label.page == "ch09_sample" and label.number
    ]
    assert len(numbered) == 13
    for label in numbered:
        if label.kind == "equation":
            shown = rf'id="{label.anchor}">\s*<span class="eqno">\({label.number}\)'
        elif label.kind == "chapter":
            shown = rf'class="section-number">{label.number}\. '
        else:
            shown = rf'id="{label.anchor}"((?!<section).)*?{label.kind.title()} {label.number}[ <]'
        assert re.search(shown, rendered, re.DOTALL), label
    assert "<title>9. Sample of everything" in rendered
    assert f"{sample.file_url('tests/held.py')}#L4" in rendered
    for service in ["colab.research.google.com/github", "mybinder.org/v2/gh"]:
        assert re.search(rf'href="https://{service}/[^"]*notebooks/ch09_sample\.ipynb"', rendered)
    loaded = re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="(https?:[^"]*)"', rendered)
    assert [address for address in loaded if not address.startswith(sample.pages)] == []
    assert not re.search(r"unpkg|thebe-config|THEBE_JS_URL", rendered)
    assert (sample.root / "_build/html/_static/mathjax/tex-chtml-full.js").exists()


def test_solutions_are_left_out_of_the_pages_when_asked(sample, rendered):
    assert "An answer." in rendered
    assert 'answer</span> <span class="o">=</span> <span class="mi">3' in rendered
    wrong = build(sample, SOLUTIONS="hide")
    assert wrong.returncode
    assert "SOLUTIONS: expected shown or hidden, got 'hide'" in wrong.stderr
    made = build(sample, SOLUTIONS="hidden")
    assert made.returncode == 0, made.stderr
    html = sample.root / "_build" / "html"
    page = (html / "book" / "ch09_sample.html").read_text()
    assert "Open question." in page
    assert "Compute the thing." in page
    for gone in ("An answer.", 'class="mi">3', "Solution to", "colab.research", "Done."):
        assert gone not in page, gone
    assert "An answer" not in (html / "searchindex.js").read_text()
    assert not [path for path in html.rglob("*.md") if "An answer." in path.read_text()]


def test_planted_faults_stop_the_build(sample):
    page = sample.root / "book" / "ch09_sample.md"
    page.write_text(page.read_text().replace("# NBVAL_CHECK_OUTPUT\n", ""))
    notebooks.main(["--root", str(sample.root)])
    (sample.root / "notebooks" / "ch01_few.ipynb").unlink()
    page.write_text(
        page.read_text()
        + "\n{test}`tests/held.py::test_none` {eq}`eq-09-none` {func}`ntkal.none`\n\n"
        + "```{eval-rst}\n.. math::\n   :label: eq-09-hidden\n\n   a\n```\n\n$$ z $$ (eq-09-after)\n"
    )
    made = build(sample)
    assert made.returncode
    for fault in [
        "tests/held.py has no test_none",
        "equation not found: eq-09-none",
        "ntkal.none",
        "notebooks/ch01_few.ipynb is missing",
        "eq-09-after is equation 9.6 in the notebook and 9.7 in the rendered page",
    ]:
        assert fault in made.stderr, fault
