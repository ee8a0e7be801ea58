"""Right answers in other clothes have all points, and the tests take no name that is the student's."""

import ast
import builtins
import importlib

import jax
import pytest
from jaxtyping import config
from right_answers import NAMES
from run_cells import Paper
from test_bank import SETS

BANKS = {
    name: importlib.import_module(f"right_answers.{name}").BANK
    for name in SETS
    if importlib.util.find_spec(f"right_answers.{name}")
}
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module", autouse=True)
def as_a_student():
    """Without the test run's type checker, and with JAX's own rules of broadcasting."""
    config.update("jaxtyping_disable", True)
    with jax.numpy_rank_promotion("allow"):
        yield
    config.update("jaxtyping_disable", False)


@pytest.fixture(scope="module", params=sorted(BANKS))
def paper(request, as_a_student):
    return Paper(request.param)


def test_right_answers_have_all_points(paper):
    found = {
        (cell, how): lost
        for cell, answers in BANKS[paper.name].items()
        for how, source in answers.items()
        if (lost := paper.losses({cell: source.strip()}))
    }
    assert found == {}


def test_every_coding_question_has_other_right_answers(paper):
    assert set(BANKS[paper.name]) == set(paper.solutions)


def used(source):
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}


def test_a_scratch_cell_with_any_names_costs_nothing(paper):
    found = {}
    for cell, source in paper.solutions.items():
        here = next(part.question for part in paper.parts if part.name == cell)
        own = [
            part for part in paper.parts if part.question in (0, here) and part.role in ("given", "solution")
        ]
        taken = set().union(*(used(part.source) | _stored(part.source) for part in own))
        scratch = "\n".join(f"{name} = 'mine'" for name in NAMES if name not in taken)
        found |= {(cell, test): said for test, said in paper.losses({cell: source}, scratch=scratch).items()}
    assert found == {}


def test_tests_bind_no_name_of_the_student_and_read_what_the_question_names(paper):
    for part in paper.parts:
        if part.role != "tests":
            continue
        tree = ast.parse(part.source)
        bound = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        bound |= {node.id for one in tree.body for node in _top(one) if isinstance(node.ctx, ast.Store)}
        assert not [name for name in bound if not name.startswith("_")], part.name
        here = [one for one in paper.parts if one.question in (0, part.question) and one is not part]
        stored = [(one.role, _stored(one.source)) for one in here]
        known = {*bound, *dir(builtins)}.union(*(names for role, names in stored if role != "tests"))
        known |= {name for _, names in stored for name in names if name.startswith("_")}  # of a question
        assert _free(tree) <= known, (part.name, _free(tree) - known)


def _top(statement):
    """The names of a statement that stands at the top, without what is inside a function."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return []
    return [node for node in ast.walk(statement) if isinstance(node, ast.Name)]


def _stored(source):
    tree = ast.parse(source)
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    names |= {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    names |= {node.name for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and node.name}
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return names | {(one.asname or one.name).split(".")[0] for node in imports for one in node.names}


def _free(tree):
    """The names that are read and bound nowhere in the cell."""
    read = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    return read - arguments - _stored(ast.unparse(tree))
