"""What hidden tests of the problem sets share: they run a student's function and say what is wrong with it.

In: a function that a student wrote, inputs drawn by the test. Out: nothing, or a ``WrongAnswer`` in words. No
answer is known here: the answers are in the sources of the problem sets.
"""

import contextlib
import copy
import gc
import pkgutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from unittest import mock

import numpy as np

from ntkal.textbook.check import Checker, WrongAnswer

PRECISION = 2e-4  # of the largest entry: a right answer may be computed in float32


def grade(
    student: Callable[..., Any],
    right: Callable[..., Any],
    slips: Mapping[str, Callable[..., Any]],
    cases: Sequence[tuple],
    *,
    rtol: float = PRECISION,
    name: str = "",
) -> None:
    """Call a student's function on every case and name the slip that explains all of its answers.

    Each case weighs the same: answers are divided by the largest entry of the right one. What a student
    returns may be of any container and type of real numbers, JAX's too.

    Args:
        student: Called with a copy of each case, ``student(*case)``.
        right: Called in the same way, with the case itself; returns a number or an array.
        slips: Explanation of a likely mistake -> the function that makes it, called like ``right``. A slip
            that changes nothing in any case is not named.
        cases: Tuples of arguments; two or more that tell the slips apart.
        rtol: Tolerance, relative to the largest entry of a case. 0 for indices.
        name: What is said before the explanation, as ``"NNGP"``.

    Raises:
        WrongAnswer: When an answer has another shape or other numbers; the message names the slip.
        RuntimeError: When the checker itself was tampered with.

    Example:
        >>> double = lambda x: 2 * x
        >>> grade(double, double, {"You added 2.": lambda x: x + 2}, [(1.0,), (np.ones(3),)])
        >>> grade(lambda x: x + 2, double, {"You added 2.": lambda x: x + 2}, [(1.0,), (np.ones(3),)])
        Traceback (most recent call last):
        ntkal.textbook.check.WrongAnswer: You added 2.
    """
    if Checker(lambda: 1.0).problem(2.0) is None:
        raise RuntimeError("grading: the checker takes 2 for 1; it was changed by the notebook.")
    wanted = [np.asarray(right(*case)) for case in cases]
    scales = [1.0 if rtol == 0 else max(float(np.max(np.abs(w), initial=0)), 1e-300) for w in wanted]

    def all_cases(made):
        shaped = zip(made, wanted, scales, strict=True)
        return np.concatenate([np.ravel(np.broadcast_to(m, w.shape)) / scale for m, w, scale in shaped])

    def of_slip(slip):
        with np.errstate(all="ignore"):
            made = [np.asarray(slip(*case)) for case in cases]
        if any(m.shape not in (w.shape, ()) for m, w in zip(made, wanted, strict=True)):
            raise ValueError("a slip of another shape is named by its shape")
        return all_cases(made)

    said, found = "", []
    for case, want in zip(cases, wanted, strict=True):
        have = student(*copy.deepcopy(case))
        form = Checker(lambda want=want: np.ones(want.shape), rtol=1e300).problem(have)
        said = said or form or ""
        found.append(numbers(have) if not form else 0)
    if not said:
        checker = Checker(
            lambda: all_cases(wanted),
            {text: lambda slip=slip: of_slip(slip) for text, slip in slips.items()},
            rtol,
        )
        said = checker.problem(all_cases(found)) or ""
    if said:
        raise WrongAnswer(f"{name}: {said}" if name else said)


def numbers(value: Any) -> np.ndarray:
    """Return a student's numbers as a NumPy array, whatever holds them: lists, JAX arrays, tables.

    Example:
        >>> numbers([np.float32(0.5), 1])
        array([0.5, 1. ])
    """
    array = np.asarray(value)
    return array.astype(float) if array.dtype == object or array.dtype.kind == "f" else array


def unchanged(student: Callable[..., Any], *case: Any) -> None:
    """Call the student's function and see that its arguments are as they were.

    Raises:
        WrongAnswer: When one was changed in place.

    Example:
        >>> unchanged(np.sort, np.array([2, 1]))
    """
    before = copy.deepcopy(case)
    student(*case)
    for one, other in zip(case, before, strict=True):
        if isinstance(one, np.ndarray) and not np.array_equal(one, other, equal_nan=True):
            raise WrongAnswer(
                "Your function changed its arguments (a += ... works in place): the next call gets a "
                "wrong one. Work on a copy."
            )


@contextlib.contextmanager
def without(student: Callable[..., Any], *forbidden: str, why: str, most: int = 0) -> Iterator[None]:
    """Make calls that the question forbids raise, under whatever name the student has them.

    Every module of the same package and the student's own names are searched for the function; they get it
    back at the end. A ``try`` around the call does not help: what was called is remembered.

    Args:
        student: The student's function, whose global names are searched.
        forbidden: Dotted names, as ``"ntkal.empirical_ntk"``; ``"neural_tangents.*"`` is whatever the
            student's names hold of that package.
        why: The end of the sentence, as ``"write the gradients out"``.
        most: How many calls of all of them together are allowed.

    Raises:
        WrongAnswer: When one of them was called.

    Example:
        >>> with without(lambda a: a, "numpy.linalg.inv", why="solve the equations"):
        ...     np.linalg.inv(np.eye(2))
        Traceback (most recent call last):
        ntkal.textbook.check.WrongAnswer: Your function calls numpy.linalg.inv: solve the equations.
    """
    called: list[str] = []

    def refusing(name, original=None):
        def refuse(*given, **named):
            called.append(name)
            if len(called) > most:
                raise WrongAnswer(f"Your function calls {name}: {why}.")
            return original(*given, **named)

        return refuse

    with contextlib.ExitStack() as stack:
        own = getattr(student, "__globals__", {})
        for name in forbidden:
            package = name.split(".")[0]
            if name.endswith(".*"):
                stub = refusing(package)
                of_it = [k for k, v in own.items() if callable(v) and _root(v) == package]
                stack.enter_context(mock.patch.dict(own, dict.fromkeys(of_it, stub)))
                continue
            holder, _, last = name.rpartition(".")
            holder = pkgutil.resolve_name(holder)
            original = getattr(holder, last)
            stub = refusing(name, original)
            places = [vars(m) for key, m in list(sys.modules.items()) if key.split(".")[0] == package and m]
            for place in [*places, vars(holder), own]:
                if names := [k for k, v in list(place.items()) if v is original]:
                    stack.enter_context(mock.patch.dict(place, dict.fromkeys(names, stub)))
        yield
    if len(called) > most:
        raise WrongAnswer(f"Your function calls {called[0]}: {why}.")


def steps(student: Callable[..., Any], *case: Any) -> int:
    """Return how many steps of Python the student's own code takes: what NumPy does at once is one.

    Only code is counted whose global names are the student's, helpers and comprehensions included.

    Example:
        >>> def total(x):
        ...     return sum(one for one in x)
        >>> steps(total, range(100)) > 90 + steps(total, range(10))
        True
    """
    count = 0

    def trace(frame, event, _):
        nonlocal count
        if frame.f_globals is not student.__globals__:
            return None
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        student(*case)
    finally:
        sys.settrace(before)
    return count


def peak_memory(call: Callable[[], Any]) -> float:
    """Return by how many bytes the process grew at most during the call, JAX's arrays and NumPy's alike.

    The call is made once before, so that what is compiled does not count. Where the system has no mark that
    can be put back (Linux has), growth above the highest mark so far is all that is seen.

    Example:
        >>> peak_memory(lambda: np.ones(4_000_000).sum()) < 100e6
        True
    """
    call()
    gc.collect()
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as mark:
        mark.write("5")
    before = _highest()
    call()
    return float(_highest() - before)


def _highest() -> float:
    """The largest size of the process in memory, in bytes, since the mark was put back."""
    with contextlib.suppress(OSError), open("/proc/self/status") as rows:
        return 1024.0 * next(int(row.split()[1]) for row in rows if row.startswith("VmHWM"))
    import psutil

    now = psutil.Process().memory_info()
    return float(getattr(now, "peak_wset", now.rss))


def _root(value: Any) -> str:
    return (getattr(value, "__module__", None) or getattr(value, "__name__", "")).split(".")[0]
