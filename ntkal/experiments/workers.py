"""Work done here or by workers: local processes of one core each, or any Dask cluster by its address."""

import contextlib
import hashlib
import inspect
import logging
import os
import pickle
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ntkal.experiments.results import write_whole
from ntkal.inputs import check_int

RETRIES = 3
"""Worker processes that a piece of work may take down with it before it is given up."""

LOOK, PATIENCE = 5, 60
"""Seconds without a finished piece of work after which it is asked whether there are workers, and seconds
without any worker after which what is left is given up."""

FETCH = 20
"""Seconds in which a result should come; then the work is asked for again, and goes on from what it kept."""

_INLINE = 4096  # bytes that may travel with each piece of work
_GUARD = 'put the call under  if __name__ == "__main__":  since each of them imports the script again'


def each(
    work: Callable[[Any, Any], Any],
    items: Mapping[str, Any],
    given: Any,
    folder: Path,
    *,
    argument: str,
    workers: int | None = None,
    scheduler: str | None = None,
) -> Iterator[tuple[str, Any]]:
    """Do the same work for each item, here or on Dask, and yield what came of each as it is finished.

    What is given for all items goes to the workers by a file, unless it is short: neither with each item,
    nor by Dask's memory, which a killed worker would take with it.

    Args:
        work: ``work(item, given)``, a function of a module.
        items: The items by their names, such as ``"block (1, 0)"``, which stand in messages.
        given: What the work needs besides.
        folder: A folder that all workers see.
        argument: Name of the user's argument among what is given, for the message when it cannot be sent.
        workers: Local worker processes; as many as there are cores if None. 0: one item after another in this
            process, without Dask. Not with ``scheduler``.
        scheduler: As in :func:`connect`.

    Yields:
        The name of an item, and its result or the error that it ended with.

    Raises:
        ValueError: When what is given cannot be sent, and as :func:`connect` does.
        ImportError: When Dask is not installed and ``workers`` is not 0.
        OSError: When the scheduler cannot be reached, or when there has been no worker for a minute: Dask
            starts a killed worker again, but not one that dies while it starts.

    Source:
        Rocklin, "Dask: parallel computation with blocked algorithms and task scheduling", SciPy 2015.

    Example:
        >>> list(each(pow, {"two": 2, "three": 3}, 2, Path(), argument="x", workers=0))
        [('two', 4), ('three', 9)]
    """
    if workers is not None:
        workers = check_int("workers", workers, low=0)
    if not items or (workers == 0 and scheduler is None):
        for name, item in items.items():
            try:
                outcome = work(item, given)
            except Exception as error:  # whatever it is, the caller says when to raise it
                outcome = error
            yield name, outcome
        return
    with connect(workers, scheduler) as client:
        from distributed import KilledWorker, wait

        parcel = _packed(given, folder, argument)

        def submit(name: str) -> Any:
            return client.submit(_work, work, items[name], parcel, pure=False)

        futures = {submit(name): name for name in items}
        left, alone = set(futures), 0.0
        hint = "most likely for want of memory: take fewer workers or smaller pieces; the same call goes on."
        try:
            while left:
                try:
                    done, left = wait(left, timeout=LOOK, return_when="FIRST_COMPLETED")
                except TimeoutError:
                    alone = 0.0 if client.nthreads() else alone + LOOK
                    if alone < PATIENCE:
                        continue
                    suspects = client.run_on_scheduler(_suspects)
                    last = [name for future, name in futures.items() if future.key in suspects]
                    raise OSError(
                        f"There are no worker processes any more, and {len(left)} of {len(items)} pieces of "
                        f"work are not done (the last at work: {', '.join(last) or 'none'}), {hint}"
                    ) from None
                for future in done:
                    try:
                        outcome = future.exception(timeout=FETCH) or future.result(timeout=FETCH)
                    except TimeoutError:
                        # Its worker was killed after the work was done; what the work kept is kept.
                        again = submit(futures[future])
                        futures[again] = futures.pop(future)
                        left.add(again)
                        continue
                    if isinstance(outcome, KilledWorker):
                        outcome = OSError(
                            f"The {futures[future]} ended {RETRIES} worker processes in a row, {hint}"
                        )
                    yield futures[future], outcome
        finally:
            client.cancel(list(futures))
            if isinstance(parcel, Path):
                parcel.unlink(missing_ok=True)


def _packed(given: Any, folder: Path, argument: str) -> bytes | Path:
    """What is given as the workers take it: the bytes, or a file that is named after what is in it."""
    import cloudpickle

    try:
        content = cloudpickle.dumps(given)
    except Exception as error:  # whatever a user's functions hold
        raise ValueError(
            f"{argument}: it cannot be sent to workers ({error}); make it of functions that are not compiled "
            "yet, or that build their network when they are called, or stay in this process, with workers=0."
        ) from error
    if len(content) <= _INLINE:
        return content
    name = f"sent-{hashlib.sha256(content).hexdigest()[:16]}.pickle"
    return write_whole(folder / name, lambda file: file.write(content))


@lru_cache(maxsize=1)
def _unpacked(parcel: bytes | Path) -> Any:
    return pickle.loads(parcel if isinstance(parcel, bytes) else parcel.read_bytes())


def _work(work: Callable, item: Any, parcel: bytes | Path) -> Any:
    return work(item, _unpacked(parcel))


def _suspects(dask_scheduler: Any) -> list[str]:
    """What was at work where a worker was killed."""
    return [key for key, task in dask_scheduler.tasks.items() if task.suspicious]


@contextlib.contextmanager
def connect(workers: int | None = None, scheduler: str | None = None) -> Iterator[Any]:
    """Give a Dask client, of local worker processes or of a scheduler of your own.

    A local process imports the script that starts it, so in a script the call must stand under
    ``if __name__ == "__main__":``. It has one core, because the number of cores that JAX sees when it starts
    decides in which order it adds numbers, and so the last bits of every result.

    Args:
        workers: Local worker processes, at least 1; as many as there are cores if None.
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
    """Pin this process to one core where that can be done; the workers 0, 1, and so on take them in turn."""
    if hasattr(os, "sched_setaffinity"):
        cores = _cores()
        os.sched_setaffinity(0, {cores[int(worker.name) % len(cores)]})


def _in_the_script_of_another_process() -> bool:
    """Whether this is a new process that imports the main script of the one that started it."""
    return any(
        frame.function == "<module>" and frame.frame.f_globals.get("__name__") == "__mp_main__"
        for frame in inspect.stack(0)
    )


def _cores() -> list[int]:
    own = getattr(os, "sched_getaffinity", None)
    return sorted(own(0)) if own else list(range(os.cpu_count()))
