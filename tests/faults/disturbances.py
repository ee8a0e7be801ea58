"""What befalls a run in its own process: what ``start`` calls there beforehand.

Here and not in the tests, because that process has to find them by name.
"""

import datetime
import errno
import os
import resource
import signal
import time

from faults.processes import SMALL, after_each_cycle

FILLER = "filler"


def fill(folder):
    """Leave no free byte on the disk of a folder."""
    with open(folder / FILLER, "ab", buffering=0) as file:
        for size in (4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError as full:
                if full.errno != errno.ENOSPC:
                    raise


def fill_after_a_cycle(folder):
    after_each_cycle(lambda: fill(folder))


def forbid_growth_after_a_cycle():
    after_each_cycle(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY)))


def as_nobody():
    """Give up root's right to write everywhere; what a run imports late is imported before."""
    import ntkal

    ntkal.run(SMALL | {"cycles": 0})
    if os.getuid() == 0:
        os.setgid(65534)
        os.setuid(65534)


def stop_here():
    os.kill(os.getpid(), signal.SIGSTOP)


def stop_after_a_cycle():
    after_each_cycle(stop_here)


def set_clock_back():
    """In this process it is 1999: for the times that the package writes, and for those it could go by."""
    then = datetime.datetime(1999, 1, 1, tzinfo=datetime.UTC)
    now = time.time

    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return then

    began = now()
    time.time = lambda: then.timestamp() + now() - began
    datetime.datetime = Clock
