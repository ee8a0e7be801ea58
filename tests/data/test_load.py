import subprocess
import sys

import pytest

import ntkal
from ntkal import data


def test_unknown_names_and_bad_seeds_are_refused(as_user):
    with pytest.raises(
        ValueError,
        match="name: unknown 'mnist10k' .*'mnist5k'.*; choose one of cifar10, cifar100, cifar10_imb",
    ):
        ntkal.load("mnist10k")
    for seed in (-1, 2**32, True, 1.0):
        with pytest.raises(ValueError, match=f"^seed: expected a whole number.*, got {seed}"):
            ntkal.load("moons", seed=seed)


def test_importing_downloads_nothing_and_loads_no_data_package():
    code = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise SystemExit('network used')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "import ntkal.data\n"
        "bad = {'mlxtend', 'pooch', 'requests', 'scipy.io', 'sklearn', 'pandas'} & set(sys.modules)\n"
        "raise SystemExit(', '.join(sorted(bad)) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_every_name_is_listed_and_described():
    assert data.names() == (
        "cifar10",
        "cifar100",
        "cifar10_imbalanced",
        "cifar10_jpeg",
        "cifar10_jpeg_imbalanced",
        "digits",
        "mnist",
        "mnist5k",
        "mnist_imbalanced",
        "moons",
        "svhn",
        "toy1d",
    )
    assert all(name in data.load.__doc__ for name in data.names())
