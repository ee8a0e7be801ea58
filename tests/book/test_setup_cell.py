"""The setup cell, run with pip replaced by a recorder: what it installs, and what it leaves alone."""

import importlib.metadata
import importlib.util
import subprocess

import pytest
from setup_cell import header, jax_range, setup_cell


@pytest.fixture
def run(sample, monkeypatch, capsys):
    """Run the cell as if some modules were missing; return pip's commands and what the reader sees."""

    def run(missing=(), jax=None):
        find, version, commands = importlib.util.find_spec, importlib.metadata.version, []

        def pretend(name):
            return jax if name == "jax" and jax else version(name)

        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in missing else find(name))
        monkeypatch.setattr(importlib.metadata, "version", pretend)
        monkeypatch.setattr(subprocess, "run", lambda command, check: commands.append(command[4:]))
        exec(compile(setup_cell(sample), "setup", "exec"), {})
        return commands, capsys.readouterr().out

    return run


def test_nothing_is_installed_where_the_package_is(run):
    commands, _ = run()
    assert commands == []


def test_on_a_machine_like_colab_only_what_is_missing_is_installed(run, sample):
    commands, _ = run(missing=["ntkal", "mlxtend", "jaxtyping"])
    light, package = commands
    asked = [word for word in light if ">" in word]
    assert [word.split(">")[0] for word in asked] == ["jaxtyping", "mlxtend"]
    for name in [
        "jax",
        "jaxlib",
        "flax",
        "optax",
        "numpy",
    ]:  # pinned to what is there
        assert f"{name}=={importlib.metadata.version(name)}" in light
    assert package[:2] == ["--quiet", "--no-deps"]
    assert package[-1] == f"ntkal @ git+{sample.url}@{sample.branch}"


def test_tensorflow_is_never_asked_for(run):
    commands, _ = run(missing=["ntkal", "jax", "flax", "optax", "sklearn", "frozendict"])
    words = " ".join(word for command in commands for word in command)
    assert "tensorflow" not in words.lower()
    assert "tf2jax" not in words.lower()
    assert [command for command in commands if "neural-tangents==0.6.5" in command] == [commands[-1]]
    assert "--no-deps" in commands[-1]


@pytest.mark.parametrize(("version", "warned"), [("0.4.30", True), ("0.6.0", False), ("99.0.0", True)])
def test_an_untested_jax_is_named_with_what_to_do(run, sample, version, warned):
    _, printed = run(jax=version)
    assert (f"here is JAX {version}" in printed) == warned
    assert (f'%pip install "jax=={sample.pin("jax")}"' in printed) == warned


def test_the_tested_range_is_that_of_the_package_and_the_lock(sample):
    low, high = jax_range(sample)
    assert low == (0, 6)
    assert sample.pin("jax").startswith(f"{high[0]}.{high[1]}.")


def test_the_first_cell_links_to_the_rendered_page(sample):
    assert f"]({sample.pages}/book/ch09_sample.html)" in header(sample, "ch09_sample")
