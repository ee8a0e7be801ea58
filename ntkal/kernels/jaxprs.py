"""A network as a list of equations, run one by one."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.extend import core
from jaxtyping import Float

from ntkal.inputs import ArrayLike


def written_out(apply_fn: Callable, params: Any, x: Float[ArrayLike, "1 ..."]) -> core.ClosedJaxpr:
    """Return the program of a network for one input, with what is compiled in it written out.

    Its arguments are the leaves of the parameters and the input. Functions with derivatives of their own stay
    whole, so that they keep them.

    Example:
        >>> program = written_out(jax.jit(lambda w, x: x @ w), jax.numpy.ones((2, 3)), jax.numpy.ones((1, 2)))
        >>> [equation.primitive.name for equation in program.jaxpr.eqns]
        ['dot_general']
    """
    leaves, tree = jax.tree.flatten(params)

    def flat(*args):
        return apply_fn(jax.tree.unflatten(tree, args[:-1]), args[-1])

    made = jax.make_jaxpr(flat)(*leaves, x)
    return jax.make_jaxpr(lambda *args: evaluate(made, args))(*leaves, x)


def evaluate(program: core.ClosedJaxpr, args: Sequence, change: Callable | None = None) -> list:
    """Run a program equation by equation; ``change(place, operands, results)`` gives results to go on with.

    Example:
        >>> program = jax.make_jaxpr(lambda x: x * 2.0 + 1.0)(3.0)
        >>> float(evaluate(program, [3.0])[0])
        7.0
        >>> float(evaluate(program, [3.0], lambda at, operands, out: [out[0] + 10.0])[0])
        27.0
    """
    jaxpr = program.jaxpr
    values = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*program.consts, *args], strict=True))

    def read(atom):
        return atom.val if isinstance(atom, core.Literal) else values[atom]

    for at, equation in enumerate(jaxpr.eqns):
        operands = [read(atom) for atom in equation.invars]
        if equation.primitive.name in ("jit", "pjit"):
            out = evaluate(equation.params["jaxpr"], operands)
        else:
            bound = equation.primitive.get_bind_params(equation.params)
            # Some versions of JAX hand the functions that an equation holds apart from its options.
            functions, options = bound if isinstance(bound, tuple) else ((), bound)
            out = equation.primitive.bind(*functions, *operands, **options)
            out = out if equation.primitive.multiple_results else [out]
        out = out if change is None else change(at, operands, out)
        values.update(zip(equation.outvars, out, strict=True))
    return [read(atom) for atom in jaxpr.outvars]
