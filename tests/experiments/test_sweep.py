import dataclasses
import os
import signal
import subprocess
import sys
import time

import jax
import numpy as np
import pandas as pd
import pytest

import ntkal
from ntkal.experiments import results, sweep
from ntkal.experiments.config import RunConfig
from ntkal.models import Model, mlp

FEW = """
seeds = [0, 1]
[run]
data = "moons"
model = "mlp"
width = 8
start = 8
query = 4
cycles = 1
subset = 50
[run.train]
steps = 10
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


@pytest.fixture(scope="module")
def expected():
    """The rows of jobs run one by one without a folder; each run is made once for all tests."""
    tables = {}

    def of(jobs, **own):
        for job in jobs:
            if job not in tables:
                tables[job] = ntkal.run(job.config, **own).assign(series=job.series)
        return pd.concat([tables[job] for job in jobs], ignore_index=True)

    return of


# The same without a look-ahead: nothing to compile for each number of labels.
QUICK = FEW.replace('strategy = "mlmoc"\nmode = "sequential"', 'strategy = "margin"')


@pytest.fixture
def few(tmp_path):
    path = tmp_path / "few.toml"
    path.write_text(FEW)
    return path


@pytest.fixture
def quick(tmp_path):
    path = tmp_path / "quick.toml"
    path.write_text(QUICK)
    return path


def command(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "ntkal", "sweep", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


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
    assert {job.config.train.steps for job in jobs} == {10}
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
        ('[[series]]\nname = "a"\n[[series]]\nname = "a"\n', "a-seed0 is there more than once"),
        ('speed = 3\n[[series]]\nname = "a"\n', "'speed' is neither"),
        ('seeds = 3\n[[series]]\nname = "a"\n', "seeds must be a list, got 3"),
        ('seeds = [true]\n[[series]]\nname = "a"\n', "series 'a': seed: expected a whole number, got True"),
        ('seeds = [1.0]\n[[series]]\nname = "a"\n', "series 'a': seed: expected a whole number, got 1.0"),
        ("[grid\n", "is not valid TOML"),
    ],
)
def test_a_bad_file_is_refused_by_what_is_wrong_in_it(as_user, tmp_path, text, message):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        sweep.read(path)


def test_unknown_sizes_and_missing_files_are_named(few, tmp_path):
    with pytest.raises(ValueError, match="has no 'large'; it has small"):
        sweep.read(few, size="large")
    with pytest.raises(ValueError, match="cannot be read"):
        sweep.read(tmp_path / "none.toml")
    with pytest.raises(ValueError, match="jobs: expected at least one Job"):
        sweep.run([], tmp_path)


def test_a_job_takes_a_configuration_in_any_form(as_user):
    assert sweep.Job("a", {"seed": 3}) == sweep.Job("a", RunConfig(seed=3))
    with pytest.raises(ValueError, match="jobs: expected at least one Job"):
        sweep.run([RunConfig()], "out", workers=0)


def test_seeds_of_another_kind_are_refused(as_user, few):
    for seeds in (0, 5, [True], [1.0], "12"):
        with pytest.raises(ValueError, match=r"seeds?: expected a (list of )?whole number"):
            sweep.read(few, seeds=seeds)
    assert [job.config.seed for job in sweep.read(few, seeds=np.arange(3, 4))] == [3, 3]


def test_a_run_that_is_there_twice_and_what_is_no_number_of_workers_are_refused(as_user, few, tmp_path):
    jobs = sweep.read(few)
    with pytest.raises(ValueError, match="jobs: random-seed0 is there more than once"):
        sweep.run([*jobs, jobs[0]], tmp_path, workers=0)
    for workers in (False, 0.0, -1, "0"):
        with pytest.raises(ValueError, match="workers: expected a whole number"):
            sweep.run(jobs, tmp_path, workers=workers)
    assert not list(tmp_path.glob("*/"))


def test_without_workers_the_runs_are_made_here_and_kept(quick, expected, tmp_path):
    jobs = sweep.read(quick, size="small")
    table = sweep.run(jobs, tmp_path, workers=0, figure="quick")
    same(table, expected(jobs))
    assert results.read(tmp_path / sweep.TABLE)[1]["figure"] == "quick"
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


def test_a_run_that_diverges_does_not_stop_the_others_and_is_named(quick, tmp_path):
    quick.write_text(QUICK.replace("[small]", WILD, 1))
    jobs = sweep.read(quick, size="small")
    with pytest.raises(FloatingPointError, match="learning rate 1000000000") as caught:
        sweep.run(jobs, tmp_path, workers=0)
    assert "1 of 4 runs failed" in caught.value.__notes__[0]
    assert "wild-seed7" in caught.value.__notes__[0]
    assert not (tmp_path / sweep.TABLE).exists()
    calm = [job for job in jobs if job.series != "wild"]
    assert len(calm) == 3
    assert all(len(results.read(tmp_path / job.folder / "run.parquet")[0]) == 2 for job in calm)


@pytest.mark.slow
def test_workers_go_on_after_a_run_that_diverges_and_the_command_says_which(quick, tmp_path):
    quick.write_text(QUICK.replace("[small]", WILD, 1))
    done = command(quick, "--size", "small", "--out", tmp_path, "--workers", 1)
    said, _ = done.communicate(timeout=300)
    assert done.returncode == 1, said
    assert "1 of 4 runs failed" in said
    assert "wild-seed7" in said
    assert (tmp_path / "tame-seed7" / "run.parquet").exists()


@pytest.mark.slow
def test_the_table_is_that_of_the_runs_one_by_one_with_what_made_it(few, expected, tmp_path):
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
def test_one_s_own_data_and_network_go_to_the_workers_and_are_remembered(quick, expected, tmp_path):
    data = ntkal.load("moons", seed=1)

    def outputs(params, x):
        return x @ params["weights"]["w"]

    mine = Model(
        "linear",
        init=lambda key: {
            "weights": {"w": 0.1 * jax.random.normal(key, (2, 2), "float32")},
            "statistics": {},
        },
        apply=outputs,
        features=lambda params, x: x,
        train_apply=lambda params, x: (outputs(params, x), params),
    )
    own = {"data": data, "model": mine}
    jobs = [
        dataclasses.replace(job, config=dataclasses.replace(job.config, width=None))
        for job in sweep.read(quick)
    ]
    table = sweep.run(jobs[:1], tmp_path, workers=1, **own)
    same(table, expected(jobs[:1], **own))
    assert set(table["data"]) == set(table["model"]) == {"own"}
    assert results.read(tmp_path / sweep.TABLE)[1]["runs"]["own"]["data"] == data.digest
    with pytest.raises(ValueError, match=r"model: it cannot be sent to workers .*workers=0"):
        sweep.run(jobs[:1], tmp_path, workers=1, **own | {"model": mlp((2,), 2)})
    with pytest.raises(ValueError, match="your own data"):
        sweep.run(jobs[:1], tmp_path, workers=0, **own | {"data": ntkal.load("moons")})


@pytest.mark.slow
def test_a_killed_worker_costs_a_cycle_at_most_and_changes_nothing(expected, tmp_path):
    path = tmp_path / "long.toml"
    path.write_text(QUICK.replace("seeds = [0, 1]", "seeds = [0]").replace("cycles = 1", "cycles = 5"))
    out = tmp_path / "out"
    at_work = command(path, "--out", out, "--workers", 1)
    lock, rows = out / "random-seed0" / "run.lock", out / "random-seed0" / "run.parquet"
    wait_for(rows.exists, at_work)
    before = len(results.read(rows)[0])
    os.kill(int(lock.read_text()), signal.SIGKILL)
    said, _ = at_work.communicate(timeout=300)
    assert at_work.returncode == 0, said
    made = results.read(rows)[1]
    assert before >= 6 or len(made["resumed"]) == 1
    same(results.read(out / sweep.TABLE)[0], expected(sweep.read(path)))


@pytest.mark.slow
def test_a_killed_sweep_goes_on_when_the_command_is_given_again(quick, expected, tmp_path):
    out = tmp_path / "out"
    at_work = command(quick, "--out", out, "--workers", 1, start_new_session=True)
    wait_for((out / "random-seed0" / "run.parquet").exists, at_work)
    os.killpg(at_work.pid, signal.SIGKILL)
    at_work.wait()
    at_work.stdout.close()
    assert not (out / sweep.TABLE).exists()
    again = command(quick, "--out", out, "--workers", 1)
    said, _ = again.communicate(timeout=300)
    assert again.returncode == 0, said
    same(results.read(out / sweep.TABLE)[0], expected(sweep.read(quick)))


@pytest.mark.slow
def test_a_cluster_of_one_s_own_is_reached_by_its_scheduler_file(quick, expected, tmp_path):
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
                    done = command(quick, "--size", "small", "--out", tmp_path / "out", "--scheduler", file)
                    said, _ = done.communicate(timeout=300)
                    assert done.returncode == 0, said
                finally:
                    one.terminate()
        finally:
            scheduler.terminate()
    same(results.read(tmp_path / "out" / sweep.TABLE)[0], expected(sweep.read(quick, size="small")))


def wait_for(condition, process, seconds=300):
    until = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "the process ended too early"
        assert time.monotonic() < until, "nothing was written in time"
        time.sleep(0.02)
