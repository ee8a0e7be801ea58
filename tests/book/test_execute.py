"""The execution cache: what makes a page run again, and what the kernels get."""

import os
import sys

import execute
import pytest
from execute import environment, find, open_cache, read, store


@pytest.mark.parametrize("change", ["package", "new file", "result", "lock", "data", "python"])
def test_the_cache_moves_when_what_pages_depend_on_changes(sample, change, tmp_path, monkeypatch):
    data = tmp_path / "data"
    data.mkdir()
    (data / "mnist.npz").write_bytes(b"1")
    monkeypatch.setenv("NTKAL_DATA", str(data))
    before = sample.execution_cache()
    if change == "package":
        (sample.root / "ntkal" / "__init__.py").write_text('"""A changed package."""\n')
    elif change == "new file":
        (sample.root / "ntkal" / "more.py").write_text("")
    elif change == "result":
        (sample.root / "ntkal" / "results").mkdir()
        (sample.root / "ntkal" / "results" / "table.parquet").write_bytes(b"2")
    elif change == "lock":
        lock = sample.root / "requirements.lock"
        lock.write_text(lock.read_text() + "more==1\n")
    elif change == "python":
        monkeypatch.setattr(sys, "version", "3.99")
    else:
        (data / "mnist.npz").write_bytes(b"2")
    assert type(sample)(sample.root).execution_cache() != before


def test_the_cache_stays_when_only_a_page_or_compiled_files_change(sample):
    before = sample.execution_cache()
    (sample.root / "ntkal" / "__pycache__").mkdir()
    (sample.root / "ntkal" / "__pycache__" / "x.pyc").write_bytes(b"1")
    (sample.root / "book" / "intro.md").write_text("# Changed\n")
    assert type(sample)(sample.root).execution_cache() == before


def test_within_the_cache_a_page_is_found_by_its_cells(sample):
    path = sample.root / "book" / "ch09_sample.md"
    cache, page = open_cache(sample), read(path)
    assert find(cache, page) is None
    store(cache, page, str(path), {"execution_seconds": 1.0})
    path.write_text(path.read_text().replace("Hidden text.", "Other prose."))
    assert find(cache, read(path)) is not None
    path.write_text(path.read_text().replace("6 * 7", "7 * 6"))
    assert find(cache, read(path)) is None


def test_old_caches_are_forgotten(sample):
    folder = sample.execution_cache().parent
    for age in range(6):
        (folder / f"old{age}").mkdir(parents=True)
        os.utime(folder / f"old{age}", (age, age))
    open_cache(sample)
    assert {path.name for path in folder.iterdir()} == {sample.execution_cache().name, "old5", "old4"}


def test_kernels_share_the_cores(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert environment(2)["OMP_NUM_THREADS"] == "4"
    assert environment(16)["OMP_NUM_THREADS"] == "1"


@pytest.mark.slow
def test_a_failing_cell_is_shown_and_stops_the_build(sample, capsys):
    path = sample.root / "book" / "ch01_few.md"
    path.write_text(path.read_text().replace("print(1)", 'raise RuntimeError("planted")'))
    assert execute.main(["--root", str(sample.root)]) == 1
    shown = capsys.readouterr()
    assert 'raise RuntimeError("planted")' in shown.out
    assert "ch09_sample" in shown.out  # the others run all the same
    assert "Failed: ch01_few" in shown.err
    assert execute.main(["--root", str(sample.root)]) == 1
    assert "1 of 2 pages are in the cache" in capsys.readouterr().out
