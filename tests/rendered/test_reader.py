"""What a reader does with the book: opens solutions, searches, reads at night; from disk and served."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import built
import pytest
import visits
from playwright.sync_api import expect

CHAPTER = "book/ch09_closed_form.html"
TERM = "covariance"
BUDGET = 1.0  # seconds until the load event, the best of three
SLACK = 4.0  # a machine that also runs other tests may take so many times longer

expect.set_options(timeout=visits.PATIENCE)


class Quiet(SimpleHTTPRequestHandler):
    """A server that writes no log."""

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def served():
    """The address of the book behind a web server on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=built.HTML))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(params=["disk", "served"])
def base(request):
    """Where the book is read from."""
    return request.getfixturevalue("served") if request.param == "served" else built.HTML.as_uri()


@pytest.fixture
def reader(browser, base):
    """Opens a page; nothing may fail or be asked of the network meanwhile."""
    context = browser.new_context(viewport=visits.DESK, color_scheme="light", reduced_motion="reduce")
    context.set_default_timeout(visits.PATIENCE)
    page = context.new_page()
    said, failed = visits.watch(page, base)

    def open_page(path):
        page.goto(f"{base}/{path}")
        return page

    yield open_page
    context.close()
    assert (said, failed) == ([], [])


def test_a_solution_opens_by_click_and_by_keyboard(reader):
    page = reader(CHAPTER)
    solution = page.locator(".solution.dropdown").first
    button = solution.locator("button.toggle-button")
    text = solution.locator(":scope > :not(.admonition-title)").first
    expect(text).to_be_hidden()
    solution.locator(".admonition-title").click()
    expect(text).to_be_visible()
    button.focus()
    button.press("Enter")
    expect(text).to_be_hidden()
    button.press("Space")
    expect(text).to_be_visible()


def test_search_finds_a_term(reader):
    page = reader(CHAPTER)
    page.keyboard.press("Control+k")
    page.locator("#pst-search-dialog input").fill(TERM)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=*")
    found = page.locator("#search-results ul.search li")
    expect(found.filter(has=page.locator(f"a[href*='{CHAPTER}']")).first).to_be_visible()
    found.locator("a").first.click()
    expect(page.locator("article h1").first).to_be_visible()


def test_the_switch_turns_the_book_dark_and_it_stays_so(reader):
    page = reader(CHAPTER)
    root, switch = page.locator("html"), page.locator(".theme-switch-button:visible").first
    for _ in range(3):  # it goes round light, dark and the system's choice
        if root.get_attribute("data-mode") == "dark":
            break
        switch.press("Enter")
    expect(root).to_have_attribute("data-theme", "dark")
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(int(part) for part in paper.strip("rgba()").split(",")[:3]) < 60
    reader("book/intro.html")
    expect(root).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("path", ["book/intro.html", "chapter"])
def test_a_page_opens_within_a_second(reader, path):
    if path == "chapter":
        chapters = [page for page in built.pages() if page.startswith("book/ch")]
        path = max(chapters, key=lambda page: built.weight(built.HTML / page))  # the heaviest
    seconds = [reader(path).evaluate(visits.LOADED) / 1000 for _ in range(3)]
    assert min(seconds) < BUDGET * SLACK, seconds
