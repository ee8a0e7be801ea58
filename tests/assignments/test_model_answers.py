"""What the model answers say in numbers, or as an order, holds in ten variants."""

from itertools import combinations

import numpy as np
import pytest
from run_cells import answered
from scipy import integrate, stats

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
SEEDS = range(10)


def interval(d):
    d = np.asarray(d, dtype=float)
    half = stats.t.ppf(0.975, len(d) - 1) * d.std(ddof=1) / np.sqrt(len(d))
    return d.mean(), d.mean() - half, d.mean() + half


def of_plan(tables):
    """Set 1, question 5: two to seven points in favour of greedy; most variants say "beats"."""
    found = [interval(table["greedy"] - table["random"]) for table in tables]
    assert all(0.02 < mean < 0.07 for mean, _, _ in found), found
    assert sum(low > 0 for _, low, _ in found) > len(found) / 2


def of_stopping(curves):
    """Set 2, question 5: (accuracies with right labels, with wrong ones, times) of each variant."""
    for right, wrong, times in curves:
        right, wrong = np.asarray(right), np.asarray(wrong)
        assert right.max() - right[-1] < 0.01
        assert 0.045 < right.max() - wrong.max() < 0.245
        assert 0.5 < times[wrong.argmax()] < 6
        assert 0.01 < wrong.max() - wrong[-1] < 0.165


def of_learning(tables):
    """Set 3, question 5."""
    unclear = 0
    for table in tables:
        rise = {
            what: table[f"{what}_trained"] - table[f"{what}_start"] for what in ("seen", "new", "accuracy")
        }
        assert 0.13 < rise["seen"].mean() < 0.25
        assert rise["seen"].min() > 0.05
        assert interval(rise["seen"])[1] > 0.05
        assert 0.025 < rise["new"].mean() < 0.095
        assert rise["new"].mean() < rise["seen"].mean()
        assert abs(rise["accuracy"].mean()) < 0.08
        unclear += interval(rise["accuracy"])[1] <= 0 <= interval(rise["accuracy"])[2]
    assert unclear > len(tables) / 2


def of_rules(curves):
    """Set 4, question 5: the intervals overlap; MLMOC and EER cannot be told apart."""
    for lines in curves:
        means = {rule: np.mean(values, axis=1) for rule, values in lines.items()}
        ends = {rule: interval(means[rule] - means["random"]) for rule in ("margin", "mlmoc", "eer")}
        assert all(a[1] < b[2] and b[1] < a[2] for a, b in combinations(ends.values(), 2))
        _, low, high = interval(means["mlmoc"] - means["eer"])
        assert low <= 0 <= high


def test_planning_pays_by_what_the_answer_says():
    of_plan([answered("ps1_kernels", seed, "pays")["table"] for seed in SEEDS])


def test_wrong_labels_do_what_the_answer_says():
    spaces = [answered("ps2_ntk", seed, "stopping") for seed in SEEDS]
    of_stopping([(space["accuracy_right"], space["accuracy_wrong"], space["times"]) for space in spaces])


def test_kernels_learn_by_what_the_answer_says():
    of_learning([answered("ps3_linearised", seed, "learns")["table"] for seed in SEEDS])


def test_rules_differ_by_what_the_answer_says():
    of_rules([answered("ps4_lookahead", seed, "rules")["curves"] for seed in SEEDS])


@pytest.mark.parametrize("seed", SEEDS)
def test_numbers_of_the_derivations(seed):
    one, two = answered("ps1_kernels", seed), answered("ps2_ntk", seed)
    classes, risk = one["CLASSES"], one["RISK"]
    enough = next(n for n in range(1, 10_000) if classes * np.exp(-n / classes) <= risk)
    assert enough == int(np.ceil(classes * np.log(classes / risk)))
    z = np.linspace(-10, 10, 200_001)
    kept = integrate.trapezoid(np.where(z > 0, z, two["SLOPE"] * z) ** 2 * stats.norm.pdf(z), z)
    assert 2 / (1 + two["SLOPE"] ** 2) == pytest.approx(1 / kept, rel=1e-6)

    three, four = answered("ps3_linearised", seed), answered("ps4_lookahead", seed)
    width, label = three["WIDTH"], three["LABEL"]
    for scale in (1.0, 1 / np.sqrt(width)):  # of the output; mean-field scaling is the second
        flow = integrate.solve_ivp(
            lambda t, v, s=scale: [-v[1] * (v[0] - label), -4 * s**2 / width * v[0] * (v[0] - label)],
            (0, 60 / scale**2),
            [0.0, 2.0 * scale**2],
            rtol=1e-9,
        )
        moved = flow.y[1, -1] / flow.y[1, 0]
        assert moved == pytest.approx(np.sqrt(1 + label**2 / (width if scale == 1 else 1)), rel=1e-4)
    channels = three["CHANNELS"]
    cheaper = [s for s in range(1, 200) if s**2 * (9 * channels + channels) < 9 * channels * channels]
    assert cheaper[-1] == int(np.sqrt(0.9 * channels))

    chance, after = four["CHANCE"], four["AFTER"]
    other = (0.8 - chance * after) / (1 - chance)
    assert chance * after + (1 - chance) * other == pytest.approx(0.8)
    assert min(after, other) > 0.5  # the most likely class stays
    change = chance * 2 * (after - 0.8) ** 2 + (1 - chance) * 2 * (other - 0.8) ** 2
    assert change == pytest.approx(2 * (after - 0.8) ** 2 * chance / (1 - chance))
