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
LEFT_OUT = (
    "BitOr",
    "_Is_",
    "_IsNot_",
    "Decorator",
    "Variable",
    "Shift",
    "BitAnd",
    "BitXor",
    "_Mod",
    "_FloorDiv",
)
