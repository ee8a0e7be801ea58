"""Configuration files of any content: read, or refused by a ValueError that names the file or the setting."""

import dataclasses

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jaxtyping import config

from ntkal.experiments import sweep
from ntkal.experiments.config import RunConfig, as_config
from ntkal.training.sgd import TrainConfig

SWEEP = b"""seeds = [0, 1]
[run]
data = "digits"
model = "mlp"
query = 10
subset = "all"
relative_ridge = 1e-2
[run.train]
steps = 20
learning_rate = 0.1
nesterov = true
[[series]]
name = "margin"
strategy = "margin"
[[series]]
name = "one by one"
mode = "sequential"
[small]
seeds = [7]
"""
RUN = SWEEP.split(b"[run]\n")[1].split(b"[[series]]")[0].replace(b"[run.train]", b"[train]")
SETTINGS = [field.name for kind in (RunConfig, TrainConfig) for field in dataclasses.fields(kind)]
NAMES = [*SETTINGS, "seeds", "run", "series", "grid", "name", "small", "config", "size"]
values = st.sampled_from(
    (
        *("0", "-1", "2.5", "1e400", "nan", "1979-05-27", "true", '""', '"all"', "[]", "[[1]]", "{}"),
        *("9" * 5000, "0x" + "f" * 5000, "10" * 200, "[" * 3000 + "]" * 3000, '"\\u0000"', '"../../up"'),
    )
)


def refused_by_name(read, path):
    """Read a file; a refusal must be a ValueError, one line long, that says where to look."""
    try:
        return read(path)
    except ValueError as error:
        said = str(error)
    assert "\n" not in said
    named = said.split(":")[0].split(".")[-1] in NAMES or ": no such setting" in said
    assert named or str(path) in said
    return None


def inside(jobs, folder):
    """Every run's folder is directly below that of the sweep."""
    for job in jobs or []:
        assert (folder / job.folder).resolve().parent == folder.resolve()
        assert not set(job.folder) & set("/\\\0")


@pytest.fixture(scope="module", autouse=True)
def as_any_user():
    """With the test run's type checker off: our own messages must do."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


def check(content, place):
    path = place / "some.toml"
    path.write_bytes(content)
    refused_by_name(as_config, path)
    inside(refused_by_name(sweep.read, path), place)
    inside(refused_by_name(lambda file: sweep.read(file, size="small"), path), place)


@given(
    content=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
)
@example(content=b"run = 5\n[grid]\nseed = [1]")
@example(content=b"grid = 5")
@example(content=b"series = 5")
@example(content=b"series = [1, 2]")
@example(content=b"series = 'ab'")
@example(content=b'[[series]]\nname = "..\\\\..\\\\up"')
def test_files_of_anything(content, place):
    check(content, place)


@given(whole=st.sampled_from([RUN, SWEEP]), data=st.data())
def test_files_with_some_bytes_changed(whole, data, place):
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        match data.draw(st.sampled_from(["set", "cut", "insert", "double"])):
            case "set":
                content[at] = data.draw(st.integers(0, 255))
            case "cut":
                del content[at : at + data.draw(st.integers(1, 20))]
            case "insert":
                content[at:at] = data.draw(st.binary(min_size=1, max_size=4))
            case "double":
                content[at:at] = content[at : at + 30]
        if not content:
            break
    check(bytes(content), place)


@given(
    setting=st.sampled_from(NAMES),
    value=values,
    table=st.sampled_from(["", "[train]\n", "[run]\n", "[grid]\n"]),
)
def test_settings_with_values_of_any_kind(setting, value, table, place):
    check(f"{table}{setting} = {value}\n".encode(), place)


def test_a_file_that_may_not_be_read_and_numbers_beyond_all_use_are_named(place):
    path = place / "huge.toml"
    for text, message in (
        (f"relative_ridge = {'10' * 200}", "relative_ridge: a whole number of .* bits is too large"),
        (f"width = 0x{'f' * 5000}", "width: a whole number of 20000 bits is too large"),
        (f"width = {'9' * 5000}", "huge.toml is not valid TOML"),
        ("width = " + "[" * 3000, "huge.toml is not valid TOML"),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            as_config(path)
