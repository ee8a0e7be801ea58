import pytest

from ntkal import bench
from ntkal.__main__ import main


@pytest.fixture(scope="module")
def table():
    return bench.run(n=30, m=40, classes=3)


def test_every_fast_path_gives_the_numbers_of_its_peer(table):
    assert len(table) == 5
    float64 = ~table["what"].str.contains("kernel of 200 images")
    assert table["difference"][float64].max() < 1e-9
    assert table["difference"].max() < 1e-5


def test_ratios_are_those_of_the_seconds(table):
    assert (table[["seconds", "peer_seconds"]] > 0).all(axis=None)
    assert table["ratio"].tolist() == pytest.approx((table["peer_seconds"] / table["seconds"]).tolist())


def test_the_command_prints_the_table_and_refuses_sizes_that_make_none(capsys):
    assert main(["bench", "--n", "10", "--m", "12", "--classes", "2"]) == 0
    out = capsys.readouterr().out
    assert "n=10, m=12, C=2" in out
    assert "refitting on L+" in out
    assert main(["bench", "--m", "3"]) == 2
    assert "m: expected a whole number at least 8, got 3" in capsys.readouterr().err
