"""Hidden tests: any container and precision, slips that explain every case, forbidden calls, memory."""

import jax.numpy as jnp
import ntkal.neural_tangents
import numpy as np
import pytest

from ntkal.textbook.check import Checker, WrongAnswer
from ntkal.textbook.grading import grade, peak_memory, steps, unchanged, without

CASES = [(np.array([1.0, -2.0, 3.0]),), (np.array([0.5, 0.1]),)]
SLIPS = {"You took the absolute value.": np.abs, "The sign is reversed.": lambda x: -x}


@pytest.mark.parametrize(
    "form",
    [
        np.asarray,
        list,
        jnp.asarray,
        lambda x: x.astype(np.float32),
        lambda x: x + 0j,
        lambda x: tuple(map(float, x)),
    ],
)
def test_the_container_and_the_type_do_not_matter(form):
    grade(lambda x: form(x), lambda x: x, SLIPS, CASES)


def test_a_slip_has_to_explain_every_case():
    with pytest.raises(WrongAnswer, match=r"^NTK: The sign is reversed\.$"):
        grade(lambda x: -x, lambda x: x, SLIPS, CASES, name="NTK")
    with pytest.raises(WrongAnswer, match="largest difference"):
        grade(lambda x: -x if len(x) == 3 else x, lambda x: x, SLIPS, CASES)


def test_a_case_of_small_numbers_weighs_as_much_as_one_of_large_numbers():
    cases = [(np.array([1e6, 2e6]),), (np.array([1e-6, 2e-6]),)]
    with pytest.raises(WrongAnswer):
        grade(lambda x: np.where(x > 1, x, 0), lambda x: x, {}, cases)


@pytest.mark.parametrize("answer", [None, np.zeros(4), [np.nan, 0, 0], "three", np.array([1, 2j, 3])])
def test_what_is_no_such_array_is_refused_in_words(answer):
    with pytest.raises(WrongAnswer):
        grade(lambda x: answer, lambda x: x, {}, CASES[:1])


def test_a_checker_that_finds_nothing_is_found(monkeypatch):
    monkeypatch.setattr(Checker, "problem", lambda *a, **k: None)
    with pytest.raises(RuntimeError, match="changed by the notebook"):
        grade(lambda x: x, lambda x: x, {}, CASES)


def test_an_argument_that_is_changed_is_found_and_a_copy_is_not():
    with pytest.raises(WrongAnswer, match="copy"):
        unchanged(lambda a: a.sort(), np.array([2, 1]))
    unchanged(np.sort, np.array([2, 1]))


def forgiving(a):
    try:
        return inverse(a)
    except Exception:
        return a


inverse = np.linalg.inv


def test_a_forbidden_call_is_found_under_any_name_and_behind_a_try_and_given_back():
    refused = pytest.raises(WrongAnswer, match=r"calls numpy\.linalg\.inv: solve")
    with refused, without(forgiving, "numpy.linalg.inv", why="solve"):
        forgiving(np.eye(2))
    assert np.array_equal(forgiving(2 * np.eye(2)), np.eye(2) / 2)
    with without(forgiving, "numpy.linalg.pinv", why="solve"):
        forgiving(np.eye(2))


def made(x):
    return kernel_fn(x)


def kernel_fn(x):
    return x


def test_a_function_that_a_forbidden_package_made_before_is_found(monkeypatch):
    monkeypatch.setattr(kernel_fn, "__module__", "neural_tangents.stax")
    refused = pytest.raises(WrongAnswer, match="calls neural_tangents: write it")
    with refused, without(made, "neural_tangents.*", why="write it"):
        made(1)


@pytest.mark.parametrize("ones", [np.ones, jnp.ones])
def test_memory_is_seen_whoever_holds_it(ones):
    assert peak_memory(lambda: (2 * ones(20_000_000)).sum()) > 100e6
    assert peak_memory(lambda: (2 * ones(20_000)).sum()) < 50e6


def test_calls_up_to_the_number_that_is_allowed_are_made():
    with without(forgiving, "numpy.linalg.inv", why="once", most=1):
        assert np.array_equal(forgiving(2 * np.eye(2)), np.eye(2) / 2)
    with pytest.raises(WrongAnswer, match="once"), without(forgiving, "numpy.linalg.inv", why="once", most=1):
        forgiving(forgiving(np.eye(2)))


def test_steps_grow_with_a_loop_and_not_with_an_array():
    def loop(x):
        return [2 * one for one in x]

    assert steps(loop, np.ones(100)) > 3 * steps(loop, np.ones(10))
    assert steps(lambda x: 2 * x + x @ x, np.ones(100)) == steps(lambda x: 2 * x + x @ x, np.ones(10))


def by_library(x):
    return ntkal.neural_tangents.stax.Dense(x)


def test_what_the_package_serves_of_another_is_forbidden_like_its_own():
    forbidden = "ntkal.neural_tangents.stax.Dense"
    with pytest.raises(WrongAnswer, match="by hand"), without(by_library, forbidden, why="by hand"):
        by_library(3)
