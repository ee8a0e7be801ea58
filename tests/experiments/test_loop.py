import json
import subprocess
import sys
import time

import jax
import numpy as np
import pandas as pd
import pytest

import ntkal
from ntkal.experiments import checkpoint, loop, results, rivals
from ntkal.lookahead import gaussian_process as gp

SMALL = {"data": "digits", "model": "mlp", "width": 16, "start": 20, "query": 5, "cycles": 2, "subset": 60}
SMALL |= {"train": {"steps": 20, "learning_rate": 0.1}}
COLUMNS = ["data", "model", "strategy", "mode", "seed", "cycle", "labels", "accuracy", "ridge"]
COLUMNS += ["seconds_train", "seconds_kernel", "seconds_query", "picks"]
SECONDS = [name for name in COLUMNS if name.startswith("seconds_")]


def small(**changes):
    return SMALL | changes


def same_rows(a, b):
    pd.testing.assert_frame_equal(a.drop(columns=SECONDS), b.drop(columns=SECONDS))


def test_a_row_a_cycle_and_every_pick_once():
    table = ntkal.run(small(strategy="mlmoc"))
    assert list(table.columns) == COLUMNS
    assert table["cycle"].tolist() == [0, 1, 2]
    assert table["labels"].tolist() == [20, 25, 30]
    assert [len(picks) for picks in table["picks"]] == [20, 5, 5]
    picks = [pick for picks in table["picks"] for pick in picks]
    assert len(set(picks)) == 30
    assert min(picks) >= 0
    assert max(picks) < len(ntkal.load("digits").x_train)
    assert table["accuracy"].between(0, 1).all()
    assert np.isnan(table["ridge"][0])
    assert (table["ridge"][1:] > 0).all()
    assert (table["seconds_kernel"][1:] > 0).all()
    assert (table["seconds_train"] > 0).all()


@pytest.mark.parametrize("strategy", ntkal.acquisition.names())
def test_every_strategy_runs_and_only_a_look_ahead_builds_the_kernel(strategy):
    table = ntkal.run(small(strategy=strategy, cycles=1))
    needs = ntkal.acquisition.get(strategy).needs
    assert (table["seconds_kernel"][1] > 0) == ("lookahead" in needs)
    assert np.isnan(table["ridge"][1]) == ("lookahead" not in needs)


@pytest.mark.parametrize("mode", ["sequential", "hallucinated"])
@pytest.mark.parametrize("strategy", ["mlmoc", "margin"])
def test_one_by_one_modes_run_and_choose_otherwise_than_a_batch(mode, strategy):
    table = ntkal.run(small(strategy=strategy, mode=mode, cycles=1, query=10))
    batch = ntkal.run(small(strategy=strategy, cycles=1, query=10))
    assert len(set(table["picks"][1])) == 10
    assert table["picks"][0] == batch["picks"][0]
    assert set(table["picks"][1]) != set(batch["picks"][1])
    assert table["mode"].tolist() == [mode] * 2


@pytest.mark.parametrize("lookahead", rivals.names())
def test_every_way_to_look_ahead_runs_from_the_same_start(lookahead):
    config = small(lookahead=lookahead, cycles=1, subset=12, query=3)
    table = ntkal.run(config)
    assert table["accuracy"][0] == ntkal.run(small(cycles=0))["accuracy"][0]
    assert len(set(table["picks"][1])) == 3
    closed = ntkal.run(small(cycles=1, subset=12, query=3))
    if lookahead.startswith("ntk"):
        same = ["accuracy", "picks"]
        pd.testing.assert_frame_equal(table[same], closed[same])


@pytest.mark.parametrize("mode", ["batch", "sequential"])
def test_a_gaussian_process_can_take_the_network_s_place(mode):
    table = ntkal.run(
        {"data": "digits", "model": "gp", "start": 20, "query": 5, "cycles": 2, "subset": 60, "mode": mode}
    )
    data = ntkal.load("digits")
    labelled = table["picks"][0]
    found = gp.fit(data.x_train[labelled], np.eye(10)[data.y_train[labelled]], relative_ridge=1e-2)
    said = np.asarray(found.outputs(data.x_test)).argmax(axis=1)
    assert table["accuracy"][0] == np.mean(said == data.y_test)
    assert table["accuracy"].between(0.5, 1).all()
    assert table["ridge"][1] == pytest.approx(found.ridge)


def test_a_warm_run_starts_from_the_weights_it_had(tmp_path, monkeypatch):
    config = small(warm=True, cycles=3, strategy="margin")
    whole = ntkal.run(config, out=tmp_path / "whole")
    assert list((tmp_path / "whole").glob("weights*")) == []
    cold = ntkal.run(small(cycles=3, strategy="margin"))
    assert whole["accuracy"][0] == cold["accuracy"][0]
    assert whole["accuracy"].tolist() != cold["accuracy"].tolist()
    job = loop._Run(loop.as_config(config), ntkal.acquisition.get("margin"))
    labelled = whole["picks"][0]
    job.train(labelled, 0)
    before = job.learner.params
    job.learner.config = loop.as_config(small(warm=True, train={"steps": 1, "learning_rate": 1e-9}))
    job.train(labelled, 1)
    for one, two in zip(jax.tree.leaves(before), jax.tree.leaves(job.learner.params), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6)


def test_the_same_configuration_gives_the_same_rows_and_another_seed_others():
    first, again = ntkal.run(small()), ntkal.run(small())
    same_rows(first, again)
    other = ntkal.run(small(seed=1))
    assert other["picks"][0] != first["picks"][0]


def test_strategies_of_one_seed_share_start_set_weights_and_subset():
    a, b = (
        loop._Run(loop.as_config(small(strategy=s)), ntkal.acquisition.get(s)) for s in ("random", "margin")
    )
    assert a.start_set() == b.start_set()
    labelled = a.start_set()
    np.testing.assert_array_equal(a.subset(labelled, 1), b.subset(labelled, 1))
    for job in (a, b):
        job.train(labelled, 1)
    for one, two in zip(jax.tree.leaves(a.learner.params), jax.tree.leaves(b.learner.params), strict=True):
        np.testing.assert_array_equal(one, two)
    # One label more leaves the rest of the subset as it was, so that strategies choose from nearly the same.
    before, after = a.subset(labelled, 1), a.subset([*labelled, int(a.subset(labelled, 1)[3])], 1)
    assert len(set(before) & set(after)) == len(before) - 1
    assert not set(before) & set(labelled)


def test_the_choice_is_the_strategy_s_own_on_the_model_of_the_cycle_before():
    config = loop.as_config(small(strategy="margin", cycles=1))
    job = loop._Run(config, ntkal.acquisition.get("margin"))
    table = ntkal.run(config)
    labelled = table["picks"][0]
    accuracy, _ = job.train(labelled, 0)
    assert accuracy == table["accuracy"][0]
    pool = job.subset(labelled, 0)
    outputs = np.asarray(job.learner.outputs(job.data.x_train[pool]))
    probs = np.clip(outputs, 0, None) / np.clip(outputs, 0, None).sum(1, keepdims=True)
    top = np.sort(probs, axis=1)
    best = np.argsort(top[:, -1] - top[:, -2])[:5]
    assert set(table["picks"][1]) == set(pool[best].tolist())


def test_no_cycles_is_one_row_and_the_whole_pool_can_be_labelled():
    assert ntkal.run(small(cycles=0))["labels"].tolist() == [20]
    table = ntkal.run(
        {"data": "moons", "model": "mlp", "width": 8, "strategy": "margin", "start": 390}
        | {"query": 5, "cycles": 2, "subset": "all", "train": {"steps": 5}}
    )
    assert sorted(pick for picks in table["picks"] for pick in picks) == list(range(400))


@pytest.mark.parametrize("changes", [{}, {"mode": "sequential"}, {"warm": True}])
def test_a_run_that_stops_goes_on_to_the_rows_of_one_that_did_not(tmp_path, monkeypatch, changes):
    config = small(strategy="mlmoc", cycles=3, **changes)
    whole = ntkal.run(config)
    write, left = results.write, [2]

    def stop(*arguments):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return write(*arguments)

    monkeypatch.setattr(results, "write", stop)
    with pytest.raises(KeyboardInterrupt):
        ntkal.run(config, out=tmp_path)
    monkeypatch.undo()
    assert len(results.read(tmp_path / checkpoint.FILE)[0]) == 2
    resumed = ntkal.run(config, out=tmp_path)
    same_rows(resumed, whole)
    same_rows(results.read(tmp_path / checkpoint.FILE)[0], whole)


def test_a_finished_run_comes_back_at_once(tmp_path, monkeypatch):
    table = ntkal.run(small(), out=tmp_path)

    def fail(*_, **__):
        raise AssertionError("a finished run loads nothing")

    monkeypatch.setattr(ntkal.data, "load", fail)
    pd.testing.assert_frame_equal(ntkal.run(small(), out=tmp_path), table)
    monkeypatch.undo()
    same_rows(ntkal.run(small(), out=tmp_path, fresh=True), table)


def test_another_configuration_in_the_folder_is_refused(tmp_path):
    ntkal.run(small(cycles=0), out=tmp_path)
    with pytest.raises(ValueError, match=r"other settings: seed \(0 then, 1 now\)"):
        ntkal.run(small(cycles=0, seed=1), out=tmp_path)


def test_what_cannot_work_is_refused_before_a_folder_is_made(tmp_path):
    folder = tmp_path / "run"
    for config, message in [
        (small(cycles=1000), "come to 5020, but digits has 1347 training inputs"),
        (small(data="toy1d"), "'toy1d' is a regression problem"),
        (small(strategy="random", mode="sequential"), "'random' does not score candidates"),
        (small(model="wide_resnet", width=6), "width: expected a multiple of 4"),
    ]:
        with pytest.raises(ValueError, match=message):
            ntkal.run(config, out=folder)
    assert not folder.exists()


def test_progress_goes_to_the_error_stream_and_silence_is_the_default(capfd):
    ntkal.run(small(strategy="random", cycles=1))
    assert capfd.readouterr() == ("", "")
    ntkal.run(small(strategy="random", cycles=1), progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "random (batch)" in err
    assert "2/2" in err


@pytest.mark.slow
def test_a_run_killed_half_way_goes_on_to_the_same_rows(tmp_path):
    config = small(strategy="mlmoc", cycles=6, train={"steps": 100, "learning_rate": 0.1})
    code = "import sys, json, ntkal; ntkal.run(json.loads(sys.argv[1]), out=sys.argv[2])"
    path = tmp_path / checkpoint.FILE
    process = subprocess.Popen([sys.executable, "-c", code, json.dumps(config), str(tmp_path)])
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if path.exists() and len(results.read(path)[0]) >= 2:
            break
        time.sleep(0.005)
    process.kill()
    assert process.wait() == -9
    assert 2 <= len(results.read(path)[0]) < 7
    same_rows(ntkal.run(config, out=tmp_path), ntkal.run(config))
