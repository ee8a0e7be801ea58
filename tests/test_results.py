import os

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ntkal import results


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


@pytest.mark.parametrize("bad", [{}, {"array": np.ones(2)}, {"ridge": float("nan")}])
def test_provenance_must_say_something_that_json_can_hold(tmp_path, bad):
    with pytest.raises(ValueError, match="provenance: "):
        results.write(rows(), tmp_path / "a.parquet", bad)
    assert not list(tmp_path.iterdir())


def test_the_interval_is_that_of_scipy():
    values = np.array([0.81, 0.84, 0.79, 0.9, 0.85, 0.83])
    mean, low, high = results.interval(values, 0.9)
    expected = stats.t.interval(0.9, 5, loc=values.mean(), scale=stats.sem(values))
    assert mean == pytest.approx(values.mean(), rel=1e-14)
    assert (low, high) == pytest.approx(expected, rel=1e-12)


def test_the_interval_covers_the_mean_as_often_as_it_says(rng):
    covered = [low <= 3 <= high for _, low, high in map(results.interval, rng.normal(3, 2, (2000, 6)))]
    assert 0.93 < np.mean(covered) < 0.97


def test_one_value_has_no_interval():
    mean, low, high = results.interval([0.5])
    assert mean == 0.5
    assert np.isnan([low, high]).all()


@pytest.mark.parametrize(
    ("values", "level", "message"),
    [([], 0.95, "at least one number"), ([1, np.nan], 0.95, "1 of 2 are NaN"), ([1, 2], 95, "level: ")],
)
def test_a_bad_interval_is_refused(as_user, values, level, message):
    with pytest.raises(ValueError, match=message):
        results.interval(values, level)


def test_summary_gives_a_row_a_group():
    table = rows()
    out = results.summary(table)
    assert list(out.columns) == ["strategy", "labels", "mean", "low", "high", "n"]
    assert len(out) == 4
    one = out[(out.strategy == "random") & (out.labels == 120)].iloc[0]
    values = table[(table.strategy == "random") & (table.labels == 120)].accuracy
    assert (one["mean"], one["low"], one["high"]) == results.interval(values)
    assert one["n"] == 3


def test_one_seed_twice_in_a_group_is_refused_not_averaged():
    table = rows()
    both = pd.concat([table.assign(mode="batch"), table.assign(mode="sequential")])
    with pytest.raises(ValueError, match="seed 0 comes more than once at strategy margin, labels 100"):
        results.summary(both)
    assert len(results.summary(both, ["strategy", "mode", "labels"])) == 8
    with pytest.raises(ValueError, match="more than once"):
        results.paired(both, "margin", "random")


def test_pairing_is_by_seed_whatever_the_order_of_rows(rng):
    level = {0: 0.5, 1: 0.7, 2: 0.9}
    table = rows()
    table["accuracy"] = [
        level[s] + 0.05 * (a == "margin") for s, a in zip(table.seed, table.strategy, strict=True)
    ]
    out = results.paired(table.sample(frac=1, random_state=1), "margin", "random").sort_values("labels")
    assert out["labels"].tolist() == [100, 120]
    # The spread between seeds is large, but every pair differs by exactly .05.
    np.testing.assert_allclose(out[["mean", "low", "high"]], 0.05, atol=1e-12)
    assert out["n"].tolist() == [3, 3]


def test_an_unpaired_seed_is_named_not_dropped():
    table = rows()
    lonely = table[~((table.strategy == "random") & (table.seed == 2) & (table.labels == 120))]
    with pytest.raises(ValueError, match="1 rows have no partner, the first at labels 120, seed 2"):
        results.paired(lonely, "margin", "random")


def test_missing_columns_and_names_are_listed():
    with pytest.raises(ValueError, match="no column cost; it has seed, strategy"):
        results.summary(rows(), value="cost")
    with pytest.raises(ValueError, match="a: no row has strategy 'badge'; the table has margin, random"):
        results.paired(rows(), "badge", "random")
    with pytest.raises(ValueError, match="it has no rows"):
        results.summary(rows().head(0))
