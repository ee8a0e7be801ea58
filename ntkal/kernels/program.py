"""A traced function as a list of steps: to be looked through, run, and known again by what it computes."""

import itertools
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend import core

COMPILED = ("jit", "pjit")
OWN_DERIVATIVE = ("custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr")


class Step(NamedTuple):
    """An equation, with the slots of its operands, or literals, and the slots of its results.

    Example:
        >>> program, _ = Program.trace(lambda x: 2.0 * x, 1.0)
        >>> program.steps[0].equation.primitive.name, program.steps[0].results
        ('mul', (1,))
    """

    equation: core.JaxprEqn
    operands: tuple[Any, ...]
    results: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Program:
    """What a function does to arguments of one shape, step by step, with what is compiled in it written out.

    Programs are equal when they take the same steps, whatever functions they were traced from, so that what
    JAX compiled for one serves the other. Arrays that the function reads from outside are no part of it: they
    are given when it runs, after the arguments, so that a program keeps no array and never goes out of date.

    Attributes:
        steps: The equations in their order.
        outputs: Slots or literals of the leaves of the result.
        result: Tree of the result's shapes and dtypes.
        slots: Slots of the arguments, then of the arrays read from outside.
        shapes: Their shapes and dtypes.
        derivatives: Whether functions with a derivative of their own are whole, so that they keep it.
    """

    steps: tuple[Step, ...]
    outputs: tuple[Any, ...]
    result: Any
    slots: tuple[int, ...]
    shapes: tuple[jax.ShapeDtypeStruct, ...]
    derivatives: bool = True

    @classmethod
    def trace(
        cls, function: Callable, *args: Any, derivatives: bool = True
    ) -> tuple["Program", list[jax.Array]]:
        """Return the program of a function, called once, and the arrays that it reads from outside.

        Args:
            function: A function that JAX can trace.
            *args: Arrays, or their shapes and dtypes.
            derivatives: Without them the program is for values alone.

        Example:
            >>> outside = {"scale": np.ones(2)}
            >>> function = lambda x: x * outside["scale"]
            >>> before, _ = Program.trace(function, np.ones(2))
            >>> outside["scale"] = np.full(2, 7.0)
            >>> after, arrays = Program.trace(function, np.ones(2))
            >>> before == after, [array.tolist() for array in arrays]
            (True, [[7.0, 7.0]])
        """
        # A function of its own for each call: JAX remembers what it traced.
        closed, result = jax.make_jaxpr(lambda *given: function(*given), return_shape=True)(*args)
        program, arrays = cls._written_out(closed, result, derivatives)
        return program, [jnp.asarray(array) for array in arrays]

    @classmethod
    def _written_out(cls, closed: core.ClosedJaxpr, result: Any, derivatives: bool) -> tuple["Program", list]:
        steps, outside, slots = [], {}, itertools.count()

        def write(jaxpr, consts, given):
            names = dict(zip(jaxpr.invars, given, strict=True))
            for var, const in zip(jaxpr.constvars, consts, strict=True):
                names[var] = next(slots)
                outside[names[var]] = const

            def find(atoms):
                return tuple(a if isinstance(a, core.Literal) else names[a] for a in atoms)

            for equation in jaxpr.eqns:
                name, operands = equation.primitive.name, find(equation.invars)
                if name in COMPILED or (name in OWN_DERIVATIVE and not derivatives):
                    inner = next(p for p in equation.params.values() if isinstance(p, core.ClosedJaxpr))
                    results = write(inner.jaxpr, inner.consts, operands)
                else:
                    results = tuple(itertools.islice(slots, len(equation.outvars)))
                    steps.append(Step(equation, operands, results))
                names.update(zip(equation.outvars, results, strict=True))
            return find(jaxpr.outvars)

        arguments = tuple(itertools.islice(slots, len(closed.jaxpr.invars)))
        outputs = write(closed.jaxpr, closed.consts, arguments)
        shapes = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in (*closed.in_avals, *outside.values())]
        slots = (*arguments, *outside)
        return cls(tuple(steps), outputs, result, slots, tuple(shapes), derivatives), list(outside.values())

    def __call__(self, values: Sequence[Any], change: Callable | None = None) -> Any:
        """Run the program on its arguments and the arrays that it reads from outside.

        Args:
            values: One for each of ``slots``.
            change: ``change(place, operands, results)`` gives the results of a step to go on with.

        Example:
            >>> program, _ = Program.trace(lambda x: x * 2.0 + 1.0, 3.0)
            >>> float(program([3.0])), float(program([3.0], lambda at, given, out: [out[0] + 10.0]))
            (7.0, 27.0)
        """
        held = dict(zip(self.slots, values, strict=True))

        def read(operands):
            return [held[each] if isinstance(each, int) else each.val for each in operands]

        for at, (equation, operands, results) in enumerate(self.steps):
            given = read(operands)
            bound = equation.primitive.get_bind_params(equation.params)
            # Some versions of JAX hand the functions that an equation holds apart from its options.
            functions, options = bound if isinstance(bound, tuple) else ((), bound)
            out = equation.primitive.bind(*functions, *given, **options)
            out = out if equation.primitive.multiple_results else [out]
            held.update(zip(results, out if change is None else change(at, given, out), strict=True))
        return jax.tree.unflatten(jax.tree.structure(self.result), read(self.outputs))

    @cached_property
    def key(self) -> Hashable:
        """What equal programs have in common."""
        steps = [(e.primitive, self._fixed(given), out, self._options(e)) for e, given, out in self.steps]
        shapes = [(shape.shape, shape.dtype) for shape in self.shapes]
        tree = jax.tree.structure(self.result)
        return tuple(steps), self._fixed(self.outputs), self.slots, tuple(shapes), tree, self.derivatives

    def _options(self, equation: core.JaxprEqn) -> Hashable:
        options = equation.params
        if not self.derivatives and equation.primitive.name in OWN_DERIVATIVE:
            options = {name: value for name, value in options.items() if isinstance(value, core.ClosedJaxpr)}
        return self._fixed(options)

    def _fixed(self, value: Any) -> Hashable:
        """A value as part of the key; numbers by their bits, since 0.0 equals -0.0 and 1 equals True."""
        if isinstance(value, core.Jaxpr) and not value.constvars:
            value = core.ClosedJaxpr(value, ())
        if isinstance(value, core.ClosedJaxpr):
            inner, arrays = Program._written_out(value, None, self.derivatives)
            return inner.key, self._fixed(arrays)
        if isinstance(value, core.Literal):
            return self._fixed(value.val), value.aval.weak_type
        if isinstance(value, (tuple, list)):
            return type(value), *map(self._fixed, value)
        if isinstance(value, dict):
            return tuple((name, self._fixed(value[name])) for name in sorted(value))
        if isinstance(value, (float, complex)):
            return type(value), repr(value)
        if hasattr(value, "__array__") and not isinstance(value, (type, jax.core.Tracer)):
            array = np.asarray(value)
            return str(array.dtype), array.shape, array.tobytes()
        try:
            hash(value)
        except TypeError:
            return object()
        return type(value), value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Program) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)
