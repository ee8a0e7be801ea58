import numpy as np
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


EVERY = {
    "summary": lambda t: statistics.summary(t, ["series", "labels"]),
    "paired": lambda t: statistics.paired(t, "margin", "random", column="series"),
    "pooled": lambda t: statistics.pooled(t, "margin", "random").to_frame().T,
    "against": statistics.against,
    "over_baseline": statistics.over_baseline,
    "area": statistics.area,
    "labels_needed": lambda t: statistics.labels_needed(t, 0.85),
    "label_efficiency": lambda t: statistics.label_efficiency(t, 0.8),
}
TIMES = {
    "seconds_per_cycle": statistics.seconds_per_cycle,
    "times_faster": lambda t: statistics.times_faster(t, "margin", "mlmoc").to_frame().T,
}


@pytest.mark.parametrize("name", EVERY | TIMES)
def test_tables_of_other_types_give_the_same_numbers(name):
    """Nullable columns, categories, rows in another order and under one index say what plain ones do."""
    call, table = (EVERY | TIMES)[name], runs()
    want = call(table)
    for other in (
        table.convert_dtypes(),
        table.astype({"series": "category", "labels": "int32"}),
        table.set_index(np.zeros(len(table), int)),
    ):
        have = call(other)
        assert list(have.columns) == list(want.columns)
        for column in want:
            if pd.api.types.is_numeric_dtype(want[column]):
                np.testing.assert_allclose(have[column].astype(float), want[column].astype(float), rtol=1e-12)
            else:
                assert have[column].tolist() == want[column].tolist()


@pytest.mark.parametrize("name", EVERY | TIMES)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v > v.mean(), "has bool, not numbers"),
        (lambda v: v.astype(str), "not numbers; use .astype"),
        (lambda v: v.astype(complex), "has complex128, not numbers"),
        (lambda v: v.astype("Float64").where(v < v.max()), "1 entries of column .* are NaN or infinite"),
        (lambda v: v.where(v < v.max()), "1 entries of column .* are NaN or infinite"),
    ],
)
def test_what_is_no_finite_number_is_refused_by_its_column(name, change, message):
    table = runs(series=("margin", "random") if name in EVERY else ("margin", "mlmoc"))
    value = "accuracy" if name in EVERY else "seconds_query"
    worst = table[value].idxmax()
    assert table.loc[worst, "cycle"] > 0
    with pytest.raises(ValueError, match=f"table: .*{value}.*") as caught:
        (EVERY | TIMES)[name](table.assign(**{value: change(table[value])}))
    assert caught.match(message)


@pytest.mark.parametrize("name", EVERY | TIMES)
@pytest.mark.parametrize("key", ["series", "seed", "labels"])
def test_a_row_that_does_not_say_what_it_is_of_is_refused(name, key):
    if (key, name) in {("labels", other) for other in ("pooled", "against", *TIMES)}:
        key = "cycle"
    table = runs(series=("margin", "random") if name in EVERY else ("margin", "mlmoc"))
    table[key] = table[key].astype(object if key == "series" else float).where(table.index != 4)
    with pytest.raises(ValueError, match=f"table: .*column {key} "):
        (EVERY | TIMES)[name](table)


def test_labels_as_texts_are_not_sorted_as_texts():
    """ "100" comes before "20": a curve in the order of texts would be another curve."""
    with pytest.raises(ValueError, match="table: column labels has .*, not numbers"):
        statistics.area(runs(labels=(20, 100)).astype({"labels": str}))


def test_what_is_no_table_of_runs_is_told(as_user):
    with pytest.raises(ValueError, match="table: expected a pandas DataFrame of runs, got dict"):
        statistics.area({"series": ["random"]})
    table = runs()
    with pytest.raises(ValueError, match="table: column accuracy comes more than once"):
        statistics.area(pd.concat([table, table[["accuracy"]]], axis=1))
