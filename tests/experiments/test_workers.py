import os
import subprocess
import sys
import time
from types import SimpleNamespace

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


def test_tasks_come_as_they_are_finished_on_one_core_and_without_workers_there_is_an_error(monkeypatch):
    monkeypatch.setattr(workers, "LOOK", 0.2)
    with workers.connect(1) as client:
        quick = [client.submit(pow, 2, i) for i in range(3)]
        assert sorted(future.result() for future in workers.finished(client, quick)) == [1, 2, 4]
        if hasattr(os, "sched_getaffinity"):
            assert len(client.submit(os.sched_getaffinity, 0).result()) == 1
        slow = client.submit(time.sleep, 60)
        client.cluster.scale(0)  # as after a worker that died while it started: nobody comes
        with pytest.raises(OSError, match="All worker processes ended with 1 tasks not done"):
            list(workers.finished(client, [slow]))


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
