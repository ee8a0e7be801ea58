"""The explorable figures operated in a real browser: keyboard, pointer, phone, print, and without scripts."""

import re
import shutil
import subprocess
import sys

import chromium
import explore_reference as reference
import pytest
from project import ROOT

import notebooks

FIGURES = ("regression", "linearised", "pool")
WORSE = ("warning", "error")
LIVE = "figure.explorable-{} .explore-live"
PAGE = "# Explorables\n\n{}\n\nPress {{numref}}`fig-pool`.\n"
FIGURE = """```{{explorable}} {name}
:name: fig-{name}
:alt: What {name} shows.

Caption of {name}, with $x$.
```
"""
CONF = """import sys
sys.path.insert(0, {ext!r})
extensions = ["myst_parser", "explore"]
myst_enable_extensions = ["dollarmath"]
html_theme = "sphinx_book_theme"
html_static_path = ["_static"]
numfig = True
mathjax_path = "nothing.js"
"""


def render(folder, text):
    (folder / "_static").mkdir()
    shutil.copytree(reference.FOLDER, folder / "_static" / "explore")
    (folder / "_static" / "nothing.js").touch()
    (folder / "conf.py").write_text(CONF.format(ext=str(ROOT / "book" / "_ext")))
    (folder / "index.md").write_text(text)
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "html", str(folder), str(folder / "out")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def browser():
    with chromium.launch() as found:
        yield found


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explore")
    made = render(folder, PAGE.format("\n".join(FIGURE.format(name=name) for name in FIGURES)))
    assert (made.returncode, made.stderr) == (0, "")
    return folder / "out" / "index.html"


@pytest.fixture
def visit(browser, site):
    """Open the page from the disk; nothing may be logged meanwhile, and nothing asked of the network."""
    contexts, said = [], []

    def open_page(width=1280, scheme="light", **options):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, **options
        )
        context.add_init_script(f"localStorage.mode = localStorage.theme = '{scheme}'")
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text) if message.type in WORSE else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: said.append(request.url) if request.url[:4] == "http" else None)
        page.goto(site.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []


def live(page, name):
    """The live part of a figure, once it has been drawn."""
    place = page.locator(LIVE.format(name))
    place.locator("svg.explore-panel[viewBox]").first.wait_for()
    return place


def data(place, key):
    return place.get_attribute(f"data-{key}")


@pytest.mark.slow
def test_the_regression_by_keyboard_and_by_pointer(visit):
    place = live(visit(), "regression")
    asks, status = data(place, "asks"), place.locator("[role=status]")
    assert "8 readings" in status.inner_text()
    handle = place.get_by_role("slider", name="Reading 7 of 8")
    handle.focus()
    handle.press("Shift+ArrowUp")
    assert handle.get_attribute("aria-valuetext") == "input 0.90, value 1.52"
    assert data(place, "asks") == asks  # labels do not matter
    for _ in range(2):
        handle.press("Shift+ArrowRight")
    assert data(place, "asks") != asks  # places do
    handle.press("Delete")
    assert "7 readings" in status.inner_text()
    place.get_by_role("button", name="Start again").press("Enter")
    assert data(place, "asks") == asks
    place.get_by_role("button", name="Ask as look-ahead would").press("Enter")
    asked = place.get_by_role("slider", name="Reading 9 of 9").get_attribute("aria-valuetext")
    assert float(asked.split()[1].rstrip(",")) == float(asks.split()[0])
    ridge = place.get_by_role("slider", name="Ridge")
    ridge.press("ArrowRight")
    assert ridge.get_attribute("aria-valuetext") == "0.05"

    place.get_by_role("button", name="Start again").click()
    box = place.get_by_role("slider", name="Reading 1 of 8").locator(".grip").bounding_box()
    mouse, x, y = place.page.mouse, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 90, y + 40, steps=3)
    mouse.up()
    dragged = place.get_by_role("slider", name="Reading 1 of 8").get_attribute("aria-valuetext")
    assert dragged != "input −2.60, value 0.93"
    assert "8 readings" in status.inner_text()
    mouse.click(x + 150, y + 100)
    assert "9 readings" in status.inner_text()


@pytest.mark.slow
def test_a_finger_drags_a_reading_and_does_not_scroll_the_page(visit):
    place = live(visit(375, has_touch=True, is_mobile=True), "regression")
    handle = place.get_by_role("slider", name="Reading 3 of 8")
    handle.scroll_into_view_if_needed()
    box, before = handle.locator(".grip").bounding_box(), place.page.evaluate("scrollY")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    finger = place.page.context.new_cdp_session(place.page)
    for kind, moves in (("touchStart", [0]), ("touchMove", range(1, 6)), ("touchEnd", [None])):
        for i in moves:
            points = [] if i is None else [{"x": x + 4 * i, "y": y - 8 * i}]
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    place.page.wait_for_function("!document.querySelector('[aria-valuetext=\"input −1.20, value −0.62\"]')")
    assert place.page.evaluate("scrollY") == before
    assert handle.get_attribute("aria-valuetext").startswith("input −0.")


@pytest.mark.slow
def test_width_and_time_by_keyboard_and_by_pointer(visit):
    place = live(visit(), "linearised")
    width, time = (place.get_by_role("slider", name=name) for name in ("Width", "Training time"))
    page = place.page
    shown = f"""([width, step]) => {{
        const {{ dataset }} = document.querySelector("{LIVE.format("linearised")}");
        return dataset.width == width && dataset.step == step;
    }}"""
    page.wait_for_function(shown, arg=[16, 300])
    narrow = float(data(place, "gap"))
    width.press("End")
    page.wait_for_function(shown, arg=[512, 300], timeout=20_000)
    assert float(data(place, "gap")) < narrow
    assert width.get_attribute("aria-valuetext") == "512 units"
    time.press("Home")
    page.wait_for_function(shown, arg=[512, 0])
    assert float(data(place, "gap")) == 0
    time.press("ArrowRight")
    page.wait_for_function(shown, arg=[512, 1])
    first = data(place, "gap")
    place.get_by_role("button", name="Other random weights").click()
    assert data(place, "gap") != first
    box = width.bounding_box()
    page.mouse.click(box["x"] + 3, box["y"] + box["height"] / 2)
    page.wait_for_function(shown, arg=[4, 1])
    assert "Width 4, 1 step." in place.locator("[role=status]").inner_text()


@pytest.mark.slow
def test_the_pool_by_keyboard_and_by_pointer(visit):
    place = live(visit(reduced_motion="reduce"), "pool")
    status = place.locator("[role=status]")
    assert data(place, "labels") == "4"
    start = status.first.inner_text()
    assert len(set(re.findall(r"[\d.]+%", start))) == 1  # one start set for all three
    place.get_by_role("button", name="Step").press("Enter")
    assert data(place, "labels") == "5"
    place.get_by_role("button", name="Play").click()
    assert data(place, "labels") == "28"  # at once, where motion is not wanted
    assert len(set(re.findall(r"[\d.]+%", status.first.inner_text()))) > 1
    place.get_by_role("button", name="Start again").click()
    assert status.first.inner_text() == start
    place.get_by_role("button", name="Another pool").press("Enter")
    assert (data(place, "seed"), data(place, "labels")) == ("2", "4")
    moving = live(visit(), "pool")
    moving.get_by_role("button", name="Play").click()
    moving.page.wait_for_function(
        "document.querySelector('.explorable-pool .explore-live').dataset.labels > 5"
    )
    moving.get_by_role("button", name="Pause").click()
    assert int(data(moving, "labels")) < 28


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (375, "dark")])
def test_the_page_fits_and_the_figures_are_numbered(visit, width, scheme):
    page = visit(width, scheme)
    for number, name in enumerate(FIGURES, 1):
        assert live(page, name).bounding_box()["width"] <= width
        figure = page.locator(f"figure.explorable-{name}")
        assert f"Fig. {number}" in figure.locator("figcaption").inner_text()
        assert not figure.locator("img").is_visible()
        for node in figure.locator("[role=img], [role=group], [role=slider]").all():
            assert node.get_attribute("aria-label")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.emulate_media(media="print")
    for name in FIGURES:
        assert page.locator(f"figure.explorable-{name} img").is_visible()
        assert not page.locator(f"figure.explorable-{name} .explore-live").is_visible()


@pytest.mark.slow
def test_without_scripts_the_picture_is_there(visit):
    page = visit(java_script_enabled=False)
    for name in FIGURES:
        image = page.locator(f"figure.explorable-{name} img")
        assert image.is_visible()
        assert image.get_attribute("alt") == f"What {name} shows."


@pytest.mark.slow
def test_a_wrong_name_and_a_missing_alternative_text_are_reported(tmp_path):
    without_alt = re.sub(r":alt:.*\n", "", FIGURE.format(name="pool"))
    made = render(tmp_path, PAGE.format(FIGURE.format(name="nothing") + without_alt))
    assert "there is no 'nothing' in _static/explore; it has linearised, pool, regression" in made.stderr
    assert "pool needs the option :alt:" in made.stderr


def test_a_notebook_has_the_picture_and_a_link(sample):
    page = sample.root / "book" / "ch01_few.md"
    page.write_text(page.read_text() + "\n" + FIGURE.format(name="pool") + "\nSee {numref}`fig-pool`.\n")
    text = notebooks.generate(sample, only=("ch01_few",), run=False)[
        sample.root / "notebooks" / "ch01_few.ipynb"
    ]
    assert "![What pool shows.](https://raw.githubusercontent.com/" in text
    assert "book/_static/explore/pool.png)" in text
    assert "*Figure 1.1.* Caption of pool, with $x$." in text
    assert f"[rendered page]({sample.page_url('ch01_few')}#fig-pool)" in text
    assert "See Figure 1.1." in text
