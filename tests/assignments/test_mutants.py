"""Model answers are broken in many ways; those that keep full marks have a reason."""

import pytest
from breakage import broken
from mutants import REASONS, SAME, SHARE, reasons, trials
from run_cells import Paper, run

SOURCE = '''
def rate(values, ridge):
    """What it is."""
    total = 0.0
    for one in values[1:]:
        total += one / (ridge + 2)
    print("not to be broken", 3)
    return total
'''


def test_slips_compile_differ_and_name_their_place():
    slips = broken(SOURCE)
    assert len({slip.source for slip in slips}) == len(slips) > 40
    assert len({slip.kind for slip in slips}) > 10
    names = {slip.name for slip in slips}
    assert {"off by one: 2 => 3", "dropped: ridge + 2 => ridge", "whole: 1: => :"} <= names
    assert not [slip for slip in slips if "not to be broken', 3" not in slip.source]


def test_a_draw_has_every_kind_once_before_it_has_one_twice_and_is_the_same_again():
    kinds = [slip.kind for slip in broken(SOURCE, 12)]
    assert len(set(kinds)) == 12
    assert broken(SOURCE, 30) == broken(SOURCE, 30)


def test_an_answer_without_end_is_stopped():
    assert run("while True:\n    pass", {}, limit=0.2).startswith("TooLong")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(path.stem for path in REASONS.glob("*.toml")))
def test_what_survives_has_its_reason(name):
    paper, known = Paper(name), reasons(name)
    for cell in paper.solutions:
        done = trials(paper, cell, 12)
        assert len(done) >= 10, cell
        alive = {one.slip.name for one in done if not one.lost}
        assert alive <= set(known.get(cell, {})), cell
    wrong = [why for cell in known.values() for why in cell.values() if not why.startswith(SAME)]
    assert len(wrong) <= SHARE * 50 * len(paper.solutions)
