"""Break the core in many small ways, one at a time, and see whether its own tests notice: ``make mutants``.

Places are drawn with a stated seed among those where cosmic-ray's operators can change something, each place
with one of its changes. Annotations are left out, since a broken one stops every test at the import. Each
mutant runs against the tests that mirror its file. Verdicts go to ``_build/mutants.tsv`` as they come, and a
second run goes on from them.
"""

import argparse
import concurrent.futures
import hashlib
import os
import random
import shutil
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path

import parso
from cosmic_ray.ast import ast_nodes
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names
from tqdm import tqdm

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "_build" / "mutants.tsv"
FOLDERS = ("kernels", "lookahead", "acquisition")
SEED = 20220612
# Annotations; `is` of None; what JAX compiles; arithmetic that floating-point numbers refuse at once.
LEFT_OUT = ("BitOr", "_Is", "Decorator", "Variable", "Shift", "BitAnd", "BitXor", "_Mod", "_FloorDiv")


def places() -> dict[tuple, list[tuple[str, int]]]:
    """Where the code can be changed: (file, position) -> operators and which of their occurrences it is."""
    found = defaultdict(list)
    names = [name for name in operator_names() if not any(word in name for word in LEFT_OUT)]
    for path in sorted(path for folder in FOLDERS for path in (ROOT / "ntkal" / folder).glob("*.py")):
        tree = list(ast_nodes(parso.parse(path.read_text())))
        for name in names:
            operator = get_operator(name)()
            at = [position for node in tree for position in operator.mutation_positions(node)]
            for occurrence, position in enumerate(at):
                found[path.relative_to(ROOT), position].append((name, occurrence))
    return found


def draw(count: int) -> list[tuple[Path, int, str, str]]:
    """``count`` mutants: file, line, operator, and the code of the whole file."""
    rng, found = random.Random(SEED), places()
    mutants = []
    for file, position in rng.sample(sorted(found), count):
        operator, occurrence = rng.choice(found[file, position])
        code = mutate_code((ROOT / file).read_text(), get_operator(operator)(), occurrence)
        mutants.append((file, position[0][0], operator, code))
    return mutants


def name(file: Path, line: int, operator: str, code: str) -> str:
    """What tells one mutant from all others, of other states of the file too."""
    return f"{file}:{line}\t{operator}\t{hashlib.sha256(code.encode()).hexdigest()[:12]}"


def tests_of(file: Path) -> Path:
    """The tests that mirror a file of the package; those of its folder where there are none of its own."""
    own = Path("tests", *file.parts[1:-1], f"test_{file.name}")
    return own if (ROOT / own).exists() else own.parent


def survives(mutant: tuple[Path, int, str, str], limit: float) -> bool:
    """Whether the tests of the file pass although its code was changed, in a copy of the repository."""
    file, _, _, code = mutant
    with tempfile.TemporaryDirectory() as folder:
        for name in ("ntkal", "tests", "book", "pyproject.toml", "Makefile"):
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, Path(folder, name))
        Path(folder, file).write_text(code)
        command = [
            str(ROOT / ".venv" / "bin" / "python"),
            "-m",
            "pytest",
            str(tests_of(file)),
            "-x",
            "-q",
            "-p",
            "no:cacheprovider",
        ]
        environment = os.environ | {"PYTHONPATH": folder}
        try:
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=limit)
        except subprocess.TimeoutExpired:
            return False
    return done.returncode == 0


def main() -> None:
    """Draw, run those that the table lacks, print the survivors; each verdict is written as it comes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--limit", type=float, default=600.0, help="seconds for the tests of one mutant")
    given = parser.parse_args()
    TABLE.parent.mkdir(exist_ok=True)
    lines = TABLE.read_text().splitlines() if TABLE.exists() else []
    verdicts = dict(line.rsplit("\t", 1) for line in lines)
    mutants = {name(*mutant): mutant for mutant in draw(given.count)}
    missing = [key for key in mutants if key not in verdicts]
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool, TABLE.open("a") as table:
        runs = {pool.submit(survives, mutants[key], given.limit): key for key in missing}
        for run in tqdm(concurrent.futures.as_completed(runs), total=len(runs), unit="mutant"):
            verdicts[runs[run]] = "survives" if run.result() else "killed"
            print(runs[run], verdicts[runs[run]], sep="\t", file=table, flush=True)
    found = [verdicts[key] for key in mutants]
    print(*(key for key in mutants if verdicts[key] == "survives"), sep="\n")
    print(f"{found.count('killed')} of {len(mutants)} killed")


if __name__ == "__main__":
    main()
