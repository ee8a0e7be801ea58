import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ntkal.kernels.program import Program

ONES = jax.ShapeDtypeStruct((3,), np.float64)


def traced(function, **options):
    return Program.trace(function, ONES, **options)[0]


def loop(scale):
    return lambda x: jax.lax.scan(lambda h, _: (jax.nn.relu(h * scale), None), x, length=3)[0]


EQUAL = [
    (lambda x: jnp.sin(x) * 2.0, jax.jit(lambda y: jnp.sin(y) * 2.0)),
    (lambda x: x + np.arange(3.0), lambda x: x + np.ones(3)),
    (loop(np.full(3, 2.0)), loop(np.full(3, 3.0))),
]
UNEQUAL = [
    (lambda x: x * 2.0, lambda x: x * 3.0),
    (lambda x: x + 0.0, lambda x: x + -0.0),
    (lambda x: x.astype(np.float32), lambda x: x.astype(np.float16)),
    (lambda x: jnp.sum(x, keepdims=True), lambda x: jnp.max(x, keepdims=True)),
    (lambda x: (x, 2 * x), lambda x: (2 * x, x)),
    (lambda x: [x], lambda x: {"x": x}),
    (lambda x: jax.lax.clamp(0.0, x, 1.0), lambda x: jax.lax.clamp(0.0, x, 2.0)),
    (lambda x: jax.lax.cumsum(x, 0), lambda x: jax.lax.cumsum(x, 0, reverse=True)),
    (loop(2.0), loop(3.0)),
    (lambda x: x - 2 * x, lambda x: 2 * x - x),
]


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_equal_steps_make_equal_programs(one, other):
    one, other = (traced(function, derivatives=False) for function in (one, other))
    assert one == other
    assert hash(one) == hash(other)


@pytest.mark.parametrize(("one", "other"), UNEQUAL)
def test_whatever_changes_a_result_makes_another_program(one, other):
    for derivatives in (True, False):
        assert traced(one, derivatives=derivatives) != traced(other, derivatives=derivatives)
    assert traced(one) != Program.trace(one, jax.ShapeDtypeStruct((1,), np.float64))[0]


@pytest.mark.parametrize("function", [one for pair in (*EQUAL, *UNEQUAL) for one in pair])
def test_a_program_gives_what_its_function_does(function, rng):
    x = rng.normal(size=3)
    program, outside = Program.trace(function, x)
    for run in (program, jax.jit(program)):
        jax.tree.map(np.testing.assert_array_equal, run([x, *outside]), function(jnp.asarray(x)))


def test_a_derivative_of_ones_own_is_kept_or_given_up():
    function = jax.jit(lambda x: jax.nn.relu(x).sum())
    grads = []
    for derivatives in (True, False):
        program, _ = Program.trace(function, ONES, derivatives=derivatives)
        grads.append(jax.grad(lambda x, program=program: program([x]))(jnp.zeros(3)).tolist())
    assert grads == [[0.0] * 3, [0.5] * 3]
