"""Importing neural-tangents: the versions it was tested on, and jax left as it was found."""

import subprocess
import sys
import textwrap

import jax
import pytest

from ntkal.kernels import neural_tangents_import as door

CLEAN_IMPORT = """
    import importlib, sys, types, warnings
    import jax
    import ntkal
    # Genuine parts of JAX that neural-tangents imports; anything else that appears was left behind.
    for name in ("experimental.ode", "example_libraries.stax", "extend.core", "extend.linear_util"):
        importlib.import_module("jax." + name)

    def namespaces():
        names = [n for n in sys.modules if n.split(".")[0] == "jax"]
        return {n: dict(vars(sys.modules[n])) for n in names}

    before = namespaces()
    filters = list(warnings.filters)
    import ntkal.kernels.neural_tangents
    after = namespaces()
    assert warnings.filters == filters
    strange = [n for n in set(after) - set(before) if sys.modules[n].__spec__ is None]
    assert not strange, strange
    assert not set(before) - set(after), set(before) - set(after)
    for module, old in before.items():
        for name in set(old) | set(after[module]):
            genuine = sys.modules.get(f"{module}.{name}")
            if name not in old and genuine is not None and genuine is after[module][name]:
                continue
            assert name in old and after[module].get(name) is old[name], (module, name)
    heavy = [n for n in sys.modules if n.split(".")[0] in ("tensorflow", "tf2jax")]
    assert not heavy, heavy
"""


def test_import_leaves_jax_as_it_was_found_and_brings_no_tensorflow():
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(CLEAN_IMPORT)], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


def test_supplied_names_are_taken_away_also_after_an_error():
    names = {"jax.core": {"a_moved_name": 1}, "jax.a_moved_module": {"name": 2}}

    def fail_inside():
        with door.supplied(names):
            assert jax.core.a_moved_name == 1
            assert sys.modules["jax.a_moved_module"].name == 2
            raise KeyError

    with pytest.raises(KeyError):
        fail_inside()
    assert not hasattr(jax.core, "a_moved_name")
    assert "jax.a_moved_module" not in sys.modules


def test_supplied_never_replaces_what_jax_has():
    found = jax.core.ShapedArray
    with door.supplied({"jax.core": {"ShapedArray": None}}):
        assert jax.core.ShapedArray is found
    assert jax.core.ShapedArray is found


@pytest.mark.parametrize("version", [door.JAX_TESTED[0] + ".0", door.JAX_TESTED[1] + ".99", "0.8.3.dev1"])
def test_versions_in_the_tested_range_pass(version):
    door.check_jax(version)


@pytest.mark.parametrize("version", ["0.5.3", "0.4.38", "0.99.0", "1.0"])
def test_versions_outside_it_are_told_the_range(version):
    with pytest.raises(
        ImportError, match=rf"{door.JAX_TESTED[0]} to {door.JAX_TESTED[1]}, and this is JAX {version}"
    ):
        door.check_jax(version)


def test_a_missing_library_gives_the_command_that_installs_it(monkeypatch):
    class Hide:
        def find_spec(self, name, path=None, target=None):
            if name == "neural_tangents":
                raise ModuleNotFoundError("hidden by this test", name=name)

    for name in [n for n in sys.modules if n.split(".")[0] == "neural_tangents"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Hide(), *sys.meta_path])
    with pytest.raises(ImportError, match=r"pip install --no-deps neural-tangents==0\.6\.5"):
        door.load()
    assert "neural_tangents.experimental" not in sys.modules


def test_another_release_of_the_library_is_refused(monkeypatch):
    monkeypatch.setattr(door.load(), "__version__", "0.7.0")
    with pytest.raises(ImportError, match=r"tested with neural-tangents 0\.6\.5, and this is 0\.7\.0"):
        door.load()


def test_the_stub_says_why_the_experimental_module_is_not_there():
    with pytest.raises(NotImplementedError, match="TensorFlow"):
        door.load().experimental.empirical_ntk_fn_tf  # noqa: B018
