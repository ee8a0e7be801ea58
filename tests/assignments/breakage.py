"""Break a model answer in many ways, each a slip that a student could make: `broken(source)`.

A slip changes one place of the syntax tree. Its name is the kind of the slip and what became of the place, as
`dropped: k + ridge * np.eye(n) => k`, so that the same slip has the same name as long as the place stands.
"""

import ast
import copy
import itertools
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

OTHER = {  # a function and what it may be taken for
    "argmax": ["argmin"], "argmin": ["argmax"], "max": ["min"], "min": ["max"], "maximum": ["minimum"],
    "minimum": ["maximum"], "sum": ["mean", "max"], "mean": ["sum", "median"], "median": ["mean"],
    "std": ["var"], "var": ["std"], "sin": ["cos"], "cos": ["sin"], "arccos": ["arcsin"], "exp": ["expm1"],
    "expm1": ["exp"], "log": ["log2", "log1p"], "zeros": ["ones"], "ones": ["zeros"], "inner": ["outer"],
    "intersection": ["union"], "any": ["all"], "all": ["any"], "cumsum": ["cumprod"], "entr": ["exp"],
    "standard_normal": ["random"], "floor": ["ceil"], "ceil": ["floor"], "solve": ["lstsq"],
}  # fmt: skip
NEGATED = {
    ast.Lt: [ast.Gt, ast.LtE], ast.LtE: [ast.GtE, ast.Lt], ast.Gt: [ast.Lt, ast.GtE],
    ast.GtE: [ast.LtE, ast.Gt], ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq], ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is], ast.In: [ast.NotIn], ast.NotIn: [ast.In],
}  # fmt: skip
FLIPPED = {
    ast.Add: [ast.Sub], ast.Sub: [ast.Add], ast.Mult: [ast.Div], ast.Div: [ast.Mult],
    ast.FloorDiv: [ast.Mult], ast.Pow: [ast.Mult], ast.MatMult: [],
}  # fmt: skip
RESULT = {  # what becomes of a result
    "negated": "-({})", "doubled": "2 * ({})", "constant": "0 * ({})", "constant one": "0 * ({}) + 1",
    "clipped": "np.clip({}, 0, None)", "clipped above": "np.minimum({}, 0.5)",
    "rounded": "np.round({}, 1)", "absolute": "abs({})", "transposed": "np.asarray({}).T",
    "reversed": "({})[::-1]", "sorted": "np.sort({}, axis=0)", "squared": "({}) ** 2",
    "shifted": "({}) + 0.01", "the first for all": "0 * ({0}) + np.ravel({0})[0]",
    "rolled": "np.roll({}, 1, axis=0)",
}  # fmt: skip
NO_SLIP = {"clipped", "clipped above", "rounded", "absolute", "transposed"}  # to indices
OF_ARRAYS = {"transposed", "reversed", "sorted", "rolled", "the first for all"}
INDICES = {"picks", "chosen", "bought", "order"}
GIVEN = {  # what becomes of an array that is given
    "taken for zero": "0 * {}", "taken for one": "0 * {} + 1", "doubled": "2 * {}",
    "reversed": "{}[::-1]", "without its sign": "abs({})", "sorted": "np.sort({}, axis=0)",
    "shortened": "{}[:-1]", "clipped": "np.clip({}, 0, 1)", "centred": "{0} - np.mean({0}, axis=0)",
}  # fmt: skip
NUMBER = {  # and of a number
    "taken for zero": "0 * {}", "taken for one": "0 * {} + 1", "doubled": "2 * {}", "halved": "{} / 2",
    "one more": "{} + 1", "one fewer": "{} - 1", "squared": "{} ** 2",
}  # fmt: skip
UNBROKEN = (ast.Raise, ast.Import, ast.ImportFrom, ast.JoinedStr, ast.arguments)
NUMBERS = {
    "ridge", "level", "count", "depth", "slope", "sw2", "sb2", "rate", "momentum", "steps", "size", "noise",
    "iterations", "seed", "c", "t", "step", "budget", "classes", "width",
}  # fmt: skip


@dataclass(frozen=True)
class Slip:
    """A broken answer: the kind of the slip, its name (which begins with the kind) and the whole cell."""

    kind: str
    name: str
    source: str


def broken(source: str, count: int | None = None, seed: int = 0) -> list[Slip]:
    """Break an answer: all slips, or so many, drawn so that every kind is there.

    Args:
        source: The cell, without marks.
        count: How many at most.
        seed: Of the draw, and of nothing else.

    Example:
        >>> [slip.name for slip in broken("def twice(x):\\n    return 2 * x") if slip.kind == "dropped"]
        ['dropped: 2 * x => 2', 'dropped: 2 * x => x']
    """
    tree = ast.parse(source)
    for number, node in enumerate(ast.walk(tree)):
        node.number = number
    slips, seen = [], {ast.unparse(tree)}
    for kind, node, changed in _changes(tree):
        try:
            text = ast.unparse(
                ast.fix_missing_locations(_Put(node.number, changed).visit(copy.deepcopy(tree)))
            )
            compile(text, "slip", "exec")
        except (SyntaxError, ValueError, AttributeError):
            continue
        if text not in seen and not seen.add(text):
            slips.append(Slip(kind, f"{kind}: {_short(node)} => {_short(changed)}", text))
    return slips if count is None else _draw(slips, count, seed)


def _draw(slips: list[Slip], count: int, seed: int) -> list[Slip]:
    """One slip of each kind in turn, until there are enough."""
    by_kind, drawn = defaultdict(list), []
    for slip in random.Random(seed).sample(slips, len(slips)):
        by_kind[slip.kind].append(slip)
    while len(drawn) < count and any(by_kind.values()):
        drawn += [group.pop() for group in by_kind.values() if group]
    return drawn[:count]


class _Put(ast.NodeTransformer):
    """Puts a node, or nodes, in the place of the one with this number; None takes it away."""

    def __init__(self, number: int, changed):
        self.number, self.changed = number, changed

    def visit(self, node):
        return self.changed if getattr(node, "number", None) == self.number else self.generic_visit(node)


def _short(node) -> str:
    """One line of what stands there."""
    if isinstance(node, ast.FunctionDef):
        return f"{node.name}({ast.unparse(node.args)})"
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 90 else f"{text[:60]} ... {text[-25:]}"


def _with(node, **fields):
    """A copy of the node with other fields."""
    made = copy.deepcopy(node)
    vars(made).update(fields)
    return made


def _expression(form: str, node) -> ast.expr:
    return ast.parse(form.format(ast.unparse(node)), mode="eval").body


def _changes(tree: ast.Module) -> Iterator[tuple[str, ast.AST, ast.AST | list | None]]:
    """(kind, place, what stands there instead) of all slips."""
    for node in _places(tree):
        if isinstance(node, ast.FunctionDef):
            yield from _of_arguments(node)
        elif isinstance(node, ast.stmt):
            yield from _of_statement(node, top=node in tree.body)
        elif isinstance(node, ast.expr):
            yield from _of_expression(node)
    yield from _wrong_names(tree)


def _places(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes that may change: not what is printed or raised, no documentation, no annotation."""
    for node in ast.iter_child_nodes(tree):
        said = isinstance(node, ast.Expr) and (
            isinstance(node.value, ast.Constant)
            or (isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "print")
        )
        hidden = isinstance(node, ast.keyword) and node.arg == "strict"
        if said or hidden or isinstance(node, UNBROKEN):
            continue
        yield node
        yield from _places(node)


def _of_arguments(node: ast.FunctionDef):
    names = [one.arg for one in node.args.args]
    for first, second in itertools.pairwise(names):
        swap = ast.parse(f"{first}, {second} = {second}, {first}").body
        yield "swapped arguments", node, _with(node, body=swap + copy.deepcopy(node.body))
    for name in names:
        for how, form in (NUMBER if name in NUMBERS else GIVEN).items():
            first = ast.parse(f"{name} = {form.format(name)}").body
            yield f"argument {name} {how}", node, _with(node, body=first + copy.deepcopy(node.body))


def _of_statement(node: ast.stmt, top: bool):
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.If | ast.For) and not top:
        yield "deleted", node, ast.Pass()
    if isinstance(node, ast.If):
        yield "condition", node, _with(node, test=ast.Constant(True))
        yield "condition", node, _with(node, test=ast.Constant(False))
    for other in FLIPPED.get(type(node.op), []) if isinstance(node, ast.AugAssign) else ():
        yield "flipped", node, _with(node, op=other())
    value = getattr(node, "value", None)
    if value is not None and (isinstance(node, ast.Return) or (top and isinstance(node, ast.Assign))):
        single = [value] if not isinstance(value, ast.Tuple) else value.elts
        for at, one in enumerate(single):
            number = isinstance(value, ast.Tuple) or ast.unparse(one).startswith("float(")
            none = OF_ARRAYS if number else set()
            if isinstance(one, ast.Name | ast.List | ast.Dict):
                none = set() if isinstance(one, ast.Name) else set(RESULT)
                none |= NO_SLIP if getattr(one, "id", "") in INDICES else set()
            for how, form in [(how, form) for how, form in RESULT.items() if how not in none]:
                whole = _expression(form, one)
                if isinstance(value, ast.Tuple):
                    whole = ast.Tuple([*value.elts[:at], whole, *value.elts[at + 1 :]], ast.Load())
                yield f"result {how}", node, _with(node, value=whole)
        if isinstance(value, ast.Tuple) and len(value.elts) > 1:
            rest = [value.elts[1], value.elts[0], *value.elts[2:]]
            yield "result exchanged", node, _with(node, value=ast.Tuple(copy.deepcopy(rest), ast.Load()))


def _of_expression(node: ast.expr):
    if isinstance(node, ast.BinOp):
        for other in FLIPPED.get(type(node.op), []):
            yield "flipped", node, _with(node, op=other())
        yield "dropped", node, copy.deepcopy(node.left)
        yield "dropped", node, copy.deepcopy(node.right)
        if isinstance(node.op, ast.MatMult):
            yield "transposed", node, _with(node, left=_expression("({}).T", node.left))
            yield "transposed", node, _with(node, right=_expression("({}).T", node.right))
            yield "swapped arguments", node, _with(node, left=node.right, right=node.left)
        if isinstance(node.op, ast.Sub | ast.Div | ast.Pow):
            yield "swapped arguments", node, _with(node, left=node.right, right=node.left)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        yield "sign", node, copy.deepcopy(node.operand)
    elif isinstance(node, ast.Compare):
        whole = any(isinstance(one, ast.Constant) for one in (node.left, *node.comparators))
        for other in NEGATED.get(type(node.ops[0]), [])[: 2 if whole else 1]:  # two floats are never equal
            yield "comparison", node, _with(node, ops=[other(), *node.ops[1:]])
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield "constant", node, ast.Constant(not node.value)
        elif isinstance(node.value, int):
            yield "off by one", node, ast.Constant(node.value + 1)
            yield "off by one", node, _expression("{}", ast.Constant(node.value - 1))
        elif isinstance(node.value, float):
            yield "constant", node, ast.Constant(2 * node.value)
            yield "constant", node, ast.Constant(node.value / 2)
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield "transposed", node, copy.deepcopy(node.value)
    elif isinstance(node, ast.Slice):
        yield from _of_slice(node)
    elif isinstance(node, ast.IfExp):
        yield "condition", node, copy.deepcopy(node.body)
        yield "condition", node, copy.deepcopy(node.orelse)
    elif isinstance(node, ast.Call):
        yield from _of_call(node)


def _of_slice(node: ast.Slice):
    if node.lower:
        yield "off by one", node, _with(node, lower=_expression("{} + 1", node.lower))
    if node.upper:
        yield "off by one", node, _with(node, upper=_expression("{} - 1", node.upper))
    if node.lower or node.upper:
        yield "whole", node, ast.Slice()


def _of_call(node: ast.Call):
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    for other in OTHER.get(name, []):
        func = _with(node.func, **{"attr" if isinstance(node.func, ast.Attribute) else "id": other})
        yield "other function", node, _with(node, func=func)
    if len(node.args) > 1 and not isinstance(node.args[0], ast.Starred):
        swapped = [node.args[1], node.args[0], *node.args[2:]]
        yield "swapped arguments", node, _with(node, args=copy.deepcopy(swapped))
    if name in (
        "sqrt",
        "abs",
        "absolute",
        "log",
        "exp",
        "square",
        "norm",
        "centred",
        "clip",
        "maximum",
        "cumsum",
    ):
        yield "dropped", node, copy.deepcopy(node.args[0])
    if name == "range" and len(node.args) == 1:
        yield "off by one", node, _expression("range({} - 1)", node.args[0])
        yield "off by one", node, _expression("range({} + 1)", node.args[0])
        yield "off by one", node, _expression("range(1, {})", node.args[0])
    for at, keyword in enumerate(node.keywords):
        kept = copy.deepcopy([one for one in node.keywords if one is not node.keywords[at]])
        if keyword.arg == "axis":
            yield "axis", node, _with(node, keywords=kept)
            if isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, int):
                other = ast.keyword("axis", ast.Constant(1 - keyword.value.value))
                yield "axis", node, _with(node, keywords=[*kept, other])
        elif keyword.arg not in (None, "strict", "dtype"):
            yield "dropped keyword", node, _with(node, keywords=kept)


def _wrong_names(tree: ast.Module):
    """A name for another one that is alike, of the same function."""
    for function in [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)] or [tree]:
        inside = [one for one in _places(function) if isinstance(one, ast.Name)]
        stored = {one.id for one in inside if isinstance(one.ctx, ast.Store)}
        names = sorted(stored | ({one.arg for one in function.args.args} if function is not tree else set()))
        for node in inside:
            if isinstance(node.ctx, ast.Load) and node.id in names:
                alike = [one for one in names if one != node.id and _alike(one, node.id)]
                for other in alike or [one for one in names if one != node.id][:1]:
                    yield "wrong data", node, ast.Name(other, ast.Load())


def _alike(one: str, other: str) -> bool:
    """`x1` and `x2`, `k_train` and `k_test`, `f` and `g`."""
    short = len(one) == len(other) == 1
    return short or one[0] == other[0] or one.split("_")[-1] == other.split("_")[-1] or one[-2:] == other[-2:]
