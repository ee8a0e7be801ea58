"""A full disk, a file that may not grow and a folder that may not be written: refused, and nothing lost."""

import subprocess

import pandas as pd
import pytest
from faults.disturbances import FILLER, as_nobody, fill, fill_after_a_cycle, forbid_growth_after_a_cycle
from faults.processes import SMALL, files, rows, start


def stopped_after_a_cycle(answer, reason, folder, whole):
    assert answer.startswith("OSError: out: cycle 1 cannot be kept in ")
    assert f"({reason}); the cycles before it are. Mend that, and the same command goes on" in answer
    assert set(files(folder)) - {FILLER} == {"run.lock", "run.parquet"}
    pd.testing.assert_frame_equal(rows(folder), whole.head(1))


def test_on_a_full_disk_a_run_stops_says_so_and_goes_on_once_there_is_room(small_disk, undisturbed):
    whole, _ = undisturbed()
    answer = start(SMALL, small_disk, fill_after_a_cycle, small_disk).outcome()
    stopped_after_a_cycle(answer, "No space left on device", small_disk, whole)
    # Still full: refused again, and the row is still there.
    stopped_after_a_cycle(start(SMALL, small_disk).outcome(), "No space left on device", small_disk, whole)
    (small_disk / FILLER).unlink()
    assert start(SMALL, small_disk).outcome() == "done"
    pd.testing.assert_frame_equal(rows(small_disk), whole)


def test_a_new_run_on_a_full_disk_is_refused(small_disk):
    fill(small_disk)
    answer = start(SMALL, small_disk / "run").outcome()
    assert "No space left on device" in answer
    assert "out: " in answer


def test_a_warm_run_on_a_full_disk_keeps_its_weights(small_disk, undisturbed):
    whole, _ = undisturbed(mode="sequential", warm=True)
    config = SMALL | {"mode": "sequential", "warm": True}
    assert (
        start(config, small_disk, fill_after_a_cycle, small_disk)
        .outcome()
        .startswith("OSError: out: cycle 1")
    )
    assert set(files(small_disk)) == {FILLER, "run.lock", "run.parquet"}
    (small_disk / FILLER).unlink()
    assert start(config, small_disk).outcome() == "done"
    pd.testing.assert_frame_equal(rows(small_disk), whole)


def test_where_a_file_may_not_grow_a_run_stops_says_so_and_goes_on_later(tmp_path, undisturbed):
    whole, _ = undisturbed()
    answer = start(SMALL, tmp_path, forbid_growth_after_a_cycle).outcome()
    stopped_after_a_cycle(answer, "File too large", tmp_path, whole)
    assert start(SMALL, tmp_path).outcome() == "done"
    pd.testing.assert_frame_equal(rows(tmp_path), whole)


@pytest.fixture
def locked_folder(tmp_path):
    """A folder that may be read and entered and not written, on the way to which nothing is in the way."""
    folder = tmp_path / "run"
    folder.mkdir()
    folder.chmod(0o555)
    shut = [part for part in tmp_path.parents if not part.stat().st_mode & 0o001]
    modes = [part.stat().st_mode for part in shut]
    for part in shut:
        part.chmod(0o755)
    tmp_path.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    for part, mode in zip(shut, modes, strict=True):
        part.chmod(mode)


def test_a_folder_without_write_permission_is_refused(locked_folder):
    answer = start(SMALL, locked_folder, as_nobody).outcome()
    assert answer == f"ValueError: out: cannot write in {locked_folder} (Permission denied)."
    answer = start(SMALL, locked_folder / "below", as_nobody).outcome()
    assert answer == f"ValueError: out: cannot write in {locked_folder / 'below'} (Permission denied)."
    assert files(locked_folder) == []


def test_a_disk_mounted_to_be_read_only_is_refused_and_keeps_what_it_has(small_disk, undisturbed):
    whole, _ = undisturbed()
    assert start(SMALL, small_disk).outcome() == "done"
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    answer = start(SMALL, small_disk).outcome()
    assert answer == f"ValueError: out: cannot write in {small_disk} (Read-only file system)."
    pd.testing.assert_frame_equal(rows(small_disk), whole)
