import os
from types import SimpleNamespace

import pytest

from ntkal.experiments import one_core as pin


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot pin a process")
def test_workers_take_the_cores_in_turn(monkeypatch):
    taken = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {4, 9})
    monkeypatch.setattr(os, "sched_setaffinity", lambda _, cores: taken.append(cores))
    for name in (0, 1, 2):
        pin.dask_setup(SimpleNamespace(name=name))
    assert taken == [{4}, {9}, {4}]
