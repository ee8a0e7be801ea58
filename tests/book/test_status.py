"""The page of this build's status: times, versions and claims as they were run, anew on each build."""

import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import status
from execute import open_cache, read, store

import ntkal


def run_with(sample, name, printed, seconds):
    """Put a run of a page into the cache whose first cell printed this."""
    path = sample.root / "book" / f"{name}.md"
    notebook = read(path)
    for count, cell in enumerate(cell for cell in notebook.cells if cell.cell_type == "code"):
        cell.execution_count = count + 1
        cell.outputs = []
        if count == 0:
            cell.outputs = [nbformat.v4.new_output("stream", text=printed)]
    store(open_cache(sample), notebook, str(path), {"execution_seconds": seconds})


def claimed(capsys, *arguments, **bounds):
    ntkal.claim(*arguments, **bounds)
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "bounds", "expected"),
    [
        (("they differ by", 3e-16), {"at_most": 1e-12}, ("they differ by", "3e-16", "at most 1e-12")),
        (("f (x) is", 2.5), {"at_least": 1, "at_most": 3}, ("f (x) is", "2.5", "at least 1 and at most 3")),
        (("t:", 10), {"equals": 10, "tolerance": 0.5}, ("t:", "10", "equal to 10 within 0.5")),
    ],
)
def test_what_claim_prints_is_read_back(sample, capsys, arguments, bounds, expected):
    said = claimed(capsys, *arguments, **bounds)
    run_with(sample, "ch01_few", f"before\n{said}after\n", 1.5)
    few, other = status.runs(sample)
    assert few == status.Run("ch01_few", "1. Few labels", 1.5, [status.Claim(*expected)])
    assert other == status.Run("ch09_sample", "9. Sample of everything", None, [])


def test_versions_are_those_installed(sample, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    rows = dict(status.versions(sample))
    assert rows["jax"] == importlib.metadata.version("jax")
    assert rows["built"] == "1970-01-02 00:00 UTC"
    assert rows["commit"] == "not from a Git checkout"


def test_the_commit_says_whether_files_were_changed(tmp_path):
    def git(*arguments):
        who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    (tmp_path / "file").write_text("1")
    git("add", "file")
    git("commit", "-m", "First")
    clean = status.commit(tmp_path)
    assert re.fullmatch("[0-9a-f]{12}", clean)
    (tmp_path / "file").write_text("2")
    assert status.commit(tmp_path) == f"{clean}, with changes"


@pytest.mark.slow
def test_the_page_follows_the_runs_from_build_to_build(sample, capsys):
    toc = sample.root / "_toc.yml"
    toc.write_text(
        toc.read_text().replace("      - file: book/api", "      - file: book/api\n      - file: book/status")
    )
    (sample.root / "book" / "status.md").write_text(
        "# Status\n\n"
        + "".join(f"```{{build-status}} {part}\n```\n\n" for part in ("versions", "times", "claims"))
    )
    page = sample.root / "book" / "ch09_sample.md"
    page.write_text(page.read_text().replace("# NBVAL_CHECK_OUTPUT\n", ""))

    def build(value, seconds):
        run_with(sample, "ch01_few", claimed(capsys, "a < b | *c* $d$ by", value, at_most=1), seconds)
        run_with(sample, "ch09_sample", "", 2.0)
        command = [Path(sys.executable).with_name("jupyter-book"), "build", ".", "-n", "--keep-going", "-q"]
        made = subprocess.run(
            command, cwd=sample.root, env=os.environ, capture_output=True, text=True, check=False
        )
        assert made.returncode == 0, made.stderr
        assert "status" not in made.stderr
        return (sample.root / "_build" / "html" / "book" / "status.html").read_text()

    first = build(0.25, 41.4)
    assert "a &lt; b | *c* $d$ by <strong>0.25</strong> (at most 1)" in first
    linked = re.findall(r'href="ch01_few\.html"><span class="doc">1\. Few labels<', first)
    assert len(linked) == 2  # beside its time, and above its claims
    for seconds in ("41", "2", "43"):
        assert f"<td><p>{seconds}</p></td>" in first
    second = build(0.125, 7.0)
    assert "<strong>0.125</strong>" in second
    assert "<strong>0.25</strong>" not in second
    assert "<td><p>9</p></td>" in second
