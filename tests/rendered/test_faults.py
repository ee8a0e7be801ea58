"""The checks see what they look for: a page with every fault, and its neighbour without any."""

import built
import pytest
import visits

PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>A page</title>{head}</head>
<body><main>{body}</main></body></html>"""
GOOD = '<h1 id="top">Title</h1><h2>Part</h2><p>Text, <a href="bad.html#here">a link</a>.</p>'
BAD = """<h1 id="here">Title</h1><h1>Title</h1><h3>Part</h3>
<a href="good.html#nowhere">one</a> <a href="none.html">two</a>
<img src="small.png"><img src="small.png" alt="small.png">
<p>$$x^2$$ and \\(y\\)</p><span class="math">z</span>
<p style="color: #999; background: #aaa">pale</p>
<div style="width: 900px">wide</div>
<div style="overflow-x: auto"><div style="width: 900px">in a box that scrolls</div></div>
<script>console.error("a fault")</script><script src="http://outside.invalid/script.js"></script>"""
DARK = "<style>[data-theme=dark] p { color: #222; background: #111 }</style>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    here = tmp_path_factory.mktemp("faults")
    (here / "good.html").write_text(PAGE.format(head="", body=GOOD))
    (here / "bad.html").write_text(PAGE.format(head=DARK, body=BAD))
    (here / "small.png").write_bytes(b"x" * 1000)
    return here


def test_no_book_is_a_clear_sentence(tmp_path):
    with pytest.raises(pytest.UsageError, match=r"There is no rendered book in .*: run `make book` first"):
        built.pages(tmp_path)


def test_faults_in_files_are_seen(folder):
    good, bad = folder / "good.html", folder / "bad.html"
    assert (built.dangling(good), built.disorder(good), built.undescribed(good)) == ([], [], [])
    assert built.dangling(bad) == ["good.html#nowhere", "none.html"]
    assert len(built.disorder(bad)) == 2
    assert built.undescribed(bad) == ["small.png", "small.png"]
    assert built.weight(bad) == bad.stat().st_size + 1000


def test_faults_in_the_browser_are_seen(folder, browser):
    good = visits.visit(browser, (folder / "good.html").as_uri())
    assert (good.said, good.failed, good.raw, good.wide, good.violations) == ([], [], [], [], [])
    bad = visits.visit(browser, (folder / "bad.html").as_uri())
    assert "a fault" in bad.said
    assert "http://outside.invalid/script.js" in bad.failed
    assert len(bad.raw) == 2
    assert any("wide" in part for part in bad.wide)
    assert not any("in a box" in part for part in bad.wide)
    for rule in ("light: image-alt", "light: color-contrast", "dark: color-contrast"):
        assert any(part.startswith(rule) for part in bad.violations), rule
