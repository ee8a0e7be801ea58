"""Two runs in one folder, altered files, other settings and a wrong clock: no loss, or a refusal."""

import os
import signal
import time

import pandas as pd
from faults.disturbances import set_clock_back, stop_after_a_cycle
from faults.processes import SMALL, files, rows, start

from ntkal.experiments import checkpoint, results


def wait_for(folder):
    deadline = time.monotonic() + 600
    while not (folder / checkpoint.FILE).exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def killed_after_a_cycle(config, folder):
    run = start(config, folder, stop_after_a_cycle)
    wait_for(folder)
    run.process.kill()
    assert run.outcome() == "killed"


def test_of_two_runs_in_one_folder_one_is_refused_and_the_other_is_not_disturbed(tmp_path, undisturbed):
    whole, _ = undisturbed()
    first = start(SMALL, tmp_path, stop_after_a_cycle)
    wait_for(tmp_path)
    for _ in range(2):
        answer = start(SMALL, tmp_path).outcome()
        assert answer.startswith(f"ValueError: out: another run (process {first.process.pid}) is at work in")
    pd.testing.assert_frame_equal(rows(tmp_path), whole.head(1))
    while first.process.exitcode is None:  # it stops itself after each cycle
        os.kill(first.process.pid, signal.SIGCONT)
        time.sleep(0.02)
    assert first.outcome() == "done"
    pd.testing.assert_frame_equal(rows(tmp_path), whole)


def test_many_runs_started_at_once_make_one(tmp_path, undisturbed):
    whole, _ = undisturbed()
    answers = [run.outcome() for run in [start(SMALL, tmp_path) for _ in range(4)]]
    refused = [answer for answer in answers if answer != "done"]
    assert len(refused) < 4
    assert all("is at work in" in answer for answer in refused)
    pd.testing.assert_frame_equal(rows(tmp_path), whole)
    assert files(tmp_path) == ["run.lock", "run.parquet"]


def test_a_killed_run_with_a_truncated_file_is_refused_and_the_file_left_alone(tmp_path):
    """The rows and, in a warm run, the weights that it would go on from."""
    for name, changes in (("cold", {}), ("warm", {"warm": True, "strategy": "margin"})):
        killed_after_a_cycle(SMALL | changes, tmp_path / name)
        path = tmp_path / name / checkpoint.FILE
        content = path.read_bytes()[:-100]
        path.write_bytes(content)
        answer = start(SMALL | changes, tmp_path / name).outcome()
        assert answer.startswith(f"ValueError: out: {path}: not a whole Parquet file")
        assert path.read_bytes() == content


def test_a_killed_run_does_not_go_on_with_other_settings(tmp_path, undisturbed):
    whole, _ = undisturbed()
    killed_after_a_cycle(SMALL, tmp_path)
    for changes, name in (
        ({"seed": 1}, "seed (0 then, 1 now)"),
        ({"cycles": 4}, "cycles (3 then, 4 now)"),
        ({"train": SMALL["train"] | {"steps": 21}}, "train.steps (20 then, 21 now)"),
    ):
        answer = start(SMALL | changes, tmp_path).outcome()
        assert answer.startswith(f"ValueError: out: {tmp_path / checkpoint.FILE} belongs to a run with other")
        assert name in answer
    pd.testing.assert_frame_equal(rows(tmp_path), whole.head(1))


def test_a_clock_that_was_set_back_loses_and_doubles_no_cycle(tmp_path, undisturbed):
    whole, _ = undisturbed()
    killed_after_a_cycle(SMALL, tmp_path)
    path = tmp_path / checkpoint.FILE
    future = time.time() + 1e9
    for name in files(tmp_path):
        os.utime(tmp_path / name, (future, future))
    begun = results.read(path)[1]["date"]
    assert start(SMALL, tmp_path, set_clock_back).outcome() == "done"
    pd.testing.assert_frame_equal(rows(tmp_path), whole)
    made = results.read(path)[1]
    assert made["date"] == begun
    assert made["resumed"][0]["date"].startswith("1999-01-01")
