from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from ntkal.textbook.answers import CHECKERS
from ntkal.textbook.check import Checker, ClaimError, WrongAnswer, answer, claim


def test_a_claim_prints_the_figure_and_its_bound(capsys):
    assert claim("the ratio is", 123.4, at_least=100) == 123.4
    assert capsys.readouterr().out == "Claim holds: the ratio is 123.4 (at least 100).\n"


@pytest.mark.parametrize(
    "bounds",
    [
        {"at_least": 2},
        {"at_most": 0.5},
        {"equals": 1.5},
        {"equals": 1.2, "tolerance": 0.1},
        {"at_least": 0, "at_most": 0.9},
    ],
)
def test_a_claim_that_does_not_hold_fails_the_page(bounds):
    with pytest.raises(ClaimError, match="Claim fails: x 1 "):
        claim("x", 1.0, **bounds)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_claim_about_nothing_fails(value):
    with pytest.raises(ClaimError):
        claim("x", value, at_least=0)


def test_a_claim_needs_a_bound():
    with pytest.raises(ValueError, match="cannot fail"):
        claim("x", 1.0)


@pytest.mark.parametrize(
    "value",
    [2, True + 1, np.float32(2), jnp.asarray(2.0), np.array([2.0]), pd.Series([2]), 2 + 0j, Fraction(2), [2]],
    ids=lambda value: type(value).__name__,
)
def test_a_claim_takes_one_real_number_in_any_form(value, capsys):
    assert claim("x is", value, equals=2) == 2.0
    assert capsys.readouterr().out == "Claim holds: x is 2 (equal to 2).\n"


@pytest.mark.parametrize("value", [None, "2", 2 + 1j, [2, 2], [], pd.NaT, "two", len], ids=repr)
def test_a_claim_about_no_real_number_says_what_came(value, as_user):
    with pytest.raises(ValueError, match="value: expected (one real )?number"):
        claim("x is", value, equals=2)


def test_a_bound_takes_the_same_forms(capsys, as_user):
    claim(
        "x is",
        2,
        at_least=np.array([1.0]),
        at_most=jnp.float32(3),
        equals=np.int64(2),
        tolerance=np.float64(0.5),
    )
    said = "at least 1 and at most 3 and equal to 2 within 0.5"
    assert capsys.readouterr().out == f"Claim holds: x is 2 ({said}).\n"


def test_a_claim_of_what_is_traced_says_where_to_claim():
    with pytest.raises(ValueError, match=r"value: expected numbers, .* outside of jit"):
        jax.jit(lambda x: claim("x is", x, at_least=0))(1.0)


@pytest.mark.parametrize(
    "bounds",
    [
        {"at_least": -np.inf},
        {"at_most": np.nan},
        {"equals": "1"},
        {"equals": 1, "tolerance": np.inf},
        {"equals": 1, "tolerance": -1.0},
        {"at_least": 1, "tolerance": 0.1},
    ],
    ids=str,
)
def test_a_bound_that_bounds_nothing_is_refused(bounds, as_user):
    with pytest.raises(ValueError, match="^(at_least|at_most|equals|tolerance): "):
        claim("x is", 1.0, **bounds)


DOUBLE = Checker(
    expected=lambda x: 2 * x,
    mistakes={"You squared instead of doubling.": lambda x: x**2},
)


def test_a_right_answer_is_right_within_the_tolerance():
    x = np.array([3.0, 5.0])
    assert DOUBLE.problem(2 * x, x=x) is None
    assert DOUBLE.problem(2 * x * (1 + 1e-9), x=x) is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.array([9.0, 25.0]), "squared"),
        (np.array([6.0, 10.1]), "largest difference from the right answer is 0.1"),
        (np.array([6.0]), "Expected shape"),
        (np.array([6.0, np.nan]), "NaN"),
        ("six", "Expected numbers"),
    ],
)
def test_a_wrong_answer_is_named(value, message):
    assert message in DOUBLE.problem(value, x=np.array([3.0, 5.0]))


PLAIN = np.array([3.0, 5.0])
FORMS = {
    "list": [6.0, 10.0],
    "tuple": (6, 10),
    "whole numbers": np.array([6, 10]),
    "float32": np.array([6, 10], np.float32),
    "pandas": pd.Series([6, 10], dtype="Int64"),
    "JAX": jnp.array([6.0, 10.0]),
    "no imaginary part": np.array([6 + 0j, 10 + 1e-9j]),
    "objects": np.array([Fraction(6), Fraction(10)], object),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_right_answer_is_right_in_every_form(form):
    assert DOUBLE.problem(FORMS[form], x=PLAIN) is None
    for x in (PLAIN.tolist(), jnp.asarray(PLAIN), pd.Series(PLAIN), PLAIN.astype(np.float32)):
        assert DOUBLE.problem(FORMS[form], x=x) is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "Expected numbers, got None: does your function return"),
        (["6", "10"], "Expected numbers, got list"),
        (np.array([True, False]), "Expected numbers, got true or false."),
        ([[6.0], [10.0, 1.0]], "Expected numbers, got list"),
        (np.array([6 + 0.5j, 10]), "Expected real numbers, got imaginary parts up to 0.5."),
        (pd.Series([6, None], dtype="Int64"), "NaN"),
        (np.array(["2020", "2021"], "M8[Y]"), "Expected numbers, got ndarray of datetime64"),
        (np.array([6.00005, 10], np.float16), "That is right but for the rounding of float16"),
        (np.array([6.00001, 10], np.float32), "That is right but for the rounding of float32: compute it in"),
        (np.array([6.001, 10], np.float32), "largest difference"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_answer_says_what_came(value, message):
    # In float16, 6 and 10 are exact: the answer is moved by what it rounds.
    value = value + np.float16(0.01) if getattr(value, "dtype", None) == np.float16 else value
    assert message in DOUBLE.problem(value, x=PLAIN)


def test_truth_values_are_an_answer_where_they_are_asked_for():
    mask = Checker(lambda x: x > 4)
    assert mask.problem([False, True], x=PLAIN) is None
    assert mask.problem([0, 1], x=PLAIN) is None
    assert "largest difference" in mask.problem([True, True], x=PLAIN)


def test_an_answer_that_is_traced_says_where_to_check():
    said = []
    jax.jit(lambda y: said.append(DOUBLE.problem(y, x=PLAIN)) or y)(PLAIN)
    assert "outside of jit" in said[0]
    with pytest.raises(ValueError, match="given: .* outside of jit"):
        jax.jit(lambda x: DOUBLE.problem(PLAIN, x=x))(PLAIN)


@pytest.mark.parametrize("given", [{}, {"y": 1.0}, {"x": 1.0, "y": 2.0}, {"x": 1.0, "factor": 2}], ids=str)
def test_givens_are_those_of_the_exercise_and_no_option_of_a_mistake(given):
    double = Checker(lambda x, *, factor=2: factor * x, {"Three.": {"factor": 3}})
    with pytest.raises(ValueError, match=r"^given: expected x; got"):
        double.problem(2.0, **given)


def test_givens_without_a_right_answer_are_refused():
    with pytest.raises(ValueError, match="given: the right answer is not finite"):
        Checker(lambda x: np.nan * x).problem(1.0, x=1.0)


def test_a_mistake_says_what_it_changes():
    checker = Checker(
        lambda x, n, *, power=2: x**power + n,
        {
            "Cube.": {"power": 3},
            "One less.": {"n": lambda n: n - 1},
            "Seven.": {"n": 7},
            "Negative.": {"then": np.negative},
            "Both.": {"power": 3, "then": lambda y: y / 4},
            "Root.": lambda x, n: x**0.5 + n,
            "Impossible.": lambda x, n: {}[x],
        },
    )
    wrong = {"Cube.": 32, "One less.": 13, "Seven.": 16, "Negative.": -14, "Both.": 8.0, "Root.": 3**0.5 + 5}
    assert {text: checker.problem(y, x=3, n=5) for text, y in wrong.items()} == {text: text for text in wrong}
    assert {text: checker.mistakes[text](x=3, n=5) for text in wrong} == wrong
    assert "largest difference" in checker.problem(99.0, x=3, n=5)


def test_a_mistake_is_known_within_the_tolerance_of_its_own_size():
    hours = Checker(lambda s: s / 3600, {"Seconds.": {"then": lambda h: 3600 * h}}, rtol=0.005)
    assert hours.problem(7230.0, s=7200.0) == "Seconds."


def test_a_mistake_that_happens_to_be_right_is_right():
    assert DOUBLE.problem(4.0, x=2.0) is None


def test_answer_looks_the_exercise_up(monkeypatch, capsys):
    monkeypatch.setitem(CHECKERS, "9.2", DOUBLE)
    answer("9.2", 6.0, x=3.0)
    assert capsys.readouterr().out == "Exercise 9.2: correct.\n"
    with pytest.raises(WrongAnswer, match="squared") as caught:
        answer("9.2", 9.0, x=3.0)
    assert caught.value._render_traceback_() == ["Not yet. You squared instead of doubling."]


@pytest.mark.parametrize("name", ["99.1", "nine", "9", "", 9.2, None, "09.2"])
def test_an_unknown_exercise_is_refused_with_those_that_there_are(name, as_user):
    with pytest.raises(ValueError, match=r"name: no exercise .*; expected a text, one of 1.2, 1.3, 2.2"):
        answer(name, 1.0)
