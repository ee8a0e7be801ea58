"""Tables of runs for the tests of statistics and figures: random numbers, every seed at every point."""

import numpy as np
import pandas as pd


def runs(series=("random", "margin", "mlmoc"), seeds=3, labels=(100, 120, 140), **columns) -> pd.DataFrame:
    """A tidy table with the columns that stored results have, in an order of rows that tells nothing."""
    rng = np.random.default_rng(4)
    rows = [
        {"series": name, "seed": seed, "cycle": cycle, "labels": n, **columns}
        for name in series
        for seed in range(seeds)
        for cycle, n in enumerate(labels)
    ]
    table = pd.DataFrame(rows)
    table["accuracy"] = 0.7 + 0.2 * rng.uniform(size=len(table)) + 0.0005 * table["labels"]
    for name in ("seconds_kernel", "seconds_query"):
        table[name] = np.where(table["cycle"] > 0, rng.uniform(0.1, 5.0, len(table)), 0.0)
    return table.sample(frac=1, random_state=1, ignore_index=True)
