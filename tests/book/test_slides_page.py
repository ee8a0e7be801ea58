"""The decks in a real browser: complete, offline, nothing outside its box, to be read from the back row."""

import base64
import io

import matplotlib.pyplot as plt
import pytest
import slides
from chromium import launch
from project import Project

pytestmark = pytest.mark.slow

# What a slide looks like: where its lowest part ends, what is wider than its box, its smallest letters. Of a
# formula what is seen counts, not the copy for screen readers.
MEASURE = """() => {
  const slide = Reveal.getCurrentSlide();
  const top = slide.getBoundingClientRect().top;
  const find = (what) => [...slide.querySelectorAll(what)];
  const texts = find("p, li, td");
  const tooWide = (part) => part.getBoundingClientRect().right > 1280 - 60;
  const words = texts.map((part) => {
    const copy = part.cloneNode(true);
    copy.querySelectorAll("mjx-container, code").forEach((inside) => inside.remove());
    return copy.textContent;
  });
  return {
    title: slide.querySelector("h1, h2").textContent,
    bottom: Math.max(...[...slide.children].map((part) => part.getBoundingClientRect().bottom - top)),
    wide: find("pre *, p, li, td, img, mjx-math, mjx-math *").filter(tooWide).map((part) => part.textContent),
    letters: Math.min(...texts.map((part) => parseFloat(getComputedStyle(part).fontSize)), 99),
    formulas: find("mjx-container").length,
    faults: find("mjx-merror, [data-mjx-error]").length,
    words: words.join(" "),
    pictures: find("img").map((image) => [image.alt, image.getBoundingClientRect().height]),
  };
}"""


def stand_in(page):
    """Outputs of the usual size for each code cell, so that no chapter has to be run."""
    picture = io.BytesIO()
    figure, axes = plt.subplots(figsize=(9.6, 3.9))
    axes.plot([0, 1])
    figure.savefig(picture, format="png", dpi=100)
    plt.close(figure)
    data = {"image/png": base64.b64encode(picture.getvalue()).decode()}
    drawn = {"output_type": "display_data", "metadata": {}, "data": data}
    printed = {
        "output_type": "stream",
        "name": "stdout",
        "text": "Claim holds: this is 0.5 (at least 0.1).\n" * 4,
    }
    cells = [cell for cell in page.cells if cell.kind == "code"]
    return [[drawn] if "figure" in cell.metadata.get("mystnb", {}) else [printed] for cell in cells]


@pytest.fixture(scope="module")
def decks(tmp_path_factory):
    """All decks of the book."""
    folder = tmp_path_factory.mktemp("slides")
    made = slides.make(Project(), set(), folder, lambda project, page: stand_in(page))
    assert [path.stem[:4] for path in made] == [f"ch{chapter:02d}" for chapter in range(1, 13)]
    return made


@pytest.fixture(scope="module")
def browser():
    with launch() as found:
        yield found


def opened(browser, path, faults):
    """A page of the size of a projector; what goes wrong is noted."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.on(
        "console",
        lambda message: faults.append(message.text) if message.type in {"error", "warning"} else None,
    )
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("requestfailed", lambda request: faults.append(f"failed: {request.url}"))
    local = ("file:", "data:")
    page.on("request", lambda request: None if request.url.startswith(local) else faults.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-deck=ready]")
    return page


@pytest.mark.parametrize("chapter", range(1, 13))
def test_a_deck_shows_all_it_has(browser, decks, chapter):
    faults = []
    page = opened(browser, decks[chapter - 1], faults)
    count, formulas = page.evaluate("Reveal.getTotalSlides()"), 0
    for index in range(count):
        assert page.evaluate("Reveal.getIndices().h") == index
        slide = page.evaluate(MEASURE)
        where = f"{chapter}: {slide['title']}"
        assert slide["bottom"] <= 720, where
        assert slide["wide"] == [], where
        assert slide["letters"] >= 14, where
        assert not slide["faults"], where
        assert "$" not in slide["words"], where
        assert all(alt.strip() and height >= 100 for alt, height in slide["pictures"]), where
        formulas += slide["formulas"]
        page.keyboard.press("ArrowRight")
    assert page.evaluate("Reveal.getIndices().h") == count - 1
    assert formulas >= 5
    assert faults == []
    page.close()


def test_the_list_of_decks_leads_to_each(browser, decks):
    page = browser.new_page()
    page.goto(decks[0].with_name("index.html").as_uri())
    links = page.eval_on_selector_all("a", "all => all.map((link) => link.href)")
    assert links == [path.as_uri() for path in decks]
    page.close()
