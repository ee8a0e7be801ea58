"""The run of the notebooks: outputs that differ fail, a `;` silences, the table names each notebook."""

import os
import subprocess
import sys

import nbformat
import pytest
from project import ROOT


def run(folder, **cells):
    """Run notebooks of one cell each: name=(source, stored text)."""
    (folder / "book").symlink_to(ROOT / "book")
    for name, (source, stored) in cells.items():
        cell = nbformat.v4.new_code_cell(f"# NBVAL_CHECK_OUTPUT\n{source}", id=name, execution_count=1)
        cell.outputs = [nbformat.v4.new_output("stream", text=stored)]
        notebook = nbformat.v4.new_notebook(cells=[cell])
        notebook.metadata["kernelspec"] = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        nbformat.write(notebook, folder / f"{name}.ipynb")
    command = [sys.executable, "-m", "pytest", "-c", "book/_tools/nbval.ini", "--rootdir", ".", "."]
    tools = {"PYTHONPATH": str(ROOT / "book" / "_tools"), "JUPYTER_PREFER_ENV_PATH": "1"}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, **tools})


@pytest.mark.slow
def test_outputs_are_compared_as_a_reader_would_see_them(tmp_path):
    made = run(
        tmp_path,
        silent=("print('a'); 3;", "a\n"),
        timed=("print('took 3.1 s at /tmp/x/y')", "took 0.2 s at /home/me/y\n"),
        wrong=("print('b')", "c\n"),
    )
    assert "1 failed, 5 passed" in made.stdout, made.stdout
    assert "FAILED wrong.ipynb::Cell 0" in made.stdout
    table = made.stdout.split("seconds per notebook")[1]
    assert all(name in table for name in ["silent", "timed", "wrong  1 cells failed"])


@pytest.mark.slow
def test_each_notebook_runs_alone_and_without_tensorflow(tmp_path):
    made = run(
        tmp_path,
        alone=("import os\nprint(os.listdir())\nopen('left', 'w').close()", "[]\n"),
        alone_too=("import os\nprint(os.listdir())", "[]\n"),
        other=("import sys, types\nsys.modules['tensorflow'] = types\nprint()", "\n"),
    )
    assert "1 failed, 5 passed" in made.stdout, made.stdout
    assert "FAILED other.ipynb::No TensorFlow" in made.stdout
    assert "has imported TensorFlow" in made.stdout
