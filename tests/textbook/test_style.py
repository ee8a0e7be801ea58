import matplotlib as mpl
import pytest

from ntkal import acquisition
from ntkal.textbook import plots, style

FIGURES = {
    "1a": ["random", "ntk", "ntk_block", "ntk_refit", "retrain", "retrain_centred"],
    "1b": ["random", "ntk", "infinite", "step", "gp"],
    "2": ["random", "entropy", "margin", "badge", "bald", "ll4al", "mlmoc", "mlmoc_norm"],
    "3a": ["random", "sequential", "hallucinated", "batch", "margin", "badge"],
}


def test_every_strategy_has_its_own_look_even_in_grey():
    found = {name: style.look(name) for name in acquisition.names()}
    in_grey = {(str(look["linestyle"]), look["marker"]) for look in found.values()}
    colours = {str(look["color"]) for look in found.values()}
    assert len(in_grey) == len(found)
    assert len(colours) == len(found)


def test_other_names_take_looks_that_differ():
    names = ["width 16", "random", "width 32", "width 64"]
    found = [style.look(name, names) for name in names]
    assert len({(look["marker"], str(look["linestyle"])) for look in found}) == 4
    assert style.look("random", names) == style.look("random")


@pytest.mark.parametrize("figure", FIGURES)
def test_the_series_of_a_figure_differ_in_colour_and_in_marker_alone(figure):
    found = [style.look(name) for name in FIGURES[figure]]
    assert len({str(look["color"]) for look in found}) == len(found)
    assert len({look["marker"] for look in found}) == len(found)


def test_no_two_series_of_the_book_share_dash_and_marker():
    found = [style.look(name) for name in style.SERIES]
    assert len({(str(look["linestyle"]), look["marker"]) for look in found}) == len(found)
    assert set(acquisition.names()) <= set(style.SERIES)


def test_every_series_of_the_book_has_its_own_words():
    words = {name: style.caption(name) for name in style.SERIES}
    assert len(set(words.values())) == len(words)
    assert not [name for name, word in words.items() if word == name]
    assert style.caption("width 16") == "width 16"


def test_the_names_that_chapters_use_are_within_reach_of_plots():
    assert plots.look is style.look
    with mpl.rc_context():
        plots.use_style()
        assert mpl.rcParams["figure.facecolor"] == "white"
