"""The crosswalk is read from the chapters: each chapter of the theory is in it; a bad line is refused."""

import re

import pytest
from links import as_table, find_test, read_rows
from project import Project, chapter_number


def theory():
    return [p for p in Project().sources() if (number := chapter_number(p.stem)) and number <= 12]


@pytest.mark.parametrize("path", theory(), ids=lambda path: path.stem)
def test_each_chapter_of_the_theory_links_results_to_code_and_to_tests_that_exist(path):
    rows = read_rows(path)
    assert any(row.code and row.tests and row.result for row in rows)
    for row in rows:
        for test in row.tests:
            find_test(Project().root, test.split("`")[1])


@pytest.mark.parametrize("path", Project().sources(), ids=lambda path: path.stem)
def test_each_link_to_a_test_finds_it(path):
    for target in re.findall(r"\{test\}`([^`]+)`", path.read_text()):
        find_test(Project().root, target)


def test_a_line_belongs_to_the_result_before_it(tmp_path):
    page = tmp_path / "ch03_sample.md"
    page.write_text(
        ":label: eq-03-first\n:label: thm-03-second\n\n"
        "*Where it lives*: {func}`ntkal.load`;\n{test}`tests/test_data.py::test_a`.\n\n{func}`ntkal.run`\n"
    )
    (row,) = read_rows(page)
    assert row.result == "{prf:ref}`thm-03-second`"
    assert row.code == ("{func}`ntkal.load`",)
    assert row.tests == ("{test}`tests/test_data.py::test_a`",)
    assert as_table([row])[-1].startswith("| {doc}`3 <ch03_sample>` | {prf:ref}`thm-03-second` |")


def test_a_line_that_names_nothing_is_refused(tmp_path):
    page = tmp_path / "ch03_sample.md"
    page.write_text("*Where it lives*: somewhere.\n")
    with pytest.raises(ValueError, match=r"ch03_sample.md:1: this line names no function and no test"):
        read_rows(page)
