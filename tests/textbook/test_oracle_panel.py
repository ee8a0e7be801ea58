import re
import sys

import jax.numpy as jnp
import numpy as np
import pytest

from ntkal.lookahead.dense import Lookahead
from ntkal.textbook.oracle import Oracle
from ntkal.textbook.oracle_panel import Panel, someone_is_there

pytestmark = pytest.mark.filterwarnings("default")  # a widget without a notebook has nobody to tell


@pytest.fixture
def panel(rng):
    x, truth = rng.normal(size=(30, 9)), rng.integers(0, 10, 30)
    post = Lookahead(jnp.asarray(rng.normal(size=(30, 10))), jnp.asarray(x @ x.T), ridge=0.1)
    return Panel(Oracle(post, truth, 22), rng.uniform(size=(30, 8, 8)))


def labels(panel):
    return [reply.label for reply in panel.oracle.replies]


def test_each_button_gives_its_digit(panel):
    for button in panel.buttons:
        button.click()
    assert labels(panel) == list(range(10))
    assert [button.description for button in panel.buttons] == list("0123456789")


def test_a_digit_in_the_field_answers_and_the_field_is_empty_again(panel):
    for text in ("3", " 7 ", "0"):
        panel.field.set_state({"value": text})  # what a notebook calls when somebody types
        assert panel.field.value == ""
    assert labels(panel) == [3, 7, 0]


@pytest.mark.parametrize("text", ["x", "10", "-1", "²", "3.5"])
def test_what_is_no_digit_is_no_answer_and_says_what_to_type(panel, text):
    panel.field.value = text
    assert labels(panel) == []
    assert panel.field.value == ""
    assert "Type a digit from 0 to 9, or u to undo." in panel.status.value


def test_the_last_answer_is_taken_back_by_the_button_or_the_letter(panel):
    before = panel.query.value
    assert panel.back.disabled
    for undo in (panel.back.click, lambda: setattr(panel.field, "value", "U")):
        panel.buttons[4].click()
        assert panel.query.value != before
        assert not panel.back.disabled
        undo()
        assert labels(panel) == []
        assert panel.query.value == before
        assert "Taken back" in panel.status.value


def test_the_status_says_what_the_answer_did(panel):
    truth = int(panel.oracle.truth[panel.oracle.query])
    panel.buttons[(truth + 1) % 10].click()
    reply = panel.oracle.replies[0]
    assert str(reply) in panel.status.value
    assert f"You said {(truth + 1) % 10}, it was a {truth}" in panel.status.value
    assert (
        f"{reply.changed} held-out predictions changed; accuracy {reply.accuracy:.1%}" in panel.status.value
    )
    assert 'role="status"' in panel.status.value


def test_the_pictures_have_texts_that_do_not_give_the_answer_away(panel):
    panel.buttons[0].click()
    shown = re.sub(r'src="[^"]*"', "", panel.query.value)
    assert re.sub("<[^>]*>", "", shown) == "Question 2: which digit is this?"
    assert re.findall(r'alt="([^"]*)"', shown) == ["the digit to label"]
    assert f"{panel.oracle.accuracy:.1%} now" in re.search(r'alt="([^"]*)"', panel.curve.value)[1]


def test_a_panel_shown_again_begins_its_curve_at_the_beginning(panel):
    panel.buttons[0].click()
    again = Panel(panel.oracle, panel.images)
    assert again.curve.value == panel.curve.value
    assert f"{panel.oracle.at_first:.1%} at first" in again.curve.value


def test_when_all_are_labelled_the_panel_says_so_and_can_still_undo(panel):
    for _ in range(22):
        panel.field.value = "1"
    assert "Every candidate has a label" in panel.query.value
    assert all(button.disabled for button in panel.buttons)
    panel.field.value = "1"
    assert len(labels(panel)) == 22
    panel.back.click()
    assert not any(button.disabled for button in panel.buttons)


def test_there_is_an_image_for_each_input_and_a_channel_may_follow(panel, as_user):
    again = Panel(panel.oracle, panel.images[..., None])
    assert again.query.value == panel.query.value
    for images in (panel.images[:7], panel.images[0], panel.images[..., None, None]):
        with pytest.raises(ValueError, match="images: expected shape .30, height, width., got"):
            Panel(panel.oracle, images)


def test_the_field_names_the_classes_that_there_are():
    post = Lookahead(jnp.array([[0.5, 0.5]] * 3), jnp.eye(3) + 1.0, ridge=0.1)
    small = Panel(Oracle(post, np.array([0, 1, 1]), 2), np.zeros((3, 8, 8)))
    small.field.value = "2"
    assert "Type a digit from 0 to 1, or u to undo." in small.status.value


def test_without_ipywidgets_the_message_says_what_to_install(panel, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(ImportError, match="pip install ipywidgets"):
        Panel(panel.oracle, panel.images)


class Shell:
    def __init__(self, request):
        self.request = request

    def get_parent(self):
        return self.request


@pytest.mark.parametrize(
    ("request_", "there"),
    [
        ({"content": {"allow_stdin": True}}, True),
        ({"content": {"allow_stdin": False}}, False),
        ({"content": {}}, False),
        ({}, False),
    ],
)
def test_a_person_is_known_by_the_request_for_the_cell(monkeypatch, request_, there):
    monkeypatch.setattr("IPython.get_ipython", lambda: Shell(request_))
    assert someone_is_there() is there


def test_a_terminal_is_nobody(monkeypatch):
    monkeypatch.setattr("IPython.get_ipython", lambda: object())
    assert someone_is_there() is False
    monkeypatch.delitem(sys.modules, "IPython")
    assert someone_is_there() is False
