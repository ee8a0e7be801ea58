"""What Colab has: which Python and list the notebooks run on, and how the list is renewed."""

import json
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import colab_pins
import pytest
from project import BookError

HERE = ".".join(map(str, sys.version_info[:2]))


def python(path, says):
    """A program that answers as a Python would."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{says}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A machine with no Python but this one; the folder of pyenv's."""
    monkeypatch.delenv("COLAB_PYTHON", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return tmp_path


def test_a_python_is_found_by_name_in_pyenv_or_where_this_runs(nowhere):
    assert colab_pins.find("3.99") is None
    assert colab_pins.find(HERE) == sys.executable
    last = python(nowhere / "pyenv/versions/3.99.1/bin/python", "echo 3.99")
    python(nowhere / "pyenv/versions/3.99.1t/bin/python", "echo 3.99")  # without a lock, no packages for it
    assert colab_pins.find("3.99") == last
    named = nowhere / "path" / "python3.99"
    python(named, "echo 'command not found' >&2; exit 127")  # as pyenv's own do for what is not switched on
    assert colab_pins.find("3.99") == last
    assert colab_pins.find("3.99") != python(named, "echo 3.98")
    assert colab_pins.find("3.99") == last
    assert python(named, "echo 3.99") == colab_pins.find("3.99")


@pytest.fixture
def listed(sample):
    """A list for a Python that no machine has."""
    path = colab_pins.newest(sample)
    path.write_text("# source at c, 2031-01-02; Python 3.99.4.\nJax==0.1\nodd_name==2\n")
    return path.rename(path.with_stem("2031-01-02"))


def test_the_notebooks_run_on_colabs_list_where_its_python_is(sample, listed, nowhere, monkeypatch):
    given = python(nowhere / "anywhere", "echo 3.99")
    monkeypatch.setenv("COLAB_PYTHON", given)
    stock = colab_pins.stock(sample)
    assert (stock.python, stock.pins) == (given, {"jax": "0.1", "odd-name": "2"})
    assert stock.said == "The notebooks run on Colab's packages of 2031-01-02, Python 3.99."


def test_without_that_python_they_run_on_the_lock_and_it_is_said(sample, listed, nowhere):
    stock = colab_pins.stock(sample)
    assert (stock.python, stock.pins["jax"]) == (sys.executable, sample.pin("jax"))
    assert "tensorflow" not in stock.pins
    assert stock.said.startswith(
        "No Python 3.99, which Colab has, is found here (COLAB_PYTHON=... names one)"
    )


@pytest.mark.parametrize(("says", "is_"), [("echo 3.98", "is Python 3.98"), ("exit 1", "is no Python")])
def test_another_python_than_colabs_is_refused(sample, listed, nowhere, monkeypatch, says, is_):
    monkeypatch.setenv("COLAB_PYTHON", python(nowhere / "anywhere", says))
    with pytest.raises(BookError, match=rf"COLAB_PYTHON: .*/anywhere {is_}.*2031-01-02 is for Python 3.99"):
        colab_pins.stock(sample)


FREEZE = (
    "jax==0.8.0\nnumpy==2.2\nipykernel==7.1+local.1\ntorch @ https://x/y.whl\n-e git+z\nodd_name==2!1.0rc1\n"
)


@pytest.fixture
def publish(tmp_path):
    """Publish files as the list's maker does, on this machine; return the addresses."""
    (place := tmp_path / "public" / "abcdef0123").mkdir(parents=True)
    handler = partial(SimpleHTTPRequestHandler, directory=place.parent)
    handler.func.log_message = lambda *_: None
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()

    def publish(freeze=FREEZE, date="2031-02-03T04:05:06Z", os_info="Ubuntu 30\nPython 3.77.1\nR 5\n"):
        commits = [{"sha": "abcdef0123", "commit": {"committer": {"date": date}}}]
        (place.parent / "commits").write_text(json.dumps(commits if date else {"message": "slow down"}))
        (place / "pip-freeze.txt").write_text(freeze)
        (place / "os-info.txt").write_text(os_info)
        files = f"http://127.0.0.1:{server.server_port}"
        return f"{files}/commits", files

    yield publish
    server.shutdown()
    server.server_close()


def lists(project):
    folder = project.root / "book" / "_tools" / "colab"
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_the_newest_list_takes_the_place_of_the_old_one(sample, publish, monkeypatch, capsys):
    monkeypatch.setattr(colab_pins.published, "__defaults__", publish())
    old = colab_pins.newest(sample).stem
    assert colab_pins.main(["--root", str(sample.root)]) == 0
    assert capsys.readouterr().out == f"Colab's list: 2031-02-03. Before: {old}.\n"
    assert lists(sample).keys() == {"2031-02-03.txt", "notebooks.txt"}
    text = lists(sample)["2031-02-03.txt"]
    assert "googlecolab/backend-info at abcdef0, 2031-02-03; Python 3.77.1." in text
    assert colab_pins.HEADER.search(text)[1] == "3.77"
    made = {"jax": "0.8.0", "numpy": "2.2", "ipykernel": "7.1+local.1", "odd-name": "2!1.0rc1"}
    assert colab_pins.by_name(colab_pins.pins(text)) == made


@pytest.mark.parametrize(
    "wrong", [{"date": ""}, {"freeze": "<html>sorry"}, {"os_info": "Ubuntu"}, {"freeze": "jax==1\n"}]
)
def test_what_is_no_list_changes_nothing(sample, publish, monkeypatch, capsys, wrong):
    before = lists(sample)
    monkeypatch.setattr(colab_pins.published, "__defaults__", publish(**wrong))
    assert colab_pins.main(["--root", str(sample.root)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("Colab's list could not be had (")
    assert said.endswith("); nothing is changed.\n")
    assert lists(sample) == before


def test_without_a_network_nothing_is_changed(sample, monkeypatch, capsys):
    before = lists(sample)
    nobody = "http://127.0.0.1:9/"
    monkeypatch.setattr(colab_pins.published, "__defaults__", (nobody, nobody))
    assert colab_pins.main(["--root", str(sample.root)]) == 1
    assert "could not be had" in capsys.readouterr().err
    assert lists(sample) == before
