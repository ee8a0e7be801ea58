import shutil
import subprocess
import sys

import pytest
from flax.serialization import msgpack_serialize

from ntkal.experiments import checkpoint, results
from ntkal.experiments.config import RunConfig

CONFIG = RunConfig(cycles=2)
PENDING = {"picks": [7], "ridge": None, "seconds_kernel": 0.1, "seconds_query": 0.2}


def row(cycle):
    return {"cycle": cycle, "ridge": float("nan"), "accuracy": 0.5 + cycle, "picks": [cycle, cycle + 10]}


def begun(folder, cycles=1, weights=False, **options):
    with checkpoint.hold(folder, CONFIG, **options) as state:
        for cycle in range(cycles):
            state.add(row(cycle), PENDING, {"w": [cycle]} if weights else None)
    return folder / checkpoint.FILE


def weights(folder):
    with checkpoint.hold(folder, CONFIG) as state:
        return state.restored()


def refused(folder, message, config=CONFIG, **options):
    with pytest.raises(ValueError, match=message), checkpoint.hold(folder, config, **options):
        pass


def tamper(path, **changes):
    table, made = results.read(path)
    results.write(table, path, made | changes)


def test_what_was_kept_comes_back(tmp_path):
    begun(tmp_path, 2)
    with checkpoint.hold(tmp_path, CONFIG) as state:
        assert [r["picks"] for r in state.rows] == [[0, 10], [1, 11]]
        assert state.rows[1]["accuracy"] == 1.5
        assert state.pending == PENDING
        assert not state.finished
        state.add(row(2), None)
        assert state.finished
    made = results.read(tmp_path / checkpoint.FILE)[1]
    assert made["config"] == CONFIG.to_dict()
    assert made["seeds"] == [CONFIG.seed]
    assert len(made["resumed"]) == 1


def test_in_memory_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with checkpoint.hold(None, CONFIG) as state:
        state.add(row(0), None)
        assert len(state.table()) == 1
    assert not list(tmp_path.iterdir())


def test_other_settings_are_refused_by_name(tmp_path):
    begun(tmp_path)
    message = r"other settings: query \(20 then, 10 now\); give another folder"
    refused(tmp_path, message, RunConfig(cycles=2, query=10))


def test_other_data_and_another_network_of_the_user_s_are_refused(tmp_path):
    mine = {"data": "12", "model": "mine, 5 parameters"}
    begun(tmp_path, own=mine)
    refused(tmp_path, r"other settings: your own data \('12' then, '34' now\)", own=mine | {"data": "34"})
    refused(tmp_path, r"your own model \('mine, 5 parameters' then, None now\)", own={"data": "12"})
    with checkpoint.hold(tmp_path, CONFIG, mine) as state:
        assert len(state.rows) == 1


def test_fresh_keeps_what_is_there_until_its_first_row(tmp_path):
    path = begun(tmp_path, weights=True)
    old = path.read_bytes()
    with checkpoint.hold(tmp_path, RunConfig(query=10), fresh=True) as state:
        assert state.rows == []
        assert path.read_bytes() == old
    assert weights(tmp_path) == {"w": [0]}
    with checkpoint.hold(tmp_path, RunConfig(query=10), fresh=True) as state:
        state.add(row(0), PENDING, {"w": [5]})
        assert state.restored() == {"w": [5]}
    assert results.read(path)[1]["config"]["query"] == 10


def test_weights_are_those_of_the_last_row_and_whole_or_refused(tmp_path):
    path = begun(tmp_path, 2, weights=True)
    assert weights(tmp_path) == {"w": [1]}
    whole = path.read_bytes()
    at = whole.index(msgpack_serialize({"w": [1]}))
    for content in (whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="not a whole Parquet file.*fresh=True"):
            weights(tmp_path)
    begun(tmp_path / "cold", 2)
    with pytest.raises(ValueError, match="has no weights to go on from; start afresh with fresh=True"):
        weights(tmp_path / "cold")


def test_a_finished_warm_run_keeps_no_weights(tmp_path):
    path = begun(tmp_path, 2, weights=True)
    with checkpoint.hold(tmp_path, CONFIG) as state:
        state.add(row(2), None, {"w": [2]})
        assert "weights" not in state.table()
    assert "weights" not in results.read(path)[0]


@pytest.mark.parametrize("remade", [False, True])
def test_a_folder_that_was_deleted_or_remade_under_a_run_is_left_alone(tmp_path, remade):
    folder = tmp_path / "run"
    with checkpoint.hold(folder, CONFIG) as state:
        state.add(row(0), PENDING)
        shutil.rmtree(folder)
        if remade:
            path = begun(folder)
            theirs = path.read_bytes()
        with pytest.raises(OSError, match="out: .* was deleted or replaced .* so cycle 1 is not kept"):
            state.add(row(1), PENDING)
    assert folder.exists() == remade
    if remade:
        assert path.read_bytes() == theirs


def test_another_version_may_read_a_finished_run_but_not_go_on_with_one(tmp_path):
    path = begun(tmp_path)
    versions = results.read(path)[1]["versions"] | {"jax": "0.0.1"}
    tamper(path, versions=versions)
    refused(tmp_path, r"begun elsewhere: jax \('0.0.1' then, .* finish it there")
    path = begun(tmp_path / "whole", 3)
    tamper(path, versions=versions)
    with checkpoint.hold(tmp_path / "whole", CONFIG) as state:
        assert state.finished


def test_a_damaged_or_foreign_file_is_refused_and_left_alone(tmp_path):
    path = begun(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    refused(tmp_path, r"not a whole Parquet file.*move it away, or start afresh")
    assert path.read_bytes() == whole[:-10]
    results.write(results.pd.DataFrame({"cycle": [0]}), path, {"command": "by hand"})
    refused(tmp_path, "not the record of a run")


def test_a_gap_in_the_cycles_is_refused(tmp_path):
    path = begun(tmp_path, 2)
    table, made = results.read(path)
    results.write(table.tail(1), path, made)
    refused(tmp_path, "not the record of a run")


def test_a_second_run_in_the_folder_is_refused_until_the_first_ends(tmp_path):
    with checkpoint.hold(tmp_path, CONFIG):
        with pytest.raises(ValueError, match=r"another run \(process \d+\) is at work in"):
            begun(tmp_path)
        assert not (tmp_path / checkpoint.FILE).exists()
    begun(tmp_path)


def test_a_killed_process_leaves_no_lock(tmp_path):
    code = (
        "import os, signal, sys\n"
        "from ntkal import checkpoint\n"
        "from ntkal.config import RunConfig\n"
        "with checkpoint.hold(sys.argv[1], RunConfig(cycles=2)):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert done.returncode == -9
    assert (tmp_path / "run.lock").exists()
    begun(tmp_path)


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "taken").write_text("")
    for folder in (tmp_path / "taken", tmp_path / "taken" / "below"):
        with pytest.raises(ValueError, match="a file is in its way"):
            begun(folder)
