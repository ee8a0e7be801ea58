import numpy as np
import pytest

from ntkal.textbook.bench import kernel_rows as kernels


def test_kernels_are_those_of_both_peers_and_hold_less_than_the_jacobian():
    rows = kernels.kernel_rows("mlp", 70)
    assert [row["what"] for row in rows] == ["one-logit kernel of 70 inputs, mlp"] * 2
    assert max(row["difference"] for row in rows) < 1e-5
    assert rows[0]["memory"] < rows[0]["peer_memory"] / 50
    assert rows[0]["peer"] == "neural-tangents, Jacobian contraction"
    assert rows[1]["peer"].endswith("64 inputs scaled by their square")
    for row in rows:
        assert row["ratio"] == pytest.approx(row["peer_seconds"] / row["seconds"])
        assert row["needed"] == 1.5


@pytest.mark.slow
def test_queries_and_retraining_are_timed():
    for row in [*kernels.query_rows(80), kernels.retraining_row(4)]:
        assert row["seconds"] > 0
        assert row["peer_seconds"] > 0
        assert np.isnan(row["difference"])


def test_a_size_that_makes_no_query_is_refused():
    with pytest.raises(ValueError, match="inputs: expected a whole number at least 80, got 5"):
        kernels.rows(5)
