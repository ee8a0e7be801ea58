import pytest

from ntkal.textbook.bench import networks


def test_kernels_are_those_of_both_peers_and_hold_less_than_the_jacobian():
    rows = networks.kernel("mlp", 70)
    assert [row["what"] for row in rows] == ["one-logit kernel of 70 inputs, mlp"] * 2
    assert max(row["difference"] for row in rows) < 1e-5
    assert rows[0]["memory"] < rows[0]["peer_memory"] / 50
    assert rows[0]["peer"] == "neural-tangents, Jacobian contraction"
    assert rows[1]["peer"].endswith("64 inputs scaled by their square")
    for row in rows:
        assert row["ratio"] == pytest.approx(row["peer_seconds"] / row["seconds"])
        assert row["needed"] == 1.5
