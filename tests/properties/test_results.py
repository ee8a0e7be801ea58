"""Result files: what was written comes back, and a file that was altered is refused or says the same."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntkal.experiments import results

texts = st.text(max_size=8)
columns = {
    "whole": st.integers(-(2**63), 2**63 - 1),
    "real": st.floats(allow_nan=True, width=64),
    "text": texts,
    "flag": st.booleans(),
    "picks": st.lists(st.integers(0, 10**6), max_size=5),
}
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
made_by = st.dictionaries(
    texts, plain | st.lists(plain, max_size=3) | st.dictionaries(texts, plain, max_size=2), min_size=1
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("results")


@given(rows=st.lists(st.fixed_dictionaries(columns), min_size=1, max_size=4), made=made_by)
def test_any_table_and_provenance_come_back(rows, made, place):
    table = pd.DataFrame(rows)
    path = results.write(table, place / "any.parquet", made)
    found, said = results.read(path)
    assert said == json.loads(json.dumps(made))
    assert found["picks"].tolist() == [row["picks"] for row in rows]
    for name in ("whole", "text", "flag"):
        assert found[name].tolist() == [row[name] for row in rows]
    np.testing.assert_array_equal(found["real"].to_numpy(), [row["real"] for row in rows])


def small(path):
    table = pd.DataFrame({"cycle": [0, 1], "accuracy": [0.5, 0.75], "picks": [[3, 1], [4]]})
    return results.write(table, path, {"command": "by hand"}), table


def test_a_file_cut_anywhere_is_refused(place):
    path, _ = small(place / "cut.parquet")
    content = path.read_bytes()
    for size in [*range(0, len(content), 61), len(content) - 1]:
        path.write_bytes(content[:size])
        with pytest.raises(ValueError, match="not a whole Parquet file"):
            results.read(path)


@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_bit_that_flipped_in_the_rows_is_noticed_or_changes_nothing(where, bit, place):
    path, table = small(place / "flipped.parquet")
    content = bytearray(path.read_bytes())
    footer = int.from_bytes(content[-8:-4], "little") + 8  # what follows the pages
    content[int(where * (len(content) - footer))] ^= 1 << bit
    path.write_bytes(content)
    try:
        found = results.read(path)[0]
    except ValueError as error:
        found = None
        said = str(error)
    if found is None:
        assert str(path) in said
    else:
        pd.testing.assert_frame_equal(found, table)
