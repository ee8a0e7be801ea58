"""What the release check runs of the README."""

import pytest
import release


def test_sessions_are_run_and_other_code_is_not():
    session = ">>> 1 + 1\n2\n"
    other = "```python\nimport ntkal\n```\n```\nmake book\n```\n"
    readme = f"Text\n```python\n{session}```\n{other}```pycon\n{session}```\n"
    assert release.examples(readme) == f"{session}\n{session}"


def test_a_readme_without_a_session_is_no_release():
    with pytest.raises(SystemExit, match=r"README.md: expected a block of Python that begins with >>>"):
        release.examples("```python\nimport ntkal\n```\n")
