"""A pytest plugin: the seconds of each notebook, in a table at the end."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path


class ChapterTimes:
    """Adds up the durations of the cells of each notebook."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.failed: dict[str, int] = defaultdict(int)

    def pytest_runtest_logreport(self, report) -> None:
        """Count each phase of each cell."""
        name = Path(report.nodeid.split("::")[0]).stem
        self.seconds[name] += report.duration
        self.failed[name] += report.failed

    def pytest_terminal_summary(self, terminalreporter) -> None:
        """Print the table, slowest last."""
        terminalreporter.section("seconds per notebook")
        for name, seconds in sorted(self.seconds.items(), key=lambda item: item[1]):
            verdict = f"  {self.failed[name]} cells failed" if self.failed[name] else ""
            terminalreporter.write_line(f"{seconds:8.1f}  {name}{verdict}")


def pytest_configure(config) -> None:
    """Register where results come together: not in the workers of xdist."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(ChapterTimes(), "chapter_times_table")
