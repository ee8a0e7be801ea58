"""A real browser for tests: the system's Chromium, or the one that `playwright install chromium` brings."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Error, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def launch() -> Iterator[Browser]:
    """A browser that asks nothing of the network by itself."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    quiet = ("background-networking", "component-update", "sync", "quic")
    options = ["--no-sandbox", "--disable-gpu", "--no-first-run", *(f"--disable-{name}" for name in quiet)]
    with sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=path, args=options)
        except Error as error:
            raise RuntimeError(
                "The browser tests need Chromium: install it (Debian, Ubuntu: apt install chromium), or run "
                f".venv/bin/playwright install chromium. {error.message}"
            ) from error
        try:
            yield browser
        finally:
            browser.close()
