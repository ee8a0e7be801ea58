"""A run whose labels come from files: it goes on from the answers, and from wherever it was ended."""

import csv
import os
import signal
import subprocess
import sys

import matplotlib.image
import numpy as np
import pandas as pd
import pytest

import ntkal
from ntkal.adapters import ask, read_answers, write_queries
from ntkal.experiments import learners
from ntkal.training import TrainConfig

SETTINGS = {
    "model": "mlp",
    "width": 16,
    "strategy": "mlmoc",
    "start": 6,
    "query": 3,
    "cycles": 2,
    "subset": 40,
}
SETTINGS |= {"mode": "ask", "train": {"steps": 10, "learning_rate": 0.05}}
TRAIN = TrainConfig(steps=10, learning_rate=0.05)
CLASSES = ("no", "yes")


@pytest.fixture(scope="module")
def moons():
    return ntkal.load("moons")


@pytest.fixture(scope="module")
def data(moons):
    """What is known before anybody has labelled: the y_train are zeros."""
    return ntkal.Dataset(moons.x_train, 0 * moons.y_train, moons.x_test, moons.y_test, CLASSES)


def fill(folder, truth, left=0, said=None):
    """A person who answers all but some of the open queries."""
    for path in folder.glob("queries-*.csv"):
        rows = list(csv.reader(path.read_text().splitlines()))
        for row in rows[1 : len(rows) - left]:
            row[2] = row[2] or (said or {}).get(int(row[0])) or CLASSES[truth[int(row[0])]]
        with path.open("w", newline="") as file:
            csv.writer(file).writerows(rows)


def finish(folder, data, truth, settings=SETTINGS):
    """Ask and answer to the end."""
    while not (found := ask(settings, folder, data=data)).finished:
        fill(folder, truth)
    return found


def kept(table):
    """All but the times, NaN as a text."""
    named = table.drop(columns=[name for name in table if name.startswith("seconds")])
    return named.map(lambda value: str(value.tolist() if isinstance(value, np.ndarray) else value)).to_dict()


@pytest.fixture(scope="module")
def whole(tmp_path_factory, data, moons):
    """The table of a run that nothing disturbs."""
    return finish(tmp_path_factory.mktemp("whole"), data, moons.y_train).table


def test_with_true_answers_it_is_the_ordinary_run(whole, moons):
    table = ntkal.run(SETTINGS | {"mode": "batch"}, data=moons)
    np.testing.assert_array_equal(whole[["labels", "ridge"]], table[["labels", "ridge"]])
    assert whole["accuracy"].tolist() == table["accuracy"].tolist()
    assert [list(picks) for picks in whole["picks"]] == [list(picks) for picks in table["picks"]]


def test_the_queries_stand_in_a_table_and_in_tasks_and_are_not_written_again(tmp_path, data, moons):
    found = ask(SETTINGS, tmp_path, data=data)
    assert found.file == tmp_path / "queries-0.csv"
    assert str(found) == f"Waiting for 6 answers, in {found.file}."
    tasks = read_answers(tmp_path / "queries-0.json", found.waiting, CLASSES)
    assert (tasks.given, tasks.problems) == ({}, ())
    fill(tmp_path, moons.y_train, left=2)
    before = found.file.read_bytes()
    found = ask(SETTINGS, tmp_path, data=data)
    assert len(found.waiting) == 2
    assert found.file.read_bytes() == before
    assert len(found.table) == 0


def test_nothing_of_the_true_labels_is_looked_at(tmp_path, data, whole, moons):
    shuffled = np.random.default_rng(0).permutation(moons.y_train)
    other = ntkal.Dataset(moons.x_train, shuffled, moons.x_test, moons.y_test, CLASSES)
    assert kept(finish(tmp_path, other, moons.y_train).table) == kept(whole)


def test_half_a_file_wrong_lines_and_a_broken_file_cost_nothing_else(tmp_path, data, whole, moons):
    found = ask(SETTINGS, tmp_path, data=data)
    fill(tmp_path, moons.y_train, left=1)
    with found.file.open("a") as file:
        file.write("9999,,yes\n")
    (tmp_path / "answers.json").write_text('[{"data"')
    found = ask(SETTINGS, tmp_path, data=data)
    assert len(found.waiting) == 1
    assert [problem.split(": ")[-1] for problem in found.problems[:1]] == ["9999 was not asked for."]
    assert "answers.json is no file of answers" in found.problems[1]
    assert "\nNot used: " in str(found)
    assert kept(finish(tmp_path, data, moons.y_train).table) == kept(whole)


def test_answers_may_come_as_an_export_of_label_studio(tmp_path, data, whole, moons):
    def export(found, name):
        given = {at: CLASSES[moons.y_train[at]] for at in found.waiting}
        write_queries(tmp_path / name, found.waiting, CLASSES, given=given)

    for cycle in range(3):
        export(ask(SETTINGS, tmp_path, data=data), f"answers-{cycle}.json")
    assert kept(ask(SETTINGS, tmp_path, data=data).table) == kept(whole)


def test_what_is_skipped_or_unknown_is_not_trained_on_and_not_asked_again(tmp_path, data, moons):
    first = ask(SETTINGS, tmp_path, data=data).waiting
    fill(tmp_path, moons.y_train, said={first[0]: "skip", first[1]: "don't know"})
    found = finish(tmp_path, data, moons.y_train)
    assert found.table["labels"].tolist() == [4, 7, 10]
    assert list(found.table["answers"].iloc[-1])[:2] == ["skip", "don't know"]
    picks = np.concatenate([*found.table["picks"]])
    assert len(set(picks)) == len(picks) == 12
    used = list(first[2:])
    config = ntkal.RunConfig(**{k: v for k, v in SETTINGS.items() if k not in ("mode", "train")}, train=TRAIN)
    learner = learners.NetworkLearner(config, (2,), 2)
    learner.fit(moons.x_train[used], np.eye(2)[moons.y_train[used]], 0)
    right = np.mean(learner.outputs(moons.x_test).argmax(axis=1) == moons.y_test)
    assert found.table["accuracy"].iloc[0] == right


def test_a_corrected_label_counts_from_the_next_training_on(tmp_path, data, moons):
    first = ask(SETTINGS, tmp_path, data=data).waiting
    wrong = CLASSES[1 - moons.y_train[first[0]]]
    fill(tmp_path, moons.y_train, said={first[0]: wrong})
    ask(SETTINGS, tmp_path, data=data)
    (tmp_path / "answers.csv").write_text(f"position,label\n{first[0]},{CLASSES[moons.y_train[first[0]]]}\n")
    answers = [said[0] for said in finish(tmp_path, data, moons.y_train).table["answers"]]
    assert answers == [wrong, *[CLASSES[moons.y_train[first[0]]]] * 2]


def test_answers_that_were_used_are_not_needed_any_more(tmp_path, data, whole, moons):
    ask(SETTINGS, tmp_path, data=data)
    fill(tmp_path, moons.y_train)
    ask(SETTINGS, tmp_path, data=data)
    (tmp_path / "queries-0.csv").unlink()
    assert kept(finish(tmp_path, data, moons.y_train).table) == kept(whole)


class Ended(BaseException):
    """What no except clause takes."""


@pytest.mark.slow
def test_a_run_ended_between_any_two_steps_goes_on_to_the_same_rows(tmp_path, monkeypatch, data, moons):
    short, steps, at = SETTINGS | {"cycles": 1}, 0, None

    def ending(step):
        def either(*arguments, **options):
            nonlocal steps
            for done in (False, True):
                steps += 1
                if steps == at:
                    raise Ended
                if not done:
                    found = step(*arguments, **options)
            return found

        return either

    monkeypatch.setattr(os, "replace", ending(os.replace))
    monkeypatch.setattr(os, "fsync", ending(os.fsync))
    want = kept(finish(tmp_path / "all", data, moons.y_train, short).table)
    assert steps == 2 * 3 * 6  # before and after each file is forced to the disk, renamed, its folder forced
    for at in range(1, steps + 1):
        steps, folder = 0, tmp_path / str(at)
        with pytest.raises(Ended):
            finish(folder, data, moons.y_train, short)
        assert kept(finish(folder, data, moons.y_train, short).table) == want, at


KILLED = """
import os, signal, sys
import ntkal
from ntkal.adapters import ask
replace, count = os.replace, 0
def killed(*names):
    global count
    replace(*names)
    count += 1
    if count == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
os.replace = killed
moons = ntkal.load("moons")
data = ntkal.Dataset(moons.x_train, 0 * moons.y_train, moons.x_test, moons.y_test, ("no", "yes"))
ask({settings}, sys.argv[1], data=data)
"""


@pytest.mark.skipif(os.name != "posix", reason="there is no SIGKILL here")
def test_a_process_killed_after_a_cycle_and_before_its_queries_loses_nothing(tmp_path, data, whole, moons):
    ask(SETTINGS, tmp_path, data=data)
    fill(tmp_path, moons.y_train)
    command = [sys.executable, "-c", KILLED.replace("{settings}", repr(SETTINGS)), tmp_path, "1"]
    assert subprocess.run(command, capture_output=True).returncode == -signal.SIGKILL
    assert not (tmp_path / "queries-1.csv").exists()
    assert len(pd.read_parquet(tmp_path / "run.parquet")) == 1
    assert kept(finish(tmp_path, data, moons.y_train).table) == kept(whole)


def test_images_are_put_beside_the_queries(tmp_path):
    rng = np.random.default_rng(0)
    images, labels = rng.random((12, 4, 5, 1)).astype(np.float32), np.arange(12) % 2
    data = ntkal.Dataset(images, labels, images, labels, CLASSES)
    found = ask(SETTINGS, tmp_path, data=data)
    rows = list(csv.DictReader(found.file.read_text().splitlines()))
    for row in rows:
        shown = matplotlib.image.imread(tmp_path / row["image"])[..., 0]
        np.testing.assert_allclose(shown, images[int(row["position"]), ..., 0], atol=0.1)
    links = [f"https://example.org/{at}.png" for at in range(12)]
    found = ask(SETTINGS, tmp_path / "links", data=data, images=links)
    assert links[found.waiting[0]] in found.file.read_text()


def test_a_folder_of_an_ordinary_run_is_refused(tmp_path, as_user, moons):
    ntkal.run(SETTINGS | {"mode": "batch"}, data=moons, out=tmp_path)
    with pytest.raises(ValueError, match="^out: .*your own labels"):
        ask(SETTINGS, tmp_path, data=moons)


def test_labels_one_by_one_cannot_be_asked_for_in_a_file(tmp_path, as_user, data):
    with pytest.raises(ValueError, match="^mode: 'sequential' needs"):
        ask(SETTINGS | {"mode": "sequential"}, tmp_path, data=data)


def test_a_hallucinated_batch_can_be_asked_for(tmp_path, data, moons):
    settings = SETTINGS | {"mode": "hallucinated", "cycles": 1}
    ask(settings, tmp_path, data=data)
    fill(tmp_path, moons.y_train)
    assert len(ask(settings, tmp_path, data=data).waiting) == 3


def test_when_everything_is_skipped_that_is_said(tmp_path, as_user, data, moons):
    first = ask(SETTINGS, tmp_path, data=data).waiting
    fill(tmp_path, moons.y_train, said=dict.fromkeys(first, "skip"))
    with pytest.raises(ValueError, match="^answers: none of the 6 is a class"):
        ask(SETTINGS, tmp_path, data=data)
