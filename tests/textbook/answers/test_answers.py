import numpy as np
import pytest

from ntkal.textbook.answers import CHECKERS, read


def test_each_exercise_of_the_file_has_its_mistakes_and_its_tolerance():
    assert len(CHECKERS) == 42
    assert min(len(checker.mistakes) for checker in CHECKERS.values()) >= 2
    assert {name for name, one in CHECKERS.items() if one.rtol != 1e-6} == {
        "3.3",
        "5.3",
        "8.3",
        "12.2",
        "13.3",
    }


def test_functions_are_those_of_the_parts_or_of_numpy_alone_or_under_a_name():
    exercise = {"right": "worst", "rtol": 0.5, "Half.": {"then": "half"}, "Root.": {"ridge": "sqrt"}}
    made = read(exercise | {"Own.": {"c": 0, "apart": 1.0}, "Exponent.": "exp"})
    given = {"cov": np.eye(2), "ridge": 4.0, "c": 1}
    assert made.rtol == 0.5
    assert made.expected(**given) == 2**0.5 / 5
    assert made.mistakes["Half."](**given) == 2**0.5 / 10
    assert made.mistakes["Root."](**given) == 2**0.5 / 3
    assert made.mistakes["Own."](**given) == 1 / 5
    assert made.mistakes["Exponent."] is np.exp


def test_a_function_that_is_nowhere_and_an_exercise_without_an_answer_are_found_at_import():
    with pytest.raises(KeyError, match="at_noon"):
        read({"right": "half", "Twelve.": {"value": "at_noon"}})
    with pytest.raises(KeyError, match="right"):
        read({"Half.": {"then": "half"}})
