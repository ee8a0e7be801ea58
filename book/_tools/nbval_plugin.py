"""A pytest plugin for the run of the notebooks: cells run as in Jupyter, and a table of seconds at the end.

With history, as in Jupyter, a `;` at the end of a cell silences its value. Without it IPython looks for it
in a cell that is not there, and prints what the stored output has not. Each notebook runs in an empty folder,
and a cell after its last one asks whether something has imported TensorFlow.
"""

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from nbformat.v4 import new_code_cell
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell, IPyNbFile

LAST = 'import sys\nassert "tensorflow" not in sys.modules, "This notebook has imported TensorFlow."'
FOLDERS = tempfile.TemporaryDirectory()  # removed at the end
start, collect = RunningKernel.__init__, IPyNbFile.collect


def start_alone(self, kernel_name: str, cwd: str, startup_timeout: float) -> None:
    """Start a kernel in a folder of its own."""
    start(self, kernel_name, tempfile.mkdtemp(dir=FOLDERS.name), startup_timeout)


def execute_cell_input(self, cell_input: str, allow_stdin: bool | None = None) -> str:
    """Send a cell to the kernel; return the message's id."""
    return self.kc.execute(cell_input, store_history=True, allow_stdin=allow_stdin, stop_on_error=False)


def collect_and_ask(self) -> Iterator[IPyNbCell]:
    """The cells of a notebook, and one more."""
    cells = list(collect(self))
    last = {"cell_num": len(cells), "cell": new_code_cell(LAST), "options": defaultdict(bool)}
    yield from [*cells, IPyNbCell.from_parent(self, name="No TensorFlow", **last)]


RunningKernel.__init__, RunningKernel.execute_cell_input = start_alone, execute_cell_input
IPyNbFile.collect = collect_and_ask


class ChapterTimes:
    """Adds up the durations of the cells of each notebook."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report) -> None:
        """Count each phase of each cell."""
        name = Path(report.nodeid.split("::")[0]).stem
        self.seconds[name] += report.duration
        self.failed[name] += report.failed

    def pytest_terminal_summary(self, terminalreporter) -> None:
        """Print the table, slowest last."""
        terminalreporter.section("seconds per notebook")
        for name, seconds in reversed(self.seconds.most_common()):
            verdict = f"  {self.failed[name]} cells failed" if self.failed[name] else ""
            terminalreporter.write_line(f"{seconds:8.1f}  {name}{verdict}")


def pytest_configure(config) -> None:
    """Register where results come together: not in the workers of xdist."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(ChapterTimes(), "chapter_times")
