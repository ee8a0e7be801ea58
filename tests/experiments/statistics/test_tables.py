import pandas as pd
import pytest
from curves import runs

from ntkal.experiments import statistics


def test_a_complete_table_gives_its_seeds():
    assert statistics.complete(runs(seeds=4)) == [0, 1, 2, 3]
    assert statistics.complete(runs(), "series", "cycle") == [0, 1, 2]


def test_a_missing_seed_is_named_with_its_place():
    table = runs()
    gone = (table.series == "margin") & (table.labels == 120) & (table.seed == 1)
    message = "series 'margin' at labels 120 lacks seed 1, which other rows have; finish those runs"
    with pytest.raises(ValueError, match=message):
        statistics.complete(table[~gone])


def test_a_seed_that_only_one_series_has_is_missing_in_the_others():
    table = runs()
    table = table[(table.series == "mlmoc") | (table.seed < 2)]
    with pytest.raises(ValueError, match="lacks seed 2"):
        statistics.complete(table)
    assert statistics.complete(table[table.seed < 2]) == [0, 1]


def test_a_seed_that_comes_twice_is_refused():
    table = runs()
    with pytest.raises(ValueError, match="comes more than once at series"):
        statistics.complete(pd.concat([table, table.head(1)]))


def test_missing_columns_and_empty_tables_are_told():
    with pytest.raises(ValueError, match="no column series; it has seed"):
        statistics.complete(pd.DataFrame({"seed": [0], "labels": [1]}))
    with pytest.raises(ValueError, match="it has no rows"):
        statistics.require(runs().head(0), ["seed"])
