"""From a configuration to tables of results that say what made them.

In: a :class:`RunConfig`, a file of settings, or a grid of them; data and a network by name or of your own.
Out: a row for each cycle, with its provenance.
"""

from ntkal.experiments.config import RunConfig
from ntkal.experiments.loop import run

__all__ = ["RunConfig", "run"]
