import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

import ntkal
from ntkal.experiments import results, sweep

FEW = """
seeds = [0, 1]
[run]
data = "moons"
model = "mlp"
width = 8
start = 8
query = 4
cycles = 2
subset = 50
[run.train]
steps = 20
learning_rate = 0.05
[[series]]
name = "random"
strategy = "random"
[[series]]
name = "one by one"
strategy = "mlmoc"
mode = "sequential"
[small]
seeds = [7]
[small.run.train]
steps = 5
"""


@pytest.fixture
def few(tmp_path):
    path = tmp_path / "few.toml"
    path.write_text(FEW)
    return path


def command(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "ntkal", "sweep", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def expected(jobs):
    parts = [ntkal.run(job.config).assign(series=job.series) for job in jobs]
    return pd.concat(parts, ignore_index=True)


def same(table, other):
    names = ["series", "strategy", "mode", "seed", "cycle", "labels", "accuracy", "picks"]
    pd.testing.assert_frame_equal(table[names], other[names])


def test_series_share_settings_and_come_seed_by_seed(few):
    jobs = sweep.read(few)
    assert [(job.series, job.config.seed) for job in jobs] == [
        ("random", 0),
        ("one by one", 0),
        ("random", 1),
        ("one by one", 1),
    ]
    assert {job.config.train.steps for job in jobs} == {20}
    assert jobs[1].config.mode == "sequential"
    assert jobs[1].folder == "one_by_one-seed0"


def test_a_size_replaces_what_it_names_and_nothing_else(few):
    jobs = sweep.read(few, size="small")
    assert [job.config.seed for job in jobs] == [7, 7]
    assert {(job.config.train.steps, job.config.train.learning_rate) for job in jobs} == {(5, 0.05)}
    assert [job.config.seed for job in sweep.read(few, size="small", seeds=[3])] == [3, 3]


def test_a_grid_is_every_combination(tmp_path):
    path = tmp_path / "grid.toml"
    path.write_text('[grid]\nstrategy = ["random", "margin"]\nwidth = [4, 8, 16]\n')
    jobs = sweep.read(path)
    assert len(jobs) == 6
    assert {(job.config.strategy, job.config.width) for job in jobs} == {
        (s, w) for s in ("random", "margin") for w in (4, 8, 16)
    }
    assert jobs[0].series == "random 4"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"needs either \[\[series\]\] or \[grid\]"),
        ("[grid]\nstrategy = []\n", "lists that are not empty"),
        ('[[series]]\nstrategy = "random"\n', "has no name"),
        ('[[series]]\nname = "a"\nstrategie = "random"\n', "series 'a': strategie: no such setting"),
        ('[[series]]\nname = "a"\n[[series]]\nname = "a"\n', "a-seed0 more than once"),
        ('speed = 3\n[[series]]\nname = "a"\n', "'speed' is neither"),
        ('seeds = 3\n[[series]]\nname = "a"\n', "seeds: expected a list"),
        ("[grid\n", "is not valid TOML"),
    ],
)
def test_a_bad_file_is_refused_by_what_is_wrong_in_it(tmp_path, text, message):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        sweep.read(path)


def test_unknown_sizes_and_missing_files_are_named(few, tmp_path):
    with pytest.raises(ValueError, match="has no 'large'; it has small"):
        sweep.read(few, size="large")
    with pytest.raises(ValueError, match="there is no file"):
        sweep.read(tmp_path / "none.toml")
    with pytest.raises(ValueError, match="jobs: there is none"):
        sweep.run([], tmp_path)


def test_without_workers_the_runs_are_made_here_and_kept(few, tmp_path):
    jobs = sweep.read(few, size="small")
    table = sweep.run(jobs, tmp_path, workers=0, figure="few")
    same(table, expected(jobs))
    assert results.read(tmp_path / sweep.TABLE)[1]["figure"] == "few"
    again = sweep.run(jobs, tmp_path, workers=0)
    pd.testing.assert_frame_equal(again, table)  # the seconds too: nothing was run again


WILD = """
[[series]]
name = "wild"
train = {learning_rate = 1e9}
[[series]]
name = "tame"
strategy = "margin"
[small]
"""


def test_a_run_that_diverges_does_not_stop_the_others_and_is_named(few, tmp_path):
    few.write_text(FEW.replace("[small]", WILD, 1))
    jobs = sweep.read(few, size="small")
    with pytest.raises(FloatingPointError, match="learning rate 1000000000") as caught:
        sweep.run(jobs, tmp_path, workers=0)
    assert "1 of 4 runs failed" in caught.value.__notes__[0]
    assert "wild-seed7" in caught.value.__notes__[0]
    assert not (tmp_path / sweep.TABLE).exists()
    calm = [job for job in jobs if job.series != "wild"]
    assert len(calm) == 3
    assert all(len(results.read(tmp_path / job.folder / "run.parquet")[0]) == 3 for job in calm)


@pytest.mark.slow
def test_workers_go_on_after_a_run_that_diverges_and_the_command_says_which(few, tmp_path):
    few.write_text(FEW.replace("[small]", WILD, 1))
    done = command(few, "--size", "small", "--out", tmp_path, "--workers", 1)
    said, _ = done.communicate(timeout=300)
    assert done.returncode == 1, said
    assert "1 of 4 runs failed" in said
    assert "wild-seed7" in said
    assert (tmp_path / "tame-seed7" / "run.parquet").exists()


@pytest.mark.slow
def test_the_table_is_that_of_the_runs_one_by_one_with_what_made_it(few, tmp_path):
    done = command(few, "--out", tmp_path / "out", "--workers", 2)
    said, _ = done.communicate(timeout=300)
    assert done.returncode == 0, said
    table, made = results.read(tmp_path / "out" / sweep.TABLE)
    jobs = sweep.read(few)
    same(table, expected(jobs))
    assert list(table.columns[:5]) == ["series", "data", "model", "width", "lookahead"]
    assert made["seeds"] == [0, 1]
    assert made["command"].startswith("python -m ntkal sweep")
    assert made["runs"]["configs"]["random-seed1"] == jobs[2].config.to_dict()
    assert made["seconds"] == pytest.approx(table.filter(like="seconds_").to_numpy().sum(), abs=0.1)
    assert "1 x cpu" in made["runs"]["devices"][0]


@pytest.mark.slow
def test_a_killed_worker_costs_a_cycle_at_most_and_changes_nothing(tmp_path):
    path = tmp_path / "long.toml"
    path.write_text(FEW.replace("seeds = [0, 1]", "seeds = [0]").replace("cycles = 2", "cycles = 8"))
    out = tmp_path / "out"
    at_work = command(path, "--out", out, "--workers", 1)
    lock, rows = out / "random-seed0" / "run.lock", out / "random-seed0" / "run.parquet"
    wait_for(rows.exists, at_work)
    before = len(results.read(rows)[0])
    os.kill(int(lock.read_text()), signal.SIGKILL)
    said, _ = at_work.communicate(timeout=300)
    assert at_work.returncode == 0, said
    made = results.read(rows)[1]
    assert before >= 9 or len(made["resumed"]) == 1
    same(results.read(out / sweep.TABLE)[0], expected(sweep.read(path)))


@pytest.mark.slow
def test_a_killed_sweep_goes_on_when_the_command_is_given_again(few, tmp_path):
    out = tmp_path / "out"
    at_work = command(few, "--out", out, "--workers", 1, start_new_session=True)
    wait_for((out / "random-seed0" / "run.parquet").exists, at_work)
    os.killpg(at_work.pid, signal.SIGKILL)
    at_work.wait()
    at_work.stdout.close()
    assert not (out / sweep.TABLE).exists()
    again = command(few, "--out", out, "--workers", 1)
    said, _ = again.communicate(timeout=300)
    assert again.returncode == 0, said
    same(results.read(out / sweep.TABLE)[0], expected(sweep.read(few)))


@pytest.mark.slow
def test_a_cluster_of_one_s_own_is_reached_by_its_scheduler_file(few, tmp_path):
    file = tmp_path / "scheduler.json"
    dask = [
        sys.executable,
        "-m",
        "distributed.cli.dask_scheduler",
        "--scheduler-file",
        str(file),
        "--port",
        "0",
    ]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(file)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    with subprocess.Popen([*dask, "--dashboard-address", ":0"], **quiet) as scheduler:
        try:
            wait_for(file.exists, scheduler)
            with subprocess.Popen([*worker, "--nthreads", "1", "--no-dashboard"], **quiet) as one:
                try:
                    done = command(few, "--size", "small", "--out", tmp_path / "out", "--scheduler", file)
                    said, _ = done.communicate(timeout=300)
                    assert done.returncode == 0, said
                finally:
                    one.terminate()
        finally:
            scheduler.terminate()
    same(results.read(tmp_path / "out" / sweep.TABLE)[0], expected(sweep.read(few, size="small")))


def wait_for(condition, process, seconds=300):
    until = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "the process ended too early"
        assert time.monotonic() < until, "nothing was written in time"
        time.sleep(0.02)
