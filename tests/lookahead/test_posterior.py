"""The contract, for each way to hold a covariance: refitting, refusals, labels, tracing, devices."""

import os
import subprocess
import sys
import textwrap

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from jax.test_util import check_grads
from problems import KINDS, problem

from ntkal import FactorLookahead, Lookahead
from ntkal.inputs import SingularKernelError

EACH = pytest.mark.parametrize("kind", KINDS)
CASE = problem(ridge=0.2)
LABELS = np.eye(3)[[0, 2, 1, 1, 0, 2, 2, 1, 0]]


def close(have, want, tolerance=1e-9):
    np.testing.assert_allclose(have, want, rtol=0, atol=tolerance * max(np.max(np.abs(want)), 1e-300))


@EACH
@pytest.mark.parametrize("ridge", [0.0, 0.2])
def test_after_and_reveals_in_either_order_are_refitting(kind, ridge):
    case = problem(ridge=ridge)
    post, dense = case.fit(kind), case.fit()
    close(post.mean, case.refit())
    for c in (0, 8):
        close(post.after(c, LABELS[c]), case.refit([(c, LABELS[c])]))
    pairs = [(4, LABELS[4]), (7, np.array([0.3, -2.0, 0.5])), (0, LABELS[0])]
    for order in (pairs, pairs[::-1]):
        later, reference = post, dense
        for c, y in order:
            after, later, reference = later.after(c, y), later.reveal(c, y), reference.reveal(c, y)
            np.testing.assert_array_equal(later.mean, after)
        close(later.mean, case.refit(pairs))
        close(later.columns(0, 9), reference.cov)
        close(later.variance, np.diag(reference.cov))
        assert (later.ridge, later.floor) == (post.ridge, post.floor)


@EACH
@pytest.mark.parametrize("ridge", [0.0, 0.2])
def test_reveals_all_at_once_are_those_one_after_another(kind, ridge):
    case = problem(ridge=ridge)
    at = np.array([7, 2, 3])
    together = one_by_one = case.fit(kind).reveal(5, LABELS[5])
    for c in at.tolist():
        one_by_one = one_by_one.reveal(c, LABELS[c])
    together = together.reveal_all(at, LABELS[at])
    close(together.mean, case.refit([(c, LABELS[c]) for c in (5, 7, 2, 3)]))
    close(together.columns(0, 9), one_by_one.columns(0, 9))
    close(together.variance, one_by_one.variance)
    assert (together.ridge, together.floor) == (one_by_one.ridge, one_by_one.floor)
    close(together.reveal(0, LABELS[0]).mean, one_by_one.reveal(0, LABELS[0]).mean)


@EACH
def test_columns_are_those_of_the_covariance_wherever_they_are(kind):
    post, cov = CASE.fit(kind).reveal(5, LABELS[5]), CASE.fit().reveal(5, LABELS[5]).cov
    close(post.columns(2, 3), cov[:, 2:5])
    close(post.columns_at(np.array([7, 0])), cov[:, [7, 0]])
    assert float(post.variance_of(3)) == pytest.approx(float(cov[3, 3]), rel=1e-9)
    sums = post.absolute_sums()
    assert sums is None or np.allclose(sums, np.abs(cov).sum(axis=1), rtol=1e-9)


@EACH
def test_what_is_determined_takes_no_label_without_a_ridge(kind):
    post = problem(ridge=0.0).with_copies().fit(kind)
    for call in (post.after, post.reveal):
        with pytest.raises(
            SingularKernelError, match="c: the labelled points determine pool point 8 already"
        ):
            call(8, LABELS[8])
    for at, which in (([3, 8], 8), ([0, 7], 7), ([7, 2, 0], 0)):
        with pytest.raises(
            SingularKernelError, match=f"at: the labelled points determine pool point {which}"
        ):
            post.reveal_all(np.array(at), LABELS[at])
    with pytest.raises(SingularKernelError, match="pool point 7"):
        post.reveal(0, LABELS[0]).reveal(7, LABELS[7])
    case = problem(ridge=0.2).with_copies()
    pairs = [(8, LABELS[0]), (8, LABELS[1])]
    close(case.fit(kind).reveal(*pairs[0]).reveal(*pairs[1]).mean, case.refit(pairs))


def test_candidates_that_determine_each_other_but_for_rounding_take_no_labels_together():
    cov = np.array([[1.0, 1.0 - 2.0**-52], [1.0 - 2.0**-52, 1.0]])
    post = Lookahead(jnp.zeros((2, 3)), jnp.asarray(cov), ridge=0.0)
    with pytest.raises(SingularKernelError, match="at: the labelled points determine pool point 1 already"):
        post.reveal_all(np.array([0, 1]), LABELS[:2])
    far = Lookahead(jnp.zeros((2, 3)), jnp.array([[1.0, 0.999999], [0.999999, 1.0]]), ridge=0.0)
    close(far.reveal_all(np.array([0, 1]), LABELS[:2]).mean, LABELS[:2], 1e-8)


@EACH
@pytest.mark.parametrize(
    ("at", "message"),
    [
        (np.arange(9) == 4, "at: expected positions, got a boolean mask; give np.flatnonzero"),
        (np.array([4.9, 6.9]), "at: expected positions as whole numbers, got float64"),
        (np.array([0, 9]), "at: expected positions between 0 and 8, got 9"),
        (np.array([0, -1]), "at: expected positions between 0 and 8, got -1"),
        (np.array([4, 4]), "at: position 4 stands there more than once"),
        (np.array([], dtype=int), r"at: expected positions of shape \(r,\) with r >= 1"),
    ],
)
def test_what_are_no_positions_is_refused(as_user, kind, at, message):
    with pytest.raises(ValueError, match=message):
        CASE.fit(kind).reveal_all(at, LABELS[: len(at)])


@EACH
def test_what_is_no_position_is_refused(as_user, kind):
    post = CASE.fit(kind)
    for c, said in ((True, "True"), (4.0, "4.0"), (np.array([1]), "a ndarray")):
        with pytest.raises(ValueError, match=f"c: expected a whole number, got {said}"):
            post.after(c, LABELS[0])
    for c in (-1, 9):
        with pytest.raises(ValueError, match=f"c: expected a whole number between 0 and 8, got {c}"):
            post.reveal(c, LABELS[0])
    np.testing.assert_array_equal(post.after(np.int32(4), LABELS[4]), post.after(jnp.array(4), LABELS[4]))


@EACH
def test_labels_as_people_have_them_are_the_same_labels(as_user, kind):
    classes = CASE.y_l.argmax(axis=1)
    kernel = (CASE.phi_l, CASE.phi_p) if kind is FactorLookahead else CASE.blocks
    post, at = CASE.fit(kind), np.array([1, 6])
    kinds = (
        lambda numbers: numbers[:, None] == np.arange(3),
        lambda numbers: pd.get_dummies(pd.Categorical(numbers, [0, 1, 2])),
        lambda numbers: pd.DataFrame(np.eye(3, dtype=int)[numbers]).astype("Int64"),
        lambda numbers: np.eye(3, dtype=np.float32)[numbers].tolist(),
    )
    for hot in kinds:
        again = kind.fit(*kernel, CASE.f_l, CASE.f_p, hot(classes), ridge=CASE.ridge)
        np.testing.assert_array_equal(again.mean, post.mean)
        together = post.reveal_all(at, hot(np.array([2, 0])))
        np.testing.assert_array_equal(together.mean, post.reveal_all(at, np.eye(3)[[2, 0]]).mean)
    for one in (np.arange(3) == 2, pd.Series([0, 0, 1], dtype="Int64"), [False, False, True]):
        np.testing.assert_array_equal(post.after(1, one), post.after(1, np.eye(3)[2]))
        np.testing.assert_array_equal(post.reveal(1, one).mean, post.after(1, np.eye(3)[2]))
    calls = {
        "y_l": lambda: kind.fit(*kernel, CASE.f_l, CASE.f_p, classes, ridge=CASE.ridge),
        "y": lambda: post.reveal_all(at, np.array([2, 0])),
    }
    for name, call in calls.items():
        with pytest.raises(ValueError, match=rf"{name}: expected label vectors .* np.eye\(3\)\[labels\]"):
            call()
    with pytest.raises(ValueError, match=r"y: expected label vectors .* np.eye\(3\)\[label\]"):
        post.after(1, 2)
    with pytest.raises(ValueError, match="y: 1 of 3 entries are NaN"):
        post.after(1, np.array([1.0, np.nan, 0.0]))


@EACH
def test_mapped_scanned_and_compiled_it_gives_the_same_numbers(kind):
    post = CASE.fit(kind)
    after = jax.vmap(post.after)(jnp.arange(9), LABELS)
    close(after, np.stack([post.after(c, LABELS[c]) for c in range(9)]))
    order = jnp.array([4, 0, 7])
    later, _ = jax.lax.scan(lambda p, c: (p.reveal(c, jnp.asarray(LABELS)[c]), None), post, order)
    want = post
    for c in order.tolist():
        want = want.reveal(c, LABELS[c])
    close(later.mean, want.mean)
    close(later.columns(0, 9), want.columns(0, 9))
    revealed = jax.vmap(lambda c, y: post.reveal(c, y).variance)(order, LABELS[np.asarray(order)])
    close(revealed[1], post.reveal(0, LABELS[0]).variance)
    together = jax.jit(lambda p, at, y: p.reveal_all(at, y))(post, order, LABELS[np.asarray(order)])
    close(together.mean, want.mean)


@EACH
def test_a_fit_can_be_compiled_and_differentiated(kind):
    kernel = (CASE.phi_l, CASE.phi_p) if kind is FactorLookahead else CASE.blocks
    rest = (CASE.f_l, CASE.f_p, CASE.y_l)
    post, compiled = CASE.fit(kind), jax.jit(kind.fit)(*kernel, *rest, ridge=0.2)
    for have, want in zip(jax.tree.leaves(compiled), jax.tree.leaves(post), strict=True):
        np.testing.assert_allclose(have, want, rtol=1e-9, atol=1e-9)

    def spread(ridge):
        post = kind.fit(*kernel, *rest, ridge=ridge)
        return jnp.sum(post.after(3, LABELS[3]) ** 2) + jnp.sum(post.variance)

    check_grads(spread, (0.2,), order=1, modes=["rev"], rtol=1e-5)


@EACH
def test_shapes_are_checked_while_values_are_traced(as_user, kind):
    post = CASE.fit(kind)
    with pytest.raises(ValueError, match=r"y: expected shape \(3,\), got \(2,\)"):
        jax.vmap(post.after)(jnp.arange(9), LABELS[:, :2])
    with pytest.raises(ValueError, match="c: expected a whole number"):
        jax.jit(post.after)(1.0, LABELS[0])


@EACH
def test_what_cannot_be_refused_while_it_is_traced_gives_nan_and_no_number(kind):
    post = problem(ridge=0.0).with_copies().fit(kind)
    after = np.asarray(jax.vmap(post.after)(jnp.array([8, -1, 9, 3]), LABELS[[0, 0, 0, 3]]))
    assert np.isnan(after[:3]).all()
    close(after[3], post.after(3, LABELS[3]))
    outside = jax.jit(lambda at: post.reveal_all(at, LABELS[:2]).mean)
    assert np.isnan(outside(jnp.array([0, 7]))).all()
    assert np.isnan(outside(jnp.array([0, 9]))).all()
    close(outside(jnp.array([0, 1])), post.reveal_all(np.array([0, 1]), LABELS[:2]).mean)


@EACH
def test_it_is_a_pytree(kind):
    post = CASE.fit(kind)
    doubled = jax.tree.map(lambda leaf: 2 * leaf, post)
    assert type(doubled) is kind
    np.testing.assert_array_equal(doubled.mean, 2 * post.mean)


def test_what_is_given_on_a_device_is_answered_there():
    """On the second of two devices, in a process of its own."""
    script = """
        import jax, jax.numpy as jnp, numpy as np
        from problems import KINDS, problem
        from ntkal import acquisition, gradient_flow
        from ntkal.kernels import host
        host.LARGE = 0
        case, second = problem(), jax.devices()[1]
        arrays = case.phi_l, case.phi_p, case.f_l, case.f_p, case.y_l
        there = type(case)(*(jax.device_put(a, second) for a in arrays), 0.1)
        found = {}
        for kind in KINDS:
            post = there.fit(kind)
            later = post.reveal(3, np.eye(3)[0]).reveal_all([1, 2], np.eye(3)[:2])
            probs = acquisition.probabilities(later.mean)
            scores = [acquisition.mlmoc(later), acquisition.emoc(later, probs)]
            for leaf in jax.tree.leaves([post, later, post.after(0, np.eye(3)[0]), scores]):
                if isinstance(leaf, jax.Array):
                    found.setdefault(kind.__name__, set()).add(leaf.device.id)
        k_ll, k_pl, _ = there.blocks
        for t in (None, 1.0):
            flow = gradient_flow(k_ll, there.y_l, there.f_l, k_pl, there.f_p, t=t)
            found.setdefault("flow", set()).add(flow.device.id)
        assert set(map(frozenset, found.values())) == {frozenset({1})}, found
    """
    env = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "PYTHONPATH": "tests"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-1500:]


@EACH
def test_hundreds_of_reveals_in_one_scan_do_not_drift_from_a_refit(kind):
    case = problem(m=50, n=5, parameters=60, ridge=0.1)
    rng = np.random.default_rng(3)
    at, labels = rng.integers(50, size=300), rng.normal(size=(300, 3))
    step = jax.jit(
        lambda post: jax.lax.scan(lambda p, cy: (p.reveal(*cy), None), post.with_room(300), (at, labels))[0]
    )
    later = step(case.fit(kind))
    close(later.mean, case.refit(list(zip(at.tolist(), labels, strict=True))), 1e-8)
    close(later.variance, np.diag(later.columns(0, 50)), 1e-8)


def test_an_array_for_a_covariance_is_read_and_not_computed():
    assert [kind.stored for kind in KINDS] == [kind is Lookahead for kind in KINDS]
