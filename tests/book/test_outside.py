"""The check of outside links, tried on a web server of this machine."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import outside
import pytest

ANSWERS = {"/there": (200, 200), "/no-head": (405, 200), "/gone": (404, 404), "/shut": (403, 403)}


class Handler(BaseHTTPRequestHandler):
    """Answers HEAD and GET as ANSWERS says, and remembers what was asked."""

    asked: list[str] = []  # noqa: RUF012

    def answer(self, place):
        self.asked.append(f"{self.command} {self.path}")
        self.send_response(ANSWERS[self.path][place])
        self.end_headers()

    def do_HEAD(self):
        self.answer(0)

    def do_GET(self):
        self.answer(1)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    Handler.asked = []
    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{found.server_port}"
    found.shutdown()
    found.server_close()


def test_head_is_asked_first_and_get_where_head_is_refused(server):
    assert outside.ask(f"{server}/there") is None
    assert Handler.asked == ["HEAD /there"]
    assert outside.ask(f"{server}/no-head") is None
    assert outside.ask(f"{server}/gone") == "answers 404"
    assert outside.ask(f"{server}/shut") == "answers 403"
    assert Handler.asked[1:] == ["HEAD /no-head", "GET /no-head", "HEAD /gone", "HEAD /shut", "GET /shut"]


def test_a_server_that_is_not_there_is_named():
    assert outside.ask("http://127.0.0.1:9/", timeout=2).startswith("no answer: ")


def test_addresses_are_gathered_once_with_their_pages_and_without_our_own(tmp_path, server):
    (tmp_path / "a.html").write_text(
        f'<a href="{server}/there#x">1</a><a href="{server}/gone">2</a><a href="b.html">3</a>'
    )
    (tmp_path / "b.html").write_text(f'<a href="{server}/there">1</a><a href="https://own.invalid/x">2</a>')
    pages = outside.gather(tmp_path, ("https://own.invalid",))
    assert pages == {f"{server}/gone": ["a.html"], f"{server}/there": ["a.html", "b.html"]}
    assert outside.check(pages, pause=0.0) == {f"{server}/gone": "answers 404"}


def test_no_book_is_a_clear_sentence(tmp_path, capsys):
    assert outside.main(["--html", str(tmp_path)]) == 1
    assert "run `make book` first" in capsys.readouterr().err
