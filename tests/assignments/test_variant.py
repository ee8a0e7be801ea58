"""The parameters cell of a variant, and its numbers in the text."""

import numpy as np
import pytest
from assignment_source import draw, substitute
from myst import Cell
from project import BookError


def parameters(*rows):
    return Cell("code", "\n".join(rows), 1, {"tags": ["parameters"]})


CELL = parameters(
    "# The numbers.", "SIZE = int(rng.integers(5, 500))  # how many", "TWICE = 2 * SIZE", "NAME = 'digits'"
)


def test_rules_become_values_and_comments_stay():
    text, values = draw(CELL, 3, "here")
    size = int(np.random.default_rng(3).integers(5, 500))
    assert values == {"SIZE": size, "TWICE": 2 * size, "NAME": "digits", "SEED": 3}
    assert text.split("\n") == [
        "# The numbers.",
        f"SIZE = {size}  # how many",
        f"TWICE = {2 * size}",
        "NAME = 'digits'",
        "SEED = 3  # the variant",
    ]


def test_the_same_seed_draws_the_same_and_another_does_not():
    assert draw(CELL, 3, "here") == draw(CELL, 3, "here")
    assert draw(CELL, 3, "here")[1]["SIZE"] != draw(CELL, 4, "here")[1]["SIZE"]


@pytest.mark.parametrize(
    ("row", "problem"),
    [("import os", "a line of the parameters cell"), ("SIZE = rng.integers(3)", "make it a plain number")],
)
def test_what_cannot_be_a_parameter_is_refused(row, problem):
    with pytest.raises(BookError, match=f"here: .*{problem}"):
        draw(parameters(row), 0, "here")


def test_expressions_in_the_text_are_evaluated():
    assert substitute("about {{ round(np.log(N), 2) }} of {{ N }}", {"N": 10}, "x") == "about 2.3 of 10"
    with pytest.raises(BookError, match="here: name 'M' is not defined"):
        substitute("{{ M }}", {"N": 10}, "here")
