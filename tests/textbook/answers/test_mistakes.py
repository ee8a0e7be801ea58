import numpy as np
import pytest

from ntkal.textbook.answers import CHECKERS
from ntkal.textbook.answers.mistakes import checkers, mistakes


def test_every_exercise_of_the_file_has_a_right_answer_and_the_other_way_round():
    assert list(mistakes()) == list(CHECKERS)
    assert {name: list(checker.mistakes) for name, checker in CHECKERS.items()} == {
        name: list(texts) for name, texts in mistakes().items()
    }


def test_functions_are_looked_up_in_the_part_then_in_what_is_shared_then_in_numpy():
    right = {"12.3": lambda cov, ridge, c, *, apart=1, own=False: cov + ridge + apart}
    made = checkers(right, {}, {"12.3": 0.5})["12.3"]
    assert made.rtol == 0.5
    assert made.mistakes["You left the ridge out of the denominator."](cov=1, ridge=5, c=0) == 2.0
    right = {"2.3": lambda kernel, cond, *, smallest=1, raised=1: kernel}
    told = "The sign is reversed: the ridge that is asked for is positive."
    assert checkers(right, {})["2.3"].mistakes[told](kernel=2, cond=3) == -2
    assert checkers(right, {"negative": np.sqrt})["2.3"].mistakes[told](kernel=4, cond=3) == 2.0


def test_a_function_that_is_nowhere_and_an_exercise_without_mistakes_are_found_at_import():
    with pytest.raises(AttributeError, match="at_inverse_top"):
        checkers({"5.3": lambda k_train, level: 1}, {})
    with pytest.raises(KeyError, match=r"1\.1"):
        checkers({"1.1": lambda x: x}, {})
