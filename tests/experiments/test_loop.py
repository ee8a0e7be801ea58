import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import ntkal
from ntkal import FactorLookahead, models
from ntkal.data import Dataset
from ntkal.experiments import checkpoint, gaussian_process, loop, results, rivals
from ntkal.experiments.config import RunConfig, as_config

SMALL = {"data": "digits", "model": "mlp", "width": 16, "start": 20, "query": 5, "cycles": 1, "subset": 60}
SMALL |= {"train": {"steps": 20, "learning_rate": 0.1}}
FEW = {"subset": 12, "query": 3}
GP = {"model": "gp", "width": None}
COLUMNS = ["data", "model", "strategy", "mode", "seed", "cycle", "labels", "accuracy", "ridge"]
COLUMNS += ["seconds_train", "seconds_kernel", "seconds_query", "picks"]
SECONDS = [name for name in COLUMNS if name.startswith("seconds_")]


def small(**changes):
    return SMALL | changes


@pytest.fixture(scope="module")
def made():
    """Runs without a folder, each made once for all tests of this module."""
    tables = {}

    def of(**changes):
        key = repr(sorted(changes.items()))
        if key not in tables:
            tables[key] = ntkal.run(small(**changes))
        return tables[key]

    return of


def parts(**changes):
    return loop.Parts(as_config(small(**changes)))


def same_rows(a, b, *, but=()):
    pd.testing.assert_frame_equal(a.drop(columns=[*SECONDS, *but]), b.drop(columns=[*SECONDS, *but]))


def test_a_row_a_cycle_and_every_pick_once(made):
    table = made(strategy="mlmoc", cycles=2)
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
def test_every_strategy_runs_and_only_a_look_ahead_builds_the_kernel(made, strategy):
    table = made(strategy=strategy)
    needs = ntkal.acquisition.get(strategy).needs
    assert (table["seconds_kernel"][1] > 0) == ("lookahead" in needs)
    assert np.isnan(table["ridge"][1]) == ("lookahead" not in needs)


@pytest.mark.parametrize("mode", ["sequential", "hallucinated"])
@pytest.mark.parametrize("strategy", ["mlmoc", "margin"])
def test_one_by_one_modes_run_and_choose_otherwise_than_a_batch(made, mode, strategy):
    table = made(strategy=strategy, mode=mode, query=10)
    batch = made(strategy=strategy, query=10)
    assert len(set(table["picks"][1])) == 10
    assert table["picks"][0] == batch["picks"][0]
    assert set(table["picks"][1]) != set(batch["picks"][1])
    assert table["mode"].tolist() == [mode] * 2


@pytest.mark.parametrize("lookahead", rivals.names())
def test_every_way_to_look_ahead_runs_from_the_same_start(made, lookahead):
    table, closed = made(lookahead=lookahead, **FEW), made(lookahead="ntk", **FEW)
    assert table["accuracy"][0] == closed["accuracy"][0]
    assert len(set(table["picks"][1])) == 3
    if lookahead.startswith("ntk"):
        same = ["accuracy", "picks"]
        pd.testing.assert_frame_equal(table[same], closed[same])


@pytest.mark.parametrize("mode", ["batch", "sequential"])
def test_a_run_takes_any_posterior(made, monkeypatch, mode):
    rival = rivals.get("ntk")

    def in_factors(situation):
        post = rival.prepare(situation)
        values, vectors = np.linalg.eigh(np.asarray(post.cov))
        factor = jnp.asarray(vectors * np.sqrt(np.clip(values, 0, None)))
        return FactorLookahead(post.mean, factor, jnp.eye(len(values)), ridge=post.ridge)

    monkeypatch.setattr(rivals, "get", lambda name: dataclasses.replace(rival, prepare=in_factors))
    table = ntkal.run(small(strategy="mlmoc_norm", mode=mode))
    monkeypatch.undo()
    same_rows(table, made(strategy="mlmoc_norm", mode=mode))


@pytest.mark.parametrize("mode", ["batch", "sequential"])
def test_a_gaussian_process_can_take_the_network_s_place(made, mode):
    table = made(mode=mode, **GP)
    data = ntkal.load("digits")
    labelled = table["picks"][0]
    found = gaussian_process.fit(
        data.x_train[labelled], np.eye(10)[data.y_train[labelled]], relative_ridge=1e-2
    )
    said = np.asarray(found.outputs(data.x_test)).argmax(axis=1)
    assert table["accuracy"][0] == np.mean(said == data.y_test)
    assert table["accuracy"].between(0.5, 1).all()
    assert table["ridge"][1] == pytest.approx(found.ridge)


def test_a_warm_run_starts_from_the_weights_it_had(made, tmp_path):
    warm = ntkal.run(small(warm=True, strategy="margin"), out=tmp_path)
    assert "weights" not in results.read(tmp_path / checkpoint.FILE)[0]
    cold = made(strategy="margin")
    assert warm["accuracy"][0] == cold["accuracy"][0]
    assert warm["accuracy"][1] != cold["accuracy"][1]
    job = parts(warm=True, strategy="margin")
    job.train(warm["picks"][0], 0)
    before = job.learner.params
    job.learner.config = as_config(small(warm=True, train={"steps": 1, "learning_rate": 1e-9}))
    job.train(warm["picks"][0], 1)
    for one, two in zip(jax.tree.leaves(before), jax.tree.leaves(job.learner.params), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6)


def test_the_same_configuration_gives_the_same_rows_and_another_seed_others(made):
    same_rows(ntkal.run(small(strategy="mlmoc")), made(strategy="mlmoc"))
    assert made(cycles=0, seed=1)["picks"][0] != made(strategy="mlmoc")["picks"][0]


def test_strategies_of_one_seed_share_start_set_weights_and_subset():
    a, b = parts(strategy="random"), parts(strategy="margin")
    assert a.start_set() == b.start_set()
    labelled = a.start_set()["picks"]
    np.testing.assert_array_equal(a.subset(labelled, 1), b.subset(labelled, 1))
    for job in (a, b):
        job.train(labelled, 1)
    for one, two in zip(jax.tree.leaves(a.learner.params), jax.tree.leaves(b.learner.params), strict=True):
        np.testing.assert_array_equal(one, two)
    # One label more leaves the rest of the subset as it was, so that strategies choose from nearly the same.
    before, after = a.subset(labelled, 1), a.subset([*labelled, int(a.subset(labelled, 1)[3])], 1)
    assert len(set(before) & set(after)) == len(before) - 1
    assert not set(before) & set(labelled)


def test_the_choice_is_the_strategy_s_own_on_the_model_of_the_cycle_before(made):
    job, table = parts(strategy="margin"), made(strategy="margin")
    labelled = table["picks"][0]
    accuracy, _ = job.train(labelled, 0)
    assert accuracy == table["accuracy"][0]
    pool = job.subset(labelled, 0)
    outputs = np.asarray(job.learner.outputs(job.data.x_train[pool]))
    probs = np.clip(outputs, 0, None) / np.clip(outputs, 0, None).sum(1, keepdims=True)
    top = np.sort(probs, axis=1)
    best = np.argsort(top[:, -1] - top[:, -2])[:5]
    assert set(table["picks"][1]) == set(pool[best].tolist())


def test_no_cycles_is_one_row_and_the_whole_pool_can_be_labelled(made):
    assert made(cycles=0)["labels"].tolist() == [20]
    table = made(data="moons", strategy="margin", start=395, subset="all")
    assert sorted(pick for picks in table["picks"] for pick in picks) == list(range(400))


def stopped_after(rows, monkeypatch, config, **options):
    """Begin a run and have it interrupted once it has written so many rows."""
    write, left = results.write, [rows]

    def stop(*arguments):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return write(*arguments)

    monkeypatch.setattr(results, "write", stop)
    with pytest.raises(KeyboardInterrupt):
        ntkal.run(config, **options)
    monkeypatch.undo()


@pytest.mark.parametrize("changes", [{}, {"mode": "sequential"}, {"warm": True}], ids=str)
def test_a_run_that_stops_goes_on_to_the_rows_of_one_that_did_not(made, tmp_path, monkeypatch, changes):
    changes = {"strategy": "mlmoc", "cycles": 2} | changes
    stopped_after(1, monkeypatch, small(**changes), out=tmp_path)
    assert len(results.read(tmp_path / checkpoint.FILE)[0]) == 1
    resumed = ntkal.run(small(**changes), out=tmp_path)
    same_rows(resumed, made(**changes))
    same_rows(results.read(tmp_path / checkpoint.FILE)[0], resumed)


def in_tuples():
    """A linear network that keeps its weights in a tuple."""
    return models.Model(
        "linear",
        init=lambda key: {"weights": (0.1 * jax.random.normal(key, (64, 10), "float32"),), "statistics": ()},
        apply=lambda params, x: x.reshape(len(x), -1) @ params["weights"][0],
        features=lambda params, x: x.reshape(len(x), -1),
        train_apply=lambda params, x: (x.reshape(len(x), -1) @ params["weights"][0], params),
    )


@pytest.mark.parametrize("model", ["own", "gp"])
def test_a_warm_run_goes_on_whatever_its_weights_are_kept_in(as_user, tmp_path, monkeypatch, model):
    config = small(strategy="margin" if model == "own" else "mlmoc", warm=True, model=model, width=None)
    mine = {"model": in_tuples()} if model == "own" else {}
    whole = ntkal.run(config, **mine)
    stopped_after(1, monkeypatch, config, out=tmp_path, **mine)
    same_rows(ntkal.run(config, out=tmp_path, **mine), whole)


def test_a_finished_run_comes_back_at_once(tmp_path, monkeypatch):
    table = ntkal.run(small(cycles=0), out=tmp_path)

    def fail(*_, **__):
        raise AssertionError("a finished run loads nothing")

    monkeypatch.setattr(ntkal.data, "load", fail)
    pd.testing.assert_frame_equal(ntkal.run(small(cycles=0), out=tmp_path), table)


def test_a_fresh_run_replaces_what_is_there_with_its_first_row_and_not_before(tmp_path, monkeypatch):
    old = ntkal.run(small(cycles=0, warm=True), out=tmp_path)
    with pytest.raises(ValueError, match="1347 training inputs"):
        ntkal.run(small(cycles=1000), out=tmp_path, fresh=True)
    stopped_after(0, monkeypatch, small(cycles=0, seed=1), out=tmp_path, fresh=True)
    pd.testing.assert_frame_equal(ntkal.run(small(cycles=0, warm=True), out=tmp_path), old)
    new = ntkal.run(small(cycles=0, seed=1), out=tmp_path, fresh=True)
    pd.testing.assert_frame_equal(results.read(tmp_path / checkpoint.FILE)[0], new)


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
        (small(data="own"), r"data: 'own' stands for one of yours; give it to ntkal.run\(config, data="),
    ]:
        with pytest.raises(ValueError, match=message):
            ntkal.run(config, out=folder)
    assert not folder.exists()


def own_data(change=0.0):
    data = ntkal.load("digits")
    x = data.x_train.copy()
    x[0, 0, 0, 0] += change
    return Dataset(x, data.y_train, data.x_test, data.y_test, data.classes)


def own_network(classes=10, **options):
    return dataclasses.replace(models.mlp((8, 8, 1), classes, width=16, **options), name="mine")


def test_a_run_on_one_s_own_data_has_the_rows_of_the_same_data_by_name(made):
    table = ntkal.run(small(strategy="margin", data=own_data()))
    assert table["data"].tolist() == ["own", "own"]
    same_rows(table, made(strategy="margin"), but=["data"])


def test_a_run_of_one_s_own_network_has_the_rows_of_the_same_network_by_name(made):
    table = ntkal.run(small(strategy="margin", width=None), model=own_network())
    assert table["model"].tolist() == ["own", "own"]
    same_rows(table, made(strategy="margin"), but=["model"])


def test_a_folder_knows_the_data_and_the_network_it_was_begun_with(tmp_path, monkeypatch):
    config, mine = small(strategy="margin", width=None), {"data": own_data(), "model": own_network()}
    stopped_after(1, monkeypatch, config, out=tmp_path, **mine)
    for other, message in [
        (mine | {"data": own_data(0.5)}, "other settings: your own data .'"),
        (
            mine | {"model": own_network(depth=1)},
            r"your own model \('mine, .* parameters, outputs .* then, 'mine",
        ),
        (mine | {"model": None}, "model .'own' then, 'mlp' now.*, your own model"),
    ]:
        with pytest.raises(ValueError, match=message):
            ntkal.run(config, out=tmp_path, **other)
    resumed = ntkal.run(config, out=tmp_path, **mine)
    same_rows(resumed, ntkal.run(config, **mine))


def test_what_is_no_data_or_network_of_one_s_own_is_refused_in_a_short_sentence(as_user):
    data = own_data()
    regression = Dataset(
        data.x_train, data.y_train[:, None] * 1.0, data.x_test, data.y_test[:, None] * 1.0, ()
    )
    for config, options, message in [
        (small(), {"data": (data.x_train, data.y_train)}, "data: expected a ntkal.Dataset, got tuple"),
        (small(), {"data": regression}, "regression problem"),
        (small(width=None), {"model": print}, "model: expected a ntkal.models.Model, got builtin"),
        (
            small(width=None),
            {"model": own_network(3)},
            r"model: expected outputs of shape \(n, 10\), .* \(1, 3\)",
        ),
        (small(), {"model": own_network()}, "model: a network of your own has its width"),
    ]:
        with pytest.raises(ValueError, match=message) as error:
            ntkal.run(config, **options)
        assert len(str(error.value)) < 200
    for setting, value, kind in (("data", data, "Dataset"), ("model", own_network(), "Model")):
        with pytest.raises(
            ValueError, match=f"{setting}: a {kind} of your own is no setting; give it"
        ) as error:
            RunConfig(**{setting: value})
        assert len(str(error.value)) < 120


def test_progress_goes_to_the_error_stream_and_silence_is_the_default(capfd):
    ntkal.run(small(cycles=0, strategy="random"))
    assert capfd.readouterr() == ("", "")
    ntkal.run(small(cycles=0, strategy="random"), progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "random (batch)" in err
    assert "1/1" in err
