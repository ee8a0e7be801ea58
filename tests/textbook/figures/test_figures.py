import json
import shutil

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from ntkal.experiments import results, sweep
from ntkal.textbook import figures

STORED = sorted(figures.STORE.glob("figure-*.parquet"))


def shape(job):
    """What makes a series, whatever the size."""
    config = job.config
    return (job.series.split()[0], config.strategy, config.mode, config.lookahead)


@pytest.mark.parametrize("name", figures.NAMES)
def test_every_size_has_the_same_series_and_paper_and_laptop_six_seeds(name):
    jobs = {size: figures.jobs(name, size) for size in figures.SIZES}
    series = {size: {shape(job) for job in found} for size, found in jobs.items()}
    assert series["smoke"] == series["laptop"] == series["paper"]
    for size in ("laptop", "paper"):
        assert {job.config.seed for job in jobs[size]} == set(range(6))
    assert {job.config.data for job in jobs["smoke"]} == {"digits"}


def test_the_paper_s_protocol_is_in_the_files():
    first = {name: figures.jobs(name, "paper")[0].config for name in figures.NAMES}
    protocol = {
        name: (c.data, c.model, c.blocks, c.width, c.start, c.query, c.subset) for name, c in first.items()
    }
    mnist = ("mnist", "wide_resnet", 1, 640, 100, 20, 4000)
    assert protocol["1a"] == protocol["1b"] == protocol["3a"] == mnist
    assert protocol["2a"] == ("svhn", "wide_resnet", 1, 640, 1000, 1000, 6000)
    assert protocol["2b"] == ("cifar10", "wide_resnet", 2, 640, 1000, 1000, 6000)
    assert protocol["2c"] == ("cifar100", "resnet18", None, 512, 10000, 1000, 6000)
    assert max(job.config.width for job in figures.jobs("3b", "paper")) == 640
    assert {(c.train.epochs, c.train.batch_size) for c in first.values()} == {(200, 128)}


@pytest.mark.parametrize("name", ["1a", "1b", "3a"])
def test_the_mnist_figures_keep_the_paper_s_labels_at_laptop_size(name):
    for job in figures.jobs(name, "laptop"):
        assert (job.config.start, job.config.query) == (100, 20)


@pytest.mark.slow
def test_smoke_runs_and_draws(tmp_path):
    """One figure in earnest; the pages run those of 1a, 1b, 2b and 3a, and 2a and 2c are 2b at this size."""
    jobs = figures.jobs("3b", seeds=[3])
    table, figure = figures.make("3b", seeds=[3], out=tmp_path, workers=0)
    assert len(table) == sum(job.config.cycles + 1 for job in jobs)
    assert set(table["series"]) == {job.series for job in jobs}
    assert (tmp_path / "figure.png").stat().st_size > 5000
    assert (tmp_path / "figure.svg").stat().st_size > 5000
    made = results.read(tmp_path / sweep.TABLE)[1]
    assert (made["figure"], made["size"]) == ("3b", "smoke")
    assert len(figure.axes) >= 1
    assert set(table.columns) >= set(synthetic(jobs).columns)


def synthetic(jobs):
    """A table with the rows that the jobs would give, and random accuracies."""
    rng = np.random.default_rng(5)
    rows = []
    for job in jobs:
        config = job.config
        for cycle in range(config.cycles + 1):
            seconds = {"seconds_kernel": cycle * rng.uniform(), "seconds_query": cycle * rng.uniform()}
            about = {
                "series": job.series,
                "seed": config.seed,
                "strategy": config.strategy,
                "width": config.width,
            }
            labels = config.start + cycle * config.query
            rows.append({**about, "cycle": cycle, "labels": labels, "accuracy": rng.uniform(), **seconds})
    return pd.DataFrame(rows)


@pytest.mark.parametrize("size", figures.SIZES)
@pytest.mark.parametrize("name", figures.NAMES)
def test_what_a_figure_s_settings_ask_for_can_be_drawn(name, size, check_words):
    jobs = figures.jobs(name, size)
    figure = figures.plot(name, synthetic(jobs))
    legends = [
        text.get_text() for ax in figure.axes if ax.get_legend() for text in ax.get_legend().get_texts()
    ]
    assert len(legends) >= len({job.config.width for job in jobs})
    check_words(figure)


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_stored_table_is_what_its_file_of_settings_asks_for(path):
    _, name, size = path.stem.split("-")
    table, made = figures.stored(name, size)
    jobs = figures.jobs(name, size)
    assert made["runs"]["configs"] == {job.folder: job.config.to_dict() for job in jobs}
    rows = table.groupby(["series", "seed"], sort=False).size()
    assert rows.to_dict() == {(job.series, job.config.seed): job.config.cycles + 1 for job in jobs}
    assert np.isfinite(table["accuracy"]).all()
    for (_, seed), part in table.groupby(["series", "seed"]):
        picks = [pick for row in part["picks"] for pick in row]
        assert len(set(picks)) == len(picks) == part["labels"].max(), f"seed {seed}"
    assert not any("changed" in commit for commit in made["runs"]["commits"])
    plt.close(figures.plot(name, table))


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_page_shows_what_made_a_table_and_where_it_is_smaller_than_the_paper(path):
    _, name, size = path.stem.split("-")
    made = figures.stored(name, size)[1]
    shown = figures.made_by(made)[""]
    assert shown["seeds"] == "0, 1, 2, 3, 4, 5"
    assert f"figure {name} --size {size}" in shown["command"]
    assert made["commit"].startswith(shown["table written with commit"])
    ours, paper = (figures.jobs(name, this)[0].config for this in (size, "paper"))
    differ = figures.beside_size(made)
    length = f"{ours.train.epochs} epochs" if ours.train.epochs else str(ours.train.steps)
    assert differ.loc["train.steps"].tolist() == [length, f"{paper.train.epochs} epochs"]
    assert "seed" not in differ.index
    assert figures.beside_size(made, size).empty
    assert figures.altered(made) == []
    wrong = json.loads(json.dumps(made))
    run = next(iter(wrong["runs"]["configs"]))
    wrong["runs"]["configs"][run]["start"] += 1
    wrong["runs"]["configs"]["one-more"] = {}
    assert figures.altered(wrong) == [run, "one-more"]


@pytest.mark.parametrize("name", ["4c", "3A", 3, None])
def test_a_name_that_is_no_figure_is_named_at_every_door(name, as_user, tmp_path):
    doors = (figures.jobs, figures.stored, lambda name: figures.make(name, out=tmp_path))
    for door in (*doors, lambda name: figures.plot(name, pd.DataFrame())):
        with pytest.raises(ValueError, match="name: unknown .*; choose one of 1a, 1b"):
            door(name)
    assert not any(tmp_path.iterdir())


def test_unknown_figures_sizes_and_tables_are_named(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="name: .*'4c'"):
        figures.jobs("4c")
    with pytest.raises(ValueError, match="size: .*'huge'"):
        figures.jobs("3a", "huge")
    shutil.copy(STORED[0], tmp_path / STORED[0].name)
    monkeypatch.setattr(figures, "STORE", tmp_path)
    with pytest.raises(ValueError, match=r"stored: figure-.*python -m ntkal figure 2c --size paper"):
        figures.stored("2c", "paper")
