import time

import pytest

from ntkal.experiments import workers as cluster


def test_tasks_come_as_they_are_finished_and_without_workers_there_is_an_error(monkeypatch):
    monkeypatch.setattr(cluster, "LOOK", 0.2)
    with cluster.connect(1) as client:
        quick = [client.submit(pow, 2, i) for i in range(3)]
        assert sorted(future.result() for future in cluster.finished(client, quick)) == [1, 2, 4]
        slow = client.submit(time.sleep, 60)
        client.cluster.scale(0)  # as after a worker that died while it started: nobody comes
        with pytest.raises(OSError, match="All worker processes ended with 1 tasks not done"):
            list(cluster.finished(client, [slow]))
