"""Runs that are killed, at random moments and between any two file operations, lose and double nothing."""

import os
import signal
import time

import numpy as np
import pandas as pd
import pytest
from faults.processes import SMALL, files, rows, start

from ntkal.experiments import checkpoint, results
from ntkal.experiments.config import RunConfig

KILLS = 25
MODES = {"in batches": {"mode": "batch"}, "warm, one by one": {"mode": "sequential", "warm": True}}


@pytest.mark.parametrize("changes", MODES.values(), ids=MODES)
def test_a_run_killed_at_random_moments_ends_with_the_rows_of_one_that_was_not(
    changes, undisturbed, tmp_path, capsys
):
    whole, seconds = undisturbed(**changes)
    rng = np.random.default_rng(20220612)
    began, finished, kept_at_kills = time.monotonic(), 0, []
    while len(kept_at_kills) < KILLS:
        folder, count, outcome = tmp_path / str(finished), 0, ""
        while outcome != "done":
            run = start(SMALL | changes, folder)
            run.kill_after(rng.uniform(0.02, seconds))
            outcome = run.outcome()
            assert outcome in ("done", "killed")
            kept = rows(folder) if folder.exists() else None
            # Whatever the moment: whole cycles, the right ones, each once, and never fewer than before.
            if kept is None:
                assert count == 0
            else:
                pd.testing.assert_frame_equal(kept, whole.head(len(kept)))
                assert len(kept) >= count
                count = len(kept)
            if outcome == "killed":
                kept_at_kills.append(count)
        assert count == len(whole)
        assert files(folder) == ["run.lock", "run.parquet"]
        finished += 1
    # The moments were spread over the run, or this test has shown little.
    assert len(set(kept_at_kills)) >= 3
    spread = np.bincount(kept_at_kills, minlength=len(whole) + 1).tolist()
    with capsys.disabled():
        print(f"\n{len(kept_at_kills)} kills, {spread} of them with 0, 1, ... cycles kept;", end=" ")
        print(f"{finished} runs finished; {time.monotonic() - began:.0f} seconds")


CALLS = ("mkdir", "open", "fsync", "chmod", "replace")


def kill_at(call: str, count: int) -> None:
    """Have this process killed just before or, for a negative count, just after a call of the system."""
    left, original = [abs(count)], getattr(os, call)

    def counted(*arguments, **options):
        left[0] -= 1
        if left[0] == 0 and count > 0:
            os.kill(os.getpid(), signal.SIGKILL)
        given = original(*arguments, **options)
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return given

    setattr(os, call, counted)


def row(cycle):
    return {"cycle": cycle, "ridge": float("nan"), "picks": [cycle, cycle + 10]}


def go_on(folder):
    """What a run does with its folder, without the computing between: read, then cycle after cycle."""
    with checkpoint.hold(folder, RunConfig(cycles=2, warm=True)) as state:
        if state.rows and not state.finished:
            assert state.restored() == {"trained": len(state.rows) - 1}
            assert state.pending == {"picks": row(len(state.rows))["picks"]}
        assert [one["picks"] for one in state.rows] == [row(k)["picks"] for k in range(len(state.rows))]
        for cycle in range(len(state.rows), 3):
            following = None if cycle == 2 else {"picks": row(cycle + 1)["picks"]}
            state.add(row(cycle), following, {"trained": cycle})


@pytest.fixture
def without_jax(monkeypatch):
    """Provenance that asks JAX nothing: a process in which it has started must not be forked."""
    made = {"versions": {}, "backend": "cpu", "date": "", "commit": None, "dirty": None}
    monkeypatch.setattr(results, "provenance", lambda **more: made | more)


@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
@pytest.mark.parametrize("side", [1, -1], ids=["before", "after"])
@pytest.mark.parametrize("call", CALLS)
def test_a_kill_between_any_two_file_operations_leaves_a_folder_to_go_on_from(
    call, side, tmp_path, without_jax
):
    for count in range(1, 40):
        folder = tmp_path / str(count)
        child = os.fork()
        if child == 0:
            try:
                kill_at(call, side * count)
                go_on(folder)
                os._exit(0)
            except BaseException:
                os._exit(1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in (0, -signal.SIGKILL)
        go_on(folder)
        assert files(folder) == ["run.lock", "run.parquet"]
        assert rows(folder)["cycle"].tolist() == [0, 1, 2]
        if status == 0:
            break
    assert status == 0
    assert count > 1, f"os.{call} is never called, so nothing was tested"
