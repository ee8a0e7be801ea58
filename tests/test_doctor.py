import importlib.metadata
import importlib.util

import jax
import numpy as np
import pytest

from ntkal import doctor


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("NTKAL_DATA", str(tmp_path))
    return tmp_path


def lines(report):
    return dict(report.lines)


def test_a_sound_environment_has_its_versions_devices_and_data(folder):
    report = doctor.examine()
    said = lines(report)
    assert report.problems == []
    assert report.text().endswith("All is well.")
    assert said["jax"] == jax.__version__
    assert said["64-bit mode"] == "on"
    assert "cpu" in said["devices"]
    for name in ("toy1d", "moons", "digits", "mnist5k"):
        assert said[name].startswith("found")
    assert said["mnist"].startswith(f"not in {folder} ($NTKAL_DATA)")
    assert said["tensorflow"] == "not importable, as it should be"


def test_tensorflow_is_a_problem_except_on_colab(folder, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name == "tensorflow" or find(name))
    ((problem, fix),) = doctor.examine().problems
    assert "TensorFlow" in problem
    assert "--no-deps" in fix
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab-20261101")
    assert doctor.examine().problems == []


def test_a_missing_or_old_package_is_a_problem_with_its_fix(folder, monkeypatch):
    version = importlib.metadata.version

    def other(name):
        if name in ("optax", "dask"):
            raise importlib.metadata.PackageNotFoundError(name)
        return "0.1" if name == "flax" else version(name)

    monkeypatch.setattr(importlib.metadata, "version", other)
    report = doctor.examine()
    assert lines(report)["optax"] == "not installed"
    assert "optional" in lines(report)["dask"]
    problems = dict(report.problems)
    assert set(problems) == {"optax is not installed.", "flax 0.1 does not do: ntkal needs flax>=0.10.6."}
    assert (
        problems["flax 0.1 does not do: ntkal needs flax>=0.10.6."] == "python -m pip install 'flax>=0.10.6'"
    )
    assert "What is wrong:\n- flax 0.1" in report.text()
    assert "  Fix: " in report.text()


def test_32_bit_mode_is_a_problem(folder):
    jax.config.update("jax_enable_x64", False)
    try:
        report = doctor.examine()
    finally:
        jax.config.update("jax_enable_x64", True)
    assert lines(report)["64-bit mode"] == "off"
    assert "jax_enable_x64" in report.problems[0][1]


def test_no_device_is_a_problem(folder, monkeypatch):
    def none():
        raise RuntimeError("Unable to initialize backend 'tpu'\nmore")

    monkeypatch.setattr(jax, "devices", none)
    assert "no device (Unable to initialize backend 'tpu')" in doctor.examine().problems[0][0]


def test_a_damaged_download_is_a_problem(folder):
    (folder / "mnist.npz").write_bytes(b"half a file")
    report = doctor.examine()
    assert lines(report)["mnist"].startswith("found")
    assert "delete" in report.problems[0][1]
    one = np.zeros((1, 28, 28), dtype=np.uint8)
    label = np.zeros(1, dtype=np.uint8)
    np.savez(folder / "mnist.npz", x_train=one, y_train=label, x_test=one, y_test=label)
    assert doctor.examine().problems == []


def test_a_folder_that_cannot_be_written_is_a_problem(folder, monkeypatch):
    (folder / "file").write_text("")
    monkeypatch.setenv("NTKAL_DATA", str(folder / "file" / "below"))
    assert "set NTKAL_DATA" in doctor.examine().problems[0][1]
