"""A pytest plugin: nbval runs cells as Jupyter does, with history, so that a `;` at the end silences a value.

Without it IPython looks for the `;` in a cell that is not there, and prints what the stored output has not.
"""

from __future__ import annotations

from nbval.kernel import RunningKernel


def execute_cell_input(self, cell_input: str, allow_stdin: bool | None = None) -> str:
    """Send a cell to the kernel; return the message's id."""
    return self.kc.execute(cell_input, store_history=True, allow_stdin=allow_stdin, stop_on_error=False)


RunningKernel.execute_cell_input = execute_cell_input
