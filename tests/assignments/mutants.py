"""Break each model answer in fifty ways and list the broken ones that keep full marks.

    python tests/assignments/mutants.py                          all sets, a row for each question
    python tests/assignments/mutants.py ps1_kernels --cell loo   one question
    python tests/assignments/mutants.py ps1_kernels --list       also what was broken, and what the tests said

A slip that keeps full marks needs a reason in `survivors/SET.toml`, by cell and by its name. Where the reason
begins with `same:` the slip changes nothing that the question asks for, and is no wrong answer: it is listed
and not counted. Of the others at most a twentieth of a set may keep full marks. Exit status 1 when one has no
reason, or when more survive. A slip whose cell fails as it runs is not counted: no test has to find it.
"""

import argparse
import os
import time
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from breakage import Slip, broken
from run_cells import FOLDER, ROOT, Paper

REASONS = Path(__file__).parent / "survivors"
SHARE = 0.05  # of the slips of a set may survive
COUNT = 50
SAME = "same: "  # a slip that is none


@dataclass
class Trial:
    """A slip and what the tests of its question said, by cell where points were lost."""

    slip: Slip
    lost: dict[str, str]
    seconds: float


def trials(paper: Paper, cell: str, count: int = COUNT, limit: float = 20.0) -> list[Trial]:
    """Break the model answer of a cell until so many slips ran to its end, and test each."""
    found: list[Trial] = []
    for slip in broken(paper.solutions[cell], 3 * count):
        began = time.perf_counter()
        lost = paper.losses({cell: slip.source}, limit=limit)
        if cell not in lost:
            found.append(Trial(slip, lost, time.perf_counter() - began))
        if len(found) == count:
            break
    return found


def reasons(name: str) -> dict[str, dict[str, str]]:
    """Why slips survive: reason by cell and name of the slip."""
    path = REASONS / f"{name}.toml"
    return tomllib.loads(path.read_text()) if path.exists() else {}


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "sets", nargs="*", default=sorted(p.stem for p in (ROOT / FOLDER).glob("ps[0-9]*.md"))
    )
    options.add_argument("--cell", action="append", help="this solution cell only")
    options.add_argument("--seed", type=int, default=0, help="the variant")
    options.add_argument("--count", type=int, default=COUNT, help="slips for each question")
    options.add_argument("--list", action="store_true", help="print every slip with what was said")
    asked, status = options.parse_args(), 0
    for name in asked.sets:
        paper, known, total, alive = Paper(name, asked.seed), reasons(name), 0, []
        for cell in asked.cell or paper.solutions:
            done = trials(paper, cell, asked.count)
            left = [one.slip.name for one in done if not one.lost]
            named = Counter(
                "largest difference" not in "".join(one.lost.values()) for one in done if one.lost
            )
            total, alive = total + len(done), alive + [(cell, slip) for slip in left]
            seconds = sum(one.seconds for one in done)
            print(
                f"{name} {cell}: {len(done)} slips, {len(left)} keep full marks, "
                f"{named[True]} get a diagnosis ({seconds:.0f} s)",
                flush=True,
            )
            for one in done if asked.list else ():
                print(f"    {one.slip.name}")
                for test, said in one.lost.items():
                    print(f"        {test}: {said[:150]}")
        wrong = [(c, slip) for c, slip in alive if not known.get(c, {}).get(slip, "").startswith(SAME)]
        total -= len(alive) - len(wrong)
        for cell, slip in alive:
            why = known.get(cell, {}).get(slip)
            status = status if why else 1
            print(f"    survives: {cell}: {slip}\n        {why or 'NO REASON GIVEN'}")
        share, same = 100 * len(wrong) / max(total, 1), len(alive) - len(wrong)
        print(f"{name}: {len(wrong)} of {total} survive ({share:.1f}%); {same} more are no slips", flush=True)
        status = 1 if len(wrong) > SHARE * total else status
    return status


if __name__ == "__main__":
    raise SystemExit(main())
