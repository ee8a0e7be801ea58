"""What the tests of the data share: a small archive, no network, answers to downloads."""

import numpy as np
import pooch
import pytest
import requests


@pytest.fixture
def archive(rng):
    """A small stand-in for the contents of mnist.npz."""
    return {
        "x_train": rng.integers(0, 256, (12, 28, 28), dtype=np.uint8),
        "y_train": np.arange(12, dtype=np.uint8) % 10,
        "x_test": rng.integers(0, 256, (5, 28, 28), dtype=np.uint8),
        "y_test": np.arange(5, dtype=np.uint8),
    }


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise requests.exceptions.ConnectionError("Name or service not known")

    monkeypatch.setattr(requests, "get", refuse)
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)


@pytest.fixture
def answers(monkeypatch):
    """Let each download write the next reply, or break off half way when that is an error."""

    def replies_are(*replies):
        calls = []

        def download(self, url, output_file, pooch, check_only=False):
            calls.append(url)
            reply = replies[min(len(calls), len(replies)) - 1]
            with open(output_file, "wb") as file:
                file.write(b"half" if isinstance(reply, Exception) else reply)
            if isinstance(reply, Exception):
                raise reply

        monkeypatch.setattr(pooch.HTTPDownloader, "__call__", download)
        monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)
        return calls

    return replies_are
