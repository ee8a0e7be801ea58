import matplotlib as mpl
import pytest

mpl.use("agg")

import matplotlib.pyplot as plt


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def words(figure):
    """The boxes of the words of a drawn figure: ticks, titles, axes' names, legends, notes."""
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    found = []
    for ax in figure.axes:
        legend = ax.get_legend()
        texts = [ax.title, ax.xaxis.label, ax.yaxis.label, *ax.texts]
        # Matplotlib keeps ticks beyond the ends of an axis, which it does not draw.
        (left, right), (low, high) = sorted(ax.get_xlim()), sorted(ax.get_ylim())
        texts += [text for text in ax.get_xticklabels() if left <= text.get_position()[0] <= right]
        texts += [text for text in ax.get_yticklabels() if low <= text.get_position()[1] <= high]
        texts += legend.get_texts() if legend else []
        found += [text for text in texts if text.get_text() and text.get_visible()]
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in found]
    return [(text, box) for text, box in boxes if box.width > 0]


@pytest.fixture
def check_words():
    """A function that fails when words of a figure overlap or leave it."""

    def check(figure):
        boxes = words(figure)
        assert len(boxes) > 5
        for place, (text, box) in enumerate(boxes):
            inside = min(box.x0, box.y0) >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
            assert inside, f"{text!r} leaves the figure"
            for other, beside in boxes[place + 1 :]:
                # Two pixels of shared white space above or below letters are no overlap.
                apart = (
                    box.x1 <= beside.x0
                    or beside.x1 <= box.x0
                    or box.y1 <= beside.y0 + 2
                    or beside.y1 <= box.y0 + 2
                )
                assert apart, f"{text!r} lies on {other!r}"

    return check
