"""A test that the sample page names."""


def test_one():
    assert 1
