"""The checkers of chapters 1 to 6 accept the right answer and name each slip of the bank."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from bank import bank_tests
from scipy import stats

import ntkal
from ntkal import gradient_flow
from ntkal.kernels.neural_tangents import stax
from ntkal.textbook.answers import CHECKERS


def givens_of_1(rng):
    base = 0.9 + 0.02 * rng.standard_normal(6)
    curves = {
        "labels": np.array([40, 60, 80, 100]),
        "chance": np.array([0.6, 0.7, 0.74, 0.8]),
        "strategy": np.array([0.6, 0.72, 0.82, 0.86]),
        "price": 0.3,
    }
    return {
        "1.2": {"ours": base + 0.01, "theirs": base + 0.005 * rng.standard_normal(6)},
        "1.3": curves,
    }


@pytest.fixture(scope="module")
def givens():
    made = {}
    for of_chapter in (givens_of_1, givens_of_2, givens_of_3, givens_of_4, givens_of_5, givens_of_6):
        made |= of_chapter(np.random.default_rng(20220612))
    return made


def test_the_interval_is_that_of_the_paired_t_test(givens):
    ours, theirs = givens["1.2"]["ours"], givens["1.2"]["theirs"]
    ends = stats.ttest_rel(ours, theirs).confidence_interval(0.95)
    value = [(ours - theirs).mean(), ends.low, ends.high]
    assert CHECKERS["1.2"].problem(value, **givens["1.2"]) is None


def test_the_saving_is_read_between_the_cycles(givens):
    # The strategy passes 0.80 at eight tenths of the way from 60 to 80 labels.
    assert CHECKERS["1.3"].problem(0.3 * (100 - 76), **givens["1.3"]) is None


def test_a_strategy_that_only_just_gets_there_saves_nothing(givens):
    given = givens["1.3"] | {"strategy": givens["1.3"]["chance"]}
    assert CHECKERS["1.3"].expected(**given) == 0


def posterior(rng, ridge=0.1, n=4, m=6):
    phi = rng.standard_normal((n + m, 12))
    gram = phi @ phi.T
    k_inv = np.linalg.inv(gram[:n, :n] + ridge * np.eye(n))
    y = rng.standard_normal((n, 1))
    return (
        gram,
        y,
        {
            "mean": gram[n:, :n] @ k_inv @ y,
            "cov": gram[n:, n:] - gram[n:, :n] @ k_inv @ gram[:n, n:],
            "reveals": [(0, 1.0), (3, -0.5)],
            "ridge": ridge,
        },
    )


def given_2_3(rng):
    q, _ = np.linalg.qr(rng.standard_normal((8, 8)))
    return {"kernel": (q * np.geomspace(1e-4, 5.0, 8)) @ q.T, "cond": 1e3}


def givens_of_2(rng):
    return {"2.2": posterior(rng)[2], "2.3": given_2_3(rng)}


def test_two_reveals_are_a_refit_on_all_six_labels(rng):
    gram, y, given = posterior(rng)
    rows = [0, 1, 2, 3, 4, 7]
    y_all = np.vstack([y, [[1.0]], [[-0.5]]])
    refit = gram[4:, rows] @ np.linalg.solve(gram[np.ix_(rows, rows)] + 0.1 * np.eye(6), y_all)
    assert CHECKERS["2.2"].problem(refit, **given) is None


def test_the_ridge_reaches_the_condition_number_and_no_smaller_one_does(rng):
    given = given_2_3(rng)
    ridge = CHECKERS["2.3"].expected(**given)
    assert np.linalg.cond(given["kernel"] + ridge * np.eye(8)) == pytest.approx(1e3)
    assert np.linalg.cond(given["kernel"] + 0.99 * ridge * np.eye(8)) > 1e3


def test_a_well_conditioned_matrix_needs_no_ridge():
    assert CHECKERS["2.3"].problem(0.0, kernel=np.eye(3), cond=10.0) is None


def givens_of_3(rng):
    return {
        "3.2": {"x": rng.standard_normal((4, 3)), "depth": 2, "sw2": 1.0, "sb2": 0.2},
        "3.3": {"depth": 5, "kurtosis": 0.1},
    }


def test_the_width_is_the_smallest_that_keeps_the_bound(givens):
    given = givens["3.3"]
    width = CHECKERS["3.3"].expected(**given)
    excess = [3 * ((1 + 5 / n) ** given["depth"] - 1) for n in (width - 1, width)]
    assert excess[0] > given["kurtosis"] >= excess[1]
    assert CHECKERS["3.3"].problem(width, **given) is None


def givens_of_4(rng):
    roots = rng.standard_normal((8, 20)) / np.sqrt(20)
    return {
        "4.2": {"kernel": roots @ roots.T, "y": rng.standard_normal((8, 2)), "share": 0.01},
        "4.3": {"x": rng.standard_normal((4, 3)), "depth": 2, "sw2": 1.0, "sb2": 0.2},
    }


def test_at_that_time_the_flow_has_just_learned_the_slowest_mode(givens):
    kernel, y = givens["4.2"]["kernel"], givens["4.2"]["y"]
    zero = np.zeros_like(y)
    f = gradient_flow(kernel, y, zero, kernel, zero, CHECKERS["4.2"].expected(**givens["4.2"]))
    vectors = np.linalg.eigh(kernel)[1]
    left = np.abs(vectors.T @ (np.asarray(f) - y) / (vectors.T @ y))
    np.testing.assert_allclose(left[0], 0.01, rtol=1e-8)
    assert (left[1:] < 0.01).all()


@pytest.mark.parametrize(("exercise", "kind"), [("3.2", "nngp"), ("4.3", "ntk")])
def test_the_kernels_of_absolute_values_are_those_of_the_library(givens, exercise, kind):
    given = givens[exercise]
    layer = {"W_std": 1.0, "b_std": np.sqrt(0.2)}
    hidden = [part for _ in range(2) for part in (stax.Dense(1, **layer), stax.Abs())]
    with jax.numpy_rank_promotion("allow"):
        library = stax.serial(*hidden, stax.Dense(1, **layer))[2](given["x"], None, kind)
    assert CHECKERS[exercise].problem(library, **given) is None


def given_5_2(rng):
    phi = rng.standard_normal((10, 14))
    gram = phi @ phi.T / 14
    return {
        "k_train": gram[:6, :6],
        "k_test": gram[6:, :6],
        "y": rng.standard_normal((6, 2)),
        "f_train": rng.standard_normal((6, 2)),
        "f_test": rng.standard_normal((4, 2)),
        "rate": 0.2,
        "steps": 9,
    }


def given_5_3(rng):
    q, _ = np.linalg.qr(rng.standard_normal((6, 6)))
    return {"k_train": (q * np.geomspace(0.3, 7.0, 6)) @ q.T, "level": 0.01}


def givens_of_5(rng):
    return {"5.2": given_5_2(rng), "5.3": given_5_3(rng)}


def test_the_closed_form_is_the_loop_over_steps(rng):
    given = given_5_2(rng)
    train, test = given["f_train"], given["f_test"]
    for _ in range(given["steps"]):
        residual = train - given["y"]
        train = train - given["rate"] * given["k_train"] @ residual
        test = test - given["rate"] * given["k_test"] @ residual
    assert CHECKERS["5.2"].problem(test, **given) is None


def test_no_rate_needs_fewer_steps(rng):
    given = given_5_3(rng)
    values = np.linalg.eigvalsh(given["k_train"])
    needed = [
        np.ceil(np.log(given["level"]) / np.log(np.abs(1 - rate * values).max()))
        for rate in np.linspace(1e-3, 2 / values[-1] - 1e-3, 4001)
    ]
    assert CHECKERS["5.3"].problem(min(needed), **given) is None


def given_6_2(rng):
    return {"h": rng.standard_normal((5, 4)), "delta": rng.standard_normal((5, 3))}


def given_6_3(rng):
    jacobian = rng.standard_normal((5, 4, 30))
    return {"full": np.einsum("icp,jdp->ijcd", jacobian, jacobian), "first": 1, "second": 3}


def givens_of_6(rng):
    return {"6.2": given_6_2(rng), "6.3": given_6_3(rng)}


def test_the_share_of_a_layer_is_its_explicit_gram_matrix(rng):
    given = given_6_2(rng)
    rows = [
        np.concatenate([np.outer(d, h).ravel(), d]) for h, d in zip(given["h"], given["delta"], strict=True)
    ]
    assert CHECKERS["6.2"].problem(np.array(rows) @ np.array(rows).T, **given) is None


def test_the_margin_kernel_is_the_kernel_of_the_difference(rng):
    x, weights = jnp.asarray(rng.standard_normal((5, 6))), jnp.asarray(rng.standard_normal((6, 4)))

    def apply(w, x):
        return jnp.tanh(x @ w) @ jnp.ones((4, 4)) + jnp.sin(x @ w)

    full = np.asarray(ntkal.empirical_ntk(apply, weights, x, logit="all"))
    direct = ntkal.empirical_ntk(lambda w, x: apply(w, x)[:, 1:2] - apply(w, x)[:, 3:4], weights, x)
    assert CHECKERS["6.3"].problem(direct, full=full, first=1, second=3) is None


test_each_slip_is_named, test_another_wrong_answer_is_refused, test_forms_do_not_matter = bank_tests(1, 6)
