"""What the tests of faults share: the rows of undisturbed runs, and a small disk of one's own."""

import subprocess

import pandas as pd
import pytest
from faults.processes import SMALL, compiled, keep_programs, rows, start


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """Rows of a configuration that nothing disturbed, and its seconds of computing; made once for each."""
    made = {}

    def of(**changes):
        key = repr(sorted(changes.items()))
        if key not in made:
            first, again = tmp_path_factory.mktemp("undisturbed"), tmp_path_factory.mktemp("again")
            if not compiled:
                compiled.append(tmp_path_factory.mktemp("compiled"))
            assert start(SMALL | changes, first, keep_programs).outcome() == "done"
            run = start(SMALL | changes, again)
            seconds = run.kill_after(float("inf"))
            assert run.outcome() == "done"
            pd.testing.assert_frame_equal(rows(again), rows(first))
            made[key] = rows(first), seconds
        return made[key]

    return of


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 KiB, which only root may make."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no small disk can be mounted here ({error})")
    yield place
    subprocess.run(["umount", str(place)], check=True)
