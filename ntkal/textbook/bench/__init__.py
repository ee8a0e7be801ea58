"""Fast paths beside their peers, timed in one run: ``python -m ntkal bench``."""

import pandas as pd

from ntkal.experiments import results
from ntkal.inputs import check_int
from ntkal.textbook.bench import from_kernels, networks, scikit_activeml
from ntkal.textbook.bench.timing import ROW, shown

__all__ = ["run", "shown", "stored"]


def run(n: int = 1000, m: int = 4000, classes: int = 10, inputs: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Time each fast path and its peer on made-up kernels, and check that both give the same numbers.

    Ours and the peer's run in turn, and the best time of each counts, so that what else the machine does hits
    both. A peer that goes candidate by candidate is timed on a few and scaled to the pool.

    Args:
        n: Labelled inputs, at least 1.
        m: Pool inputs, at least 8.
        classes: Number of classes C, at least 2.
        inputs: Inputs of the networks whose kernels are timed, at least 80; 0 leaves the networks out.
        seed: Draws the kernels and labels.

    Returns:
        One row a comparison, with the columns of ``ntkal.textbook.bench.timing.ROW``.

    Raises:
        ValueError: When a size is out of range.

    Example:
        >>> table = run(n=10, m=20, classes=3, inputs=0)
        >>> bool((table["difference"].dropna() < 1e-8).all())
        True
    """
    for name, value, low in (("n", n, 1), ("m", m, from_kernels.FEW), ("classes", classes, 2)):
        check_int(name, value, low=low)
    check_int("inputs", inputs, low=networks.SMALLEST if inputs else 0)
    case, made = from_kernels.made_up(n, m, classes, seed), []
    for part in (from_kernels.norm_form, from_kernels.by_candidate, from_kernels.reveals, from_kernels.picks):
        made += part(case)
    made += scikit_activeml.both(size=min(n, 400), classes=classes, seed=seed)
    if inputs:
        made += [row for name in networks.NETWORKS for row in networks.kernel(name, inputs)]
        made += [*networks.query(2 * inputs), *networks.retraining(inputs // 4)]
    return pd.DataFrame(made, columns=list(ROW))


def stored(name: str = "bench") -> tuple[pd.DataFrame, dict]:
    """Return a table that is shipped with the package, and what made it.

    Args:
        name: ``"bench"``, or ``"growth"`` for that of ``python -m ntkal bench --growth``.

    Raises:
        FileNotFoundError: When the package has none.

    Example:
        >>> sorted(set(ROW) - set(stored()[0].columns))
        []
    """
    return results.read(results.STORE / f"{name}.parquet")
