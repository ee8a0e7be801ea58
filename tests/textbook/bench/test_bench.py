import pytest

from ntkal.__main__ import main
from ntkal.experiments import results
from ntkal.textbook import bench
from ntkal.textbook.bench.timing import ROW


@pytest.fixture(scope="module")
def table():
    return bench.run(n=30, m=40, classes=3, inputs=0)


def test_every_fast_path_gives_the_numbers_of_its_peer(table):
    assert list(table.columns) == list(ROW)
    compared = table[~table["difference"].isna()]
    assert len(compared) == len(table) - 1 - (table["note"] == "not installed").sum()
    assert (compared["difference"] <= compared["difference_at_most"]).all()


def test_ratios_are_those_of_the_seconds(table):
    timed = table[table["note"] != "not installed"]
    assert (timed[["seconds", "peer_seconds"]] > 0).all(axis=None)
    assert timed["ratio"].tolist() == pytest.approx((timed["peer_seconds"] / timed["seconds"]).tolist())


def test_scores_by_blocks_stay_within_the_budget(table):
    blocked = table[table["what"].str.contains("from mean and covariance")]
    assert len(blocked) == 3
    assert (blocked["memory"] < blocked["memory_at_most"]).all()


def test_the_command_prints_and_writes_the_table_and_refuses_sizes_that_make_none(capsys, tmp_path):
    out = tmp_path / "bench.parquet"
    assert (
        main(["bench", "--n", "10", "--m", "12", "--classes", "2", "--inputs", "0", "--out", str(out)]) == 0
    )
    said = capsys.readouterr().out
    assert "n=10, m=12, classes=2, inputs=0" in said
    assert "refitting on L+" in said
    table, made = results.read(out)
    assert list(table.columns) == list(ROW)
    assert made["command"] == "python -m ntkal bench --n 10 --m 12 --classes 2 --inputs 0"
    assert made["sizes"] == {"n": 10, "m": 12, "classes": 2, "inputs": 0}
    assert main(["bench", "--m", "3"]) == 2
    assert "m: expected a whole number at least 8, got 3" in capsys.readouterr().err
    assert main(["bench", "--inputs", "5"]) == 2
    assert "inputs: expected a whole number at least 80, got 5" in capsys.readouterr().err
