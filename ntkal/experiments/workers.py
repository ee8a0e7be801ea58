"""Workers: local processes of one core each, or any Dask cluster by its address."""

import contextlib
import inspect
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

_GUARD = 'put the call under  if __name__ == "__main__":  since each of them imports the script again'


@contextlib.contextmanager
def connect(workers: int | None = None, scheduler: str | None = None) -> Iterator[Any]:
    """Give a Dask client, of local worker processes or of a scheduler of your own.

    A local process imports the script that starts it, so in a script the call must stand under
    ``if __name__ == "__main__":``.

    Args:
        workers: Local worker processes, at least 1; as many as there are cores if None. Not with
            ``scheduler``.
        scheduler: Address of a Dask scheduler, ``tcp://host:port``, or path of a scheduler file; None starts
            local processes, each with one core to itself.

    Yields:
        The ``distributed.Client``; it and the local processes end with the block.

    Raises:
        ImportError: When Dask is not installed.
        OSError: When the scheduler cannot be reached.
        ValueError: When ``workers`` is not a whole number of at least 1, when it is given beside a scheduler,
            and when local processes cannot start, as in a script without the guard.
    """
    if _in_the_script_of_another_process():
        os._exit(1)  # quietly: the process that started this one says why
    if workers is not None:
        workers = check_int("workers", workers, low=1)
        if scheduler is not None:
            raise ValueError("workers: a scheduler has workers of its own; leave out one of the two.")
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
    try:
        cluster = LocalCluster(
            n_workers=workers or len(_cores()),
            threads_per_worker=1,
            processes=True,
            memory_limit=0,
            dashboard_address=":0",  # any free port: two sweeps may run at once
            # Words, which Dask takes for a program: a module of its own for one line would be much.
            preload=[f"from {__name__} import _keep_to_one_core as dask_setup"],
            silence_logs=logging.ERROR,  # a worker that takes long to stop at the end is no news
        )
    except RuntimeError as error:
        why = str(error).splitlines()[0].rstrip(".")
        raise ValueError(f"workers: local processes cannot start ({why}); in a script, {_GUARD}.") from None
    with cluster, Client(cluster) as client:
        yield client


def _keep_to_one_core(worker: Any) -> None:
    """Pin this process to one core, the workers taking the cores in turn; nothing where that cannot be done.

    JAX splits its work over the cores that it sees when it starts, and so in which order it adds numbers.

    Args:
        worker: The Dask worker of this process; local workers are named 0, 1, and so on.
    """
    if hasattr(os, "sched_setaffinity"):
        cores = _cores()
        os.sched_setaffinity(0, {cores[int(worker.name) % len(cores)]})


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


def _in_the_script_of_another_process() -> bool:
    """Whether this is a new process that imports the main script of the one that started it."""
    return any(
        frame.function == "<module>" and frame.frame.f_globals.get("__name__") == "__mp_main__"
        for frame in inspect.stack(0)
    )


def _alive(client: Any) -> bool:
    """Whether local workers are there or being started."""
    gone = ("closing", "closed", "failed")
    return client.cluster is None or any(
        worker.status.name not in gone for worker in list(client.cluster.workers.values())
    )


def _cores() -> list[int]:
    return (
        sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count()))
    )
