import json
import os
import sys

import numpy as np
import pandas as pd
import pytest

import ntkal
from ntkal.experiments import results, statistics


def rows(strategies=("margin", "random"), seeds=range(3), labels=(100, 120)):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        [
            {"seed": s, "strategy": a, "labels": n, "accuracy": rng.uniform(), "picks": list(range(s))}
            for s in seeds
            for a in strategies
            for n in labels
        ]
    )


def test_a_table_comes_back_as_it_was(tmp_path):
    table = rows()
    path = results.write(table, tmp_path / "deep" / "a.parquet", {"command": "by hand", "seeds": [0]})
    back, provenance = results.read(path)
    pd.testing.assert_frame_equal(back, table)
    assert back["picks"].tolist() == table["picks"].tolist()
    assert all(isinstance(picks, list) for picks in back["picks"])
    assert provenance == {"command": "by hand", "seeds": [0]}


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = results.write(rows(), tmp_path / "a.parquet", {"version": 1})

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        results.write(rows(), path, {"version": 2})
    assert os.listdir(tmp_path) == ["a.parquet"]
    assert results.read(path)[1] == {"version": 1}


def test_a_truncated_file_is_refused(tmp_path):
    path = results.write(rows(), tmp_path / "a.parquet", {"version": 1})
    whole = path.read_bytes()
    for part in (b"", whole[:20], whole[:-1], whole[: len(whole) // 2], b"x" * 100):
        path.write_bytes(part)
        with pytest.raises(ValueError, match=r"a\.parquet: not a whole Parquet file"):
            results.read(path)


def test_a_file_of_someone_else_and_a_missing_one_are_named(tmp_path):
    rows().to_parquet(tmp_path / "theirs.parquet")
    with pytest.raises(ValueError, match="carries no provenance"):
        results.read(tmp_path / "theirs.parquet")
    with pytest.raises(FileNotFoundError, match=r"no results file .*gone\.parquet"):
        results.read(tmp_path / "gone.parquet")


def test_what_cannot_be_read_is_said_as_it_is(tmp_path):
    with pytest.raises(ValueError, match=r"cannot be read \(Is a directory\)"):
        results.read(tmp_path)


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = results.write_whole(tmp_path / "new" / "a", lambda file: file.write(b"one"))

    def half(file):
        file.write(b"tw")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        results.write_whole(path, half)
    assert path.read_bytes() == b"one"
    assert os.listdir(path.parent) == ["a"]


@pytest.mark.parametrize("bad", [{}, {"array": np.ones(2)}, {"ridge": float("nan")}])
def test_provenance_must_say_something_that_json_can_hold(tmp_path, bad):
    with pytest.raises(ValueError, match="provenance: "):
        results.write(rows(), tmp_path / "a.parquet", bad)
    assert not list(tmp_path.iterdir())


def test_what_every_chapter_needs_of_the_statistics_is_within_reach():
    for name in ("interval", "summary", "paired", "require"):
        assert getattr(results, name) is getattr(statistics, name)


def test_everything_needed_to_make_the_table_again_is_there():
    out = results.provenance(command="by hand", seeds=[3, 4], config={"query": 20})
    assert json.loads(json.dumps(out)) == out
    assert out["command"] == "by hand"
    assert out["seeds"] == [3, 4]
    assert out["config"] == {"query": 20}
    assert out["versions"]["ntkal"] == ntkal.__version__
    assert {"python", "jax", "jaxlib", "numpy"} <= set(out["versions"])
    assert out["backend"] == "cpu"
    assert out["date"].endswith("+00:00")
    assert out["commit"] is None or len(out["commit"]) == 40


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["/somewhere/ntkal/__main__.py", "run", "--out", "a b"], "python -m ntkal run --out 'a b'"),
        (["/home/me/scripts/mine.py", "--fast"], "mine.py --fast"),
        (["/env/ipykernel_launcher.py", "-f", "/home/me/kernel-1.json"], "a notebook"),
        ([""], "python"),
    ],
)
def test_the_command_is_told_without_the_folders_of_this_machine(monkeypatch, argv, expected):
    monkeypatch.setattr(sys, "argv", argv)
    assert results.provenance()["command"] == expected


def test_no_git_is_no_error(monkeypatch):
    monkeypatch.setenv("PATH", "")
    out = results.provenance()
    assert out["commit"] is None
    assert out["dirty"] is None
