"""Break the core in many small ways, one at a time, and see whether its own tests notice: ``make mutants``.

Places are drawn with a stated seed among those where cosmic-ray's operators can change something, each place
with one of its changes. Annotations are left out, since a broken one stops every test at the import. Each
mutant runs against the tests that mirror its file; a table of all goes to ``_build/mutants.tsv``.
"""

import argparse
import concurrent.futures
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


def draw(count: int) -> list[tuple[Path, tuple, str, str]]:
    """``count`` mutants: file, position, operator, and the code of the whole file."""
    rng, found = random.Random(SEED), places()
    mutants = []
    for file, position in rng.sample(sorted(found), count):
        name, occurrence = rng.choice(found[file, position])
        code = mutate_code((ROOT / file).read_text(), get_operator(name)(), occurrence)
        mutants.append((file, position[0], name, code))
    return mutants


def tests_of(file: Path) -> Path:
    """The tests that mirror a file of the package; those of its folder where there are none of its own."""
    own = Path("tests", *file.parts[1:-1], f"test_{file.name}")
    return own if (ROOT / own).exists() else own.parent


def survives(file: Path, code: str, limit: float) -> bool:
    """Whether the tests of the file pass although its code was changed, in a copy of the repository."""
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
    """Draw, run, print the survivors and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--limit", type=float, default=600.0, help="seconds for the tests of one mutant")
    given = parser.parse_args()
    mutants = draw(given.count)
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        verdicts = pool.map(lambda m: survives(m[0], m[3], given.limit), mutants)
        verdicts = list(tqdm(verdicts, total=len(mutants), unit="mutant"))
    rows = [
        f"{file}\t{at[0]}\t{name}\t{alive}"
        for (file, at, name, _), alive in zip(mutants, verdicts, strict=True)
    ]
    (ROOT / "_build").mkdir(exist_ok=True)
    (ROOT / "_build" / "mutants.tsv").write_text("\n".join(["file\tline\toperator\tsurvives", *rows, ""]))
    print(*(row for row, alive in zip(rows, verdicts, strict=True) if alive), sep="\n")
    print(f"{verdicts.count(False)} of {len(mutants)} killed")


if __name__ == "__main__":
    main()
