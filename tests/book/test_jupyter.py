"""Jupyter and Binder: `make lab` serves the notebooks, Binder installs the lock, a restart loses nothing."""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import nbformat
import pytest
import yaml
from nbclient import NotebookClient
from packaging.specifiers import SpecifierSet
from project import ROOT, Project

NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))


def test_binder_installs_the_lock_on_the_python_of_environment_yml():
    binder = yaml.safe_load((ROOT / ".binder" / "environment.yml").read_text())
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())
    (python,) = (name for name in binder["dependencies"] if name.startswith("python="))
    assert python in conda["dependencies"]
    assert python.removeprefix("python=") in SpecifierSet(Project().pyproject["project"]["requires-python"])
    # pip comes from conda, and what it installs from the lock alone: two lists would drift apart.
    assert set(binder["dependencies"]) == {python, "pip"}
    assert binder["channels"] == conda["channels"]


def test_binder_runs_commands_on_files_that_are_there():
    script = ROOT / ".binder" / "postBuild"
    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!/usr/bin/env bash\nset -euo pipefail\n")
    commands = [line for line in script.read_text().splitlines()[2:] if line]
    files = [name for line in commands for name in re.findall(r" -r (\S+)", line)]
    assert files == ["requirements.lock"]
    assert all((ROOT / name).exists() for name in files)
    assert all(line.startswith("pip install --no-deps ") for line in commands)
    # Without build isolation and without dependencies, what builds the package has to be in the lock.
    assert commands[-1] == "pip install --no-deps --no-build-isolation -e ."
    for package in ("hatchling", "editables", "jupyterlab", "ipykernel"):
        assert Project().pin(package)


def lab_command():
    """The command behind `make lab`."""
    # Without what an outer make hands down, such as the wish to name each directory.
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    made = subprocess.run(
        ["make", "-n", "lab"], cwd=ROOT, env=outside, capture_output=True, text=True, check=True
    )
    command = made.stdout.splitlines()[-1].split()
    assert command[0] == ".venv/bin/jupyter"
    return [sys.executable, "-m", "jupyter", *command[1:]]


@pytest.mark.slow
def test_make_lab_serves_every_notebook(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--no-browser", f"--port={port}", "--IdentityProvider.token=t", "--allow-root"]
    folders = {
        name: str(tmp_path / name)
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    }
    with (tmp_path / "log").open("w") as log:
        lab = subprocess.Popen(
            [*lab_command(), *options], cwd=ROOT, env=os.environ | folders, stdout=log, stderr=log
        )
        try:
            listed = json.loads(fetch(port, "api/contents?token=t", lab))
            page = fetch(port, "lab?token=t", lab)
        finally:
            lab.terminate()
            lab.wait(30)
    assert sorted(item["name"] for item in listed["content"] if item["type"] == "notebook") == NOTEBOOKS
    assert "jupyter-config-data" in page


def fetch(port, address, server):
    """A page of the server, which may still be starting."""
    for _ in range(240):
        assert server.poll() is None, "JupyterLab stopped"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{address}") as page:
                return page.read().decode()
        except urllib.error.URLError:
            time.sleep(0.25)
    raise AssertionError("JupyterLab does not answer")


@pytest.mark.slow
def test_a_kernel_restarted_in_the_middle_goes_on_after_the_setup_cell_and_those_above():
    path = ROOT / "notebooks" / "ch02_kernel_regression.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cells = [index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    assert "Setup" in notebook.cells[cells[0]].source
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--IPKernelApp.log_level=40"],
    )
    asyncio.run(interrupted(client, cells))


async def interrupted(client, cells):
    """Run half of the cells, restart, run the setup cell, then all the others; an error would stop it."""

    async def run(index):
        return (await client.async_execute_cell(client.nb.cells[index], index))["outputs"]

    async with client.async_setup_kernel():
        first, *_ = [await run(index) for index in cells[: len(cells) // 2]]
        await client.km.restart_kernel(now=True)
        await client.kc.wait_for_ready(timeout=120)
        client.nb.cells.append(nbformat.v4.new_code_cell("assert 'ntkal' not in globals()"))
        await run(len(client.nb.cells) - 1)
        assert await run(cells[0]) == first
        for index in cells[1:]:
            await run(index)
