"""The PDF: a sentence where LaTeX is missing, and LaTeX sources that number things as the pages do."""

import os
import re

import pdf
import pytest

import notebooks


def test_without_latex_one_sentence_says_what_to_do(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert pdf.main([]) == 1
    said = capsys.readouterr().err
    assert said.startswith("The PDF needs LaTeX, and xelatex and latexmk cannot be found: install it")
    assert said.count("\n") == 1


def test_one_program_that_is_missing_is_named(tmp_path):
    (tmp_path / "xelatex").write_text("#!/bin/sh\n")
    (tmp_path / "xelatex").chmod(0o755)
    assert pdf.missing(str(tmp_path)) == ["latexmk"]
    assert pdf.missing(os.pathsep.join([str(tmp_path), str(tmp_path / "none")])) == ["latexmk"]


@pytest.mark.slow
def test_the_latex_sources_number_as_the_pages_do(sample):
    notebooks.main(["--root", str(sample.root)])
    assert pdf.main(["--sources", "--jobs", "1", "--root", str(sample.root)]) == 0
    text = (sample.root / "_build" / "latex" / "lookahead.tex").read_text()
    chapter = text.index(r"\chapter{Sample of ")
    before = text.rindex(r"\setcounter{chapter}", 0, chapter)
    assert text.startswith(r"\setcounter{chapter}{8}", before)
    assert r"\setcounter{secnumdepth}{0}" in text[before - 40 : before]
    assert re.search(r"\\setcounter\{secnumdepth\}\{-1\}\s*\\chapter\{Bibliography", text)
    assert r"\begin{sphinxadmonition}{note}{Theorem 9.1" in text
    assert "{Solution to Exercise 9.1" in text
