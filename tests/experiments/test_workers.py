import os
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

from ntkal.experiments import workers


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot pin a process")
def test_workers_take_the_cores_in_turn(monkeypatch):
    taken = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {4, 9})
    monkeypatch.setattr(os, "sched_setaffinity", lambda _, cores: taken.append(cores))
    for name in (0, 1, 2):
        workers._keep_to_one_core(SimpleNamespace(name=name))
    assert taken == [{4}, {9}, {4}]


@pytest.fixture(scope="module")
def client():
    with workers.connect(1) as client:
        yield client


@pytest.mark.parametrize("size", [1, 10**5])
def test_each_item_comes_with_its_result_or_its_error_here_and_from_workers(client, tmp_path, size):
    """What is given is short enough to go with each item, or goes by a file."""
    given = {"numbers": np.arange(size)}

    def work(item, given):
        return len(given["numbers"]) // item

    items = {"one": 1, "two": 2, "none": 0}
    for how in ({"workers": 0}, {"scheduler": client.scheduler.address}):
        found = dict(workers.each(work, items, given, tmp_path, argument="x", **how))
        assert isinstance(found.pop("none"), ZeroDivisionError)
        assert found == {"one": size, "two": size // 2}
        assert not list(tmp_path.iterdir())


def test_a_worker_has_one_core(client):
    if hasattr(os, "sched_getaffinity"):
        assert len(client.submit(os.sched_getaffinity, 0).result()) == 1


def test_when_the_workers_of_any_cluster_are_gone_for_good_there_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setattr(workers, "LOOK", 0.2)
    monkeypatch.setattr(workers, "PATIENCE", 0.6)

    def work(item, given):
        time.sleep(item)

    with workers.connect(1) as client:
        client.cluster.scale(0)
        items = {"long": 60, "longer": 70}
        steps = workers.each(work, items, None, tmp_path, argument="x", scheduler=client.scheduler.address)
        with pytest.raises(OSError, match="no worker processes any more, and 2 of 2 pieces of work are not"):
            list(steps)


@pytest.mark.parametrize("count", [0, -1, True, 1.0, "2"])
def test_what_is_no_number_of_workers_is_refused(as_user, count):
    with pytest.raises(ValueError, match="workers: expected a whole number"), workers.connect(count):
        pass


def test_workers_and_a_scheduler_are_one_too_many():
    with pytest.raises(ValueError, match="workers: a scheduler has"), workers.connect(1, "tcp://host:1"):
        pass


def test_a_script_without_a_main_guard_is_told_so_in_its_last_line(tmp_path):
    script = tmp_path / "mine.py"
    script.write_text(
        "from ntkal.experiments.workers import connect\nwith connect(1):\n    print('inside')\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert done.stdout == ""
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ValueError: workers: ")
    assert 'put the call under  if __name__ == "__main__":' in last
    assert done.stderr.count("Traceback") == 1
