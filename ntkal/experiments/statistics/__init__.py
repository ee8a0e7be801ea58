"""Statistics over seeds, on tables with a row for each cycle of each run.

A seed is the unit: everything is first reduced to one number a seed, and spread, intervals and tests are
those of these numbers. A missing seed is an error, never a smaller mean. The functions share

- ``table``: rows of runs, with a column ``seed``;
- ``column``: the column that tells series apart; ``a`` and ``b``, or ``baseline``, are values of it;
- ``by``: the column of the points of a curve, or the columns that make groups;
- ``value``: the column that is averaged, compared or integrated; its numbers are finite;
- ``level``: the coverage of the intervals, between 0 and 1;

return, where they compare or average, ``mean`` with its :func:`interval` from ``low`` to ``high``, the ``p``
of :func:`p_value`, and the number ``n`` of seeds; and raise a ValueError that names the column and the row
when a column, a seed, a series or an entry is missing, a seed comes twice, or a value is no finite number.
"""

from ntkal.experiments.statistics.comparison import against, holm, over_baseline, pooled, rivals
from ntkal.experiments.statistics.efficiency import (
    area,
    label_efficiency,
    labels_needed,
    seconds_per_cycle,
    times_faster,
)
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
