import itertools
import json

import jax
import numpy as np
import pytest

from ntkal.experiments.config import PURPOSES, RunConfig, as_config, differences
from ntkal.training.sgd import TrainConfig


def test_all_forms_of_a_configuration_are_the_same(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text('data = "digits"\nquery = 10\nsubset = "all"\n[train]\nsteps = 200\nlearning_rate = 1\n')
    expected = RunConfig(
        data="digits", query=10, subset=None, train=TrainConfig(steps=200, learning_rate=1.0)
    )
    mapping = {"data": "digits", "query": 10, "subset": "all", "train": {"steps": 200, "learning_rate": 1.0}}
    assert as_config(path) == as_config(str(path)) == as_config(mapping) == as_config(expected) == expected


def test_the_dictionary_form_is_json_and_comes_back():
    config = RunConfig(query=7, width=16, logit=3, train=TrainConfig(steps=5))
    assert RunConfig.from_mapping(json.loads(json.dumps(config.to_dict()))) == config


def test_numpy_numbers_are_taken_as_plain_ones(as_user):
    config = RunConfig(seed=np.int64(3), relative_ridge=np.float32(0.5))
    assert type(config.seed) is int
    assert config == RunConfig(seed=3, relative_ridge=0.5)


def test_every_setting_changes_the_digest_and_equal_settings_share_it():
    base = RunConfig()
    assert base.digest == RunConfig.from_mapping({"train": {}}).digest
    changes = {"data": "digits", "model": "mlp", "width": 8, "strategy": "margin", "mode": "sequential"}
    changes |= {"start": 99, "query": 19, "cycles": 4, "subset": None, "seed": 1, "logit": 0}
    changes |= {"relative_ridge": 0.5, "train": {"steps": 9}, "blocks": 2, "warm": True}
    changes |= {"lookahead": "step", "infinite": "cnn"}
    assert set(changes) == set(base.to_dict())
    digests = {RunConfig.from_mapping({name: value}).digest for name, value in changes.items()}
    assert len({base.digest, *digests}) == len(changes) + 1
    assert RunConfig(seed=1).name.startswith("mnist5k-cnn-mlmoc-batch-seed1-")


def test_what_a_train_table_leaves_out_is_the_run_s_own_default():
    assert RunConfig.from_mapping({"train": {"momentum": 0.5}}).train.steps == RunConfig().train.steps
    assert RunConfig.from_mapping({}) == RunConfig()


def test_labels_at_the_end_are_counted():
    assert RunConfig(start=100, query=20, cycles=5).labels == 200
    assert RunConfig(start=100, query=20, cycles=0).labels == 100


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"strategy": "mlmocc"},
            r"strategy: unknown 'mlmocc' \(did you mean 'mlmoc'\?\); choose one of .*mlm",
        ),
        ({"data": "cifar"}, "data: unknown 'cifar'"),
        ({"model": "resnet50"}, "model: unknown 'resnet50'"),
        ({"mode": "sequentail"}, "did you mean 'sequential'"),
        ({"logit": "all"}, "logit: unknown 'all'"),
        ({"logit": -1}, "logit: expected a whole number at least 0, got -1"),
        ({"query": -5}, "query: expected a whole number at least 1, got -5"),
        ({"query": 2.5}, "query: expected a whole number, got 2.5"),
        ({"query": True}, "query: expected a whole number, got True"),
        ({"query": "many"}, "query: expected a whole number, got 'many'"),
        ({"start": 0}, "start: expected a whole number at least 1, got 0"),
        ({"cycles": -1}, "cycles: expected a whole number at least 0"),
        ({"width": 0}, "width: expected a whole number at least 1"),
        ({"seed": -1}, "seed: expected a whole number between 0 and"),
        ({"seed": 2**32}, "seed: expected a whole number between 0 and 4294967295"),
        ({"seed": np.bool_(True)}, "seed: expected a whole number, got"),
        ({"seed": np.float64(1)}, "seed: expected a whole number, got"),
        ({"relative_ridge": -1e-3}, "relative_ridge: expected a finite number of at least 0"),
        ({"relative_ridge": float("nan")}, "relative_ridge: expected a finite number of at least 0"),
        ({"strategy": "badge", "mode": "sequential"}, "mode: 'badge' does not score candidates"),
        ({"strategy": "badge", "model": "gp"}, "strategy: 'badge' needs features of a network"),
        ({"lookahead": "step", "model": "gp"}, "lookahead: model 'gp' looks ahead by itself"),
        ({"lookahead": "step", "strategy": "emoc"}, "lookahead: 'step' can score by mlmoc or mlmoc_norm"),
        ({"lookahead": "step", "mode": "sequential"}, "lookahead: 'step' cannot take labels one by one"),
        ({"model": "own", "width": 8}, "model: a network of your own has its width"),
        ({"subset": 10}, "subset: 10 inputs are too few to pick query = 20 from"),
        ({"data": 3}, "data: expected a text, got 3"),
        (
            {"stategy": "margin"},
            r"stategy: no such setting \(did you mean 'strategy'\?\); known: data",
        ),
        ({"train": 5}, "train: expected a table of training settings, got 5"),
        ({"train": {"step": 5}}, r"train.step: no such setting \(did you mean 'steps'\?\)"),
        ({"train": {"steps": "5"}}, "train.steps: expected a whole number, got '5'"),
        ({"train": {"steps": 0}}, "train.steps: expected a whole number at least 1, got 0"),
        ({"train": {"learning_rate": -1}}, "train.learning_rate: expected a"),
        ({"train": {"nesterov": 1}}, "train.nesterov: expected true or false, got 1"),
    ],
)
def test_a_bad_setting_is_named_with_what_is_allowed(as_user, settings, message):
    with pytest.raises(ValueError, match=message) as error:
        RunConfig.from_mapping(settings)
    assert "\n" not in str(error.value)


def test_a_bad_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"config: .*gone\.toml cannot be read \(No such file"):
        as_config(tmp_path / "gone.toml")
    with pytest.raises(ValueError, match=r"config: .* cannot be read \(Is a directory\)"):
        as_config(tmp_path)
    for text, more in ((b"query = ", ""), ("query = 5".encode("utf-16"), ".*; save it as UTF-8")):
        (tmp_path / "bad.toml").write_bytes(text)
        with pytest.raises(ValueError, match=rf"bad\.toml is not valid TOML{more}"):
            as_config(tmp_path / "bad.toml")


def test_a_byte_order_mark_and_the_line_ends_of_windows_change_nothing(tmp_path):
    path = tmp_path / "run.toml"
    path.write_bytes(b"\xef\xbb\xbfquery = 10\r\nseed = 3\r\n")
    assert as_config(path) == RunConfig(query=10, seed=3)


def test_something_else_is_no_configuration(as_user):
    with pytest.raises(ValueError, match="expected a RunConfig, a mapping or the path of a TOML file, got"):
        as_config(5)


def test_differences_name_the_settings_and_both_values():
    old, new = RunConfig(), RunConfig(query=10, train=TrainConfig(steps=9))
    assert differences(old.to_dict(), old.to_dict()) == []
    found = differences(old.to_dict(), new.to_dict())
    assert found[0] == "query (20 then, 10 now)"
    assert found[1].startswith("train.steps (")
    assert len(found) == 2


def test_streams_of_random_numbers_differ_by_seed_purpose_and_cycle():
    each = list(itertools.product((RunConfig(), RunConfig(seed=1)), PURPOSES, (0, 1)))
    draws = {float(config.generator(*which).random()) for config, *which in each}
    keys = {tuple(jax.random.key_data(config.key(*which)).tolist()) for config, *which in each}
    assert len(draws) == len(keys) == len(each)
    assert float(RunConfig().generator("start", 0).random()) in draws
