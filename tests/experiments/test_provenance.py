import json
import sys

import pytest

import ntkal
from ntkal.experiments import provenance


def test_everything_needed_to_make_the_table_again_is_there():
    out = provenance.collect(command="by hand", seeds=[3, 4], config={"query": 20})
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
    assert provenance.collect()["command"] == expected


def test_no_git_is_no_error(monkeypatch):
    monkeypatch.setenv("PATH", "")
    out = provenance.collect()
    assert out["commit"] is None
    assert out["dirty"] is None
