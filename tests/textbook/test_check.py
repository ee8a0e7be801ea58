import numpy as np
import pytest

from ntkal.textbook import check
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


def test_a_mistake_that_happens_to_be_right_is_right():
    assert DOUBLE.problem(4.0, x=2.0) is None


def test_answer_looks_the_exercise_up(monkeypatch, capsys):
    monkeypatch.setattr(check, "checker", lambda name: DOUBLE)
    answer("9.2", 6.0, x=3.0)
    assert capsys.readouterr().out == "Exercise 9.2: correct.\n"
    with pytest.raises(WrongAnswer, match="squared") as caught:
        answer("9.2", 9.0, x=3.0)
    assert caught.value._render_traceback_() == ["Not yet. You squared instead of doubling."]


@pytest.mark.parametrize("name", ["99.1", "nine", "9", ""])
def test_an_unknown_exercise_is_refused(name):
    with pytest.raises(ValueError, match="no exercise"):
        answer(name, 1.0)
