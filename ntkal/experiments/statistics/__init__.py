"""Statistics over seeds, on tables with a row for each cycle of each run.

A seed is the unit: everything is first reduced to one number a seed, and spread, intervals and tests are
those of these numbers. A missing seed is an error, never a smaller mean.
"""

from ntkal.experiments.statistics.comparison import against, holm, over_baseline, pooled, rivals
from ntkal.experiments.statistics.cost import seconds_per_cycle, times_faster
from ntkal.experiments.statistics.efficiency import area, label_efficiency, labels_needed
from ntkal.experiments.statistics.intervals import differences, interval, p_value, paired, summary
from ntkal.experiments.statistics.ranks import rank_correlation, top_overlap
from ntkal.experiments.statistics.tables import complete, require

__all__ = [
    "against",
    "area",
    "complete",
    "differences",
    "holm",
    "interval",
    "label_efficiency",
    "labels_needed",
    "over_baseline",
    "p_value",
    "paired",
    "pooled",
    "rank_correlation",
    "require",
    "rivals",
    "seconds_per_cycle",
    "summary",
    "times_faster",
    "top_overlap",
]
