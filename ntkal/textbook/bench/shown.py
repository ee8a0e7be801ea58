"""The table as a page or a screen shows it."""

import pandas as pd


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table as it is printed: seconds with three digits, megabytes, and what was missed in words.

    Example:
        >>> from ntkal.bench.timing import row
        >>> shown(pd.DataFrame([row("ours", 1.0, "theirs", 2.5, needed=3.0)]))["reached"].item()
        'no'
    """
    megabytes = {name: table[name] / 2**20 for name in ("memory", "peer_memory")}
    made = {
        "what": table["what"],
        "peer": table["peer"],
        "seconds": table["seconds"].map(_number),
        "ratio": table["ratio"].map(_number),
        "needed": table["needed"].map(_number),
        "difference": table["difference"].map(_number),
        "MiB": megabytes["memory"].map(_number),
        "peer's MiB": megabytes["peer_memory"].map(_number),
        "reached": table["reached"].map({True: "yes", False: "no"}),
        "note": table["note"],
    }
    return pd.DataFrame(made)


def _number(value: float) -> str:
    return "-" if pd.isna(value) else f"{value:.3g}" if value < 1000 else f"{value:.0f}"
