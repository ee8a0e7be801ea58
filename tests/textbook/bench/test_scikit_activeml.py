import importlib.util

from ntkal.textbook.bench import scikit_activeml


def test_without_scikit_activeml_the_rows_say_so(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    rows = scikit_activeml.both(size=12, classes=2)
    assert [row["note"] for row in rows] == ["not installed"] * 2
    assert not any(row["reached"] for row in rows)
