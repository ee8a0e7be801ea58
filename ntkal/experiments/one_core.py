"""What a local worker of a sweep does first: keep to one core, however many the machine has."""

import os


def dask_setup(worker) -> None:
    """Pin this process to one core, the workers taking the cores in turn; nothing where that cannot be done.

    JAX splits its work over the cores that it sees when it starts, and so in which order it adds numbers.

    Args:
        worker: The Dask worker of this process; local workers are named 0, 1, and so on.
    """
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker.name) % len(cores)]})
