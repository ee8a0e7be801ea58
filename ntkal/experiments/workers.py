"""Workers: local processes of one core each, or any Dask cluster by its address."""

import contextlib
import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ntkal.inputs import check_int

RETRIES = 3
"""Worker processes that a task may take down with it before it is given up."""

LOOK = 5
"""Seconds without a finished task after which the workers are looked at."""


@contextlib.contextmanager
def connect(workers: int | None = None, scheduler: str | None = None) -> Iterator[Any]:
    """Give a Dask client, of local worker processes or of a scheduler of your own.

    Args:
        workers: Local worker processes; as many as there are cores if None. Not with ``scheduler``.
        scheduler: Address of a Dask scheduler, ``tcp://host:port``, or path of a scheduler file; None starts
            local processes, each with one core to itself.

    Yields:
        The ``distributed.Client``; it and the local processes end with the block.

    Raises:
        ImportError: When Dask is not installed.
        OSError: When the scheduler cannot be reached.
        ValueError: When ``workers`` is not a whole number of at least 1.
    """
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise ImportError('Sweeps and large kernels run on Dask: pip install "ntkal[sweep]".') from error
    # Dask counts the workers that a task takes down with it: more than so many, and it is given up.
    dask.config.set({"distributed.scheduler.allowed-failures": RETRIES - 1})
    if scheduler is not None:
        given = {"scheduler_file": scheduler} if Path(scheduler).is_file() else {"address": scheduler}
        with Client(**given) as client:
            yield client
        return
    cores = len(_cores())
    count = cores if workers is None else check_int("workers", workers, low=1)
    cluster = LocalCluster(
        n_workers=count,
        threads_per_worker=1,
        processes=True,
        memory_limit=0,
        dashboard_address=None,
        preload=["ntkal.experiments.one_core"],
        silence_logs=logging.ERROR,  # a worker that takes long to stop at the end is no news
    )
    with cluster, Client(cluster) as client:
        yield client


def finished(client: Any, futures: Iterable[Any]) -> Iterator[Any]:
    """Yield tasks as they are finished, and raise an error once nobody is left to do the rest.

    Dask starts a killed worker again, but not one that dies while it starts: then nobody is left, and its own
    wait for results would not end.

    Args:
        client: The ``distributed.Client``.
        futures: What ``client.submit`` gave.

    Yields:
        The same futures, each when it has a result or an error.

    Raises:
        OSError: When all local worker processes have ended. Of a cluster of your own it is taken that it
            will have workers.

    Example:
        >>> list(finished(None, []))
        []
    """
    from distributed import wait

    left = set(futures)
    while left:
        try:
            done, left = wait(left, timeout=LOOK, return_when="FIRST_COMPLETED")
        except TimeoutError:
            if not _alive(client):
                raise OSError(
                    f"All worker processes ended with {len(left)} tasks not done, most likely for want of "
                    "memory."
                ) from None
        else:
            yield from done


def _alive(client: Any) -> bool:
    """Whether local workers are there or being started."""
    if client.cluster is None:
        return True
    return any(
        worker.status.name not in ("closing", "closed", "failed")
        for worker in list(client.cluster.workers.values())
    )


def _cores() -> list[int]:
    return (
        sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count()))
    )
