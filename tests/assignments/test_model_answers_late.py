"""What model answers of sets 5 to 8 say of numbers and orders holds in ten variants."""

import numpy as np
import pytest
from run_cells import answered

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("seed", range(10))
def test_forgetting_by_class_and_by_luck(seed):
    got = answered("ps5_retraining", seed, "forgetting")
    by_class, by_luck, joint, kept = (
        np.asarray(got[name]) for name in ("curve_class", "curve_luck", "joint", "rehearsal")
    )
    assert 0.44 < by_class[0] <= 0.5  # just under one half
    assert abs(by_class[1] - 0.5) < 0.1  # a half, give or take a tenth
    assert by_class[5] < joint - 0.05  # five points or more below
    assert by_class[-1] < joint + 0.01  # mostly some points below
    assert 0.7 < by_luck[0] < 0.9  # about 0.8
    assert np.abs(by_luck[1:] - joint).max() < 0.06
    assert kept[3] - kept[0] > (joint - kept[0]) / 2  # ten old digits win back more than half
    assert np.isclose(kept[-1], joint)  # nested inputs: the theorem
    rates = []
    for a, b in (got["by_class"], got["by_luck"]):
        k = got["k_ll"]
        turn = k[np.ix_(a, b)] @ np.linalg.inv(k[np.ix_(b, b)]) @ k[np.ix_(b, a)]
        rates.append(np.linalg.eigvals(turn @ np.linalg.inv(k[np.ix_(a, a)])).real.max())
    assert 0.98 < rates[0] < 0.991
    assert abs(rates[1] - 0.996) < 0.002
    assert rates[0] < rates[1]


def test_twenty_rounds_by_class_mostly_end_below_joint_training():
    ends = [answered("ps5_retraining", seed, "forgetting") for seed in range(10)]
    assert sum(got["curve_class"][-1] < got["joint"] - 0.01 for got in ends) >= 8


@pytest.mark.parametrize("seed", range(10))
def test_guesses_answers_and_batch(seed):
    got = answered("ps6_output_change", seed, "compare")
    information, accuracy = got["information"].mean(), got["accuracy"].mean()
    assert abs(information["answers"] - information["guesses"]) < 0.4
    assert 10 < information.min() < information.max() < 15
    assert 0 < accuracy["answers"] - accuracy["guesses"] < 0.035
    assert 0.6 < information["guesses"] - information["batch"] < 1.7
    assert 0.03 < accuracy["guesses"] - accuracy["batch"] < 0.085


@pytest.mark.parametrize("seed", range(10))
def test_shared_and_own_batches(seed):
    table = answered("ps7_rivals", seed, "naive")["table"]
    assert 0.7 < table.loc["shared", "with itself"] < 1
    assert 0.3 < table.loc["shared", "with exact"] < 0.7
    assert -0.25 < table.loc["own", "with itself"] < 0.4
    assert 0 < table.loc["own", "with exact"] < 0.4
    assert (table.loc["own"] < table.loc["shared"]).all()


def test_scales_say_what_the_model_answer_says():
    slopes = []
    for seed in range(10):
        got = answered("ps8_verdicts", seed, "scales")
        table, wide = got["scales"], got["wide"]
        slopes.append(table.loc["slope", "points"])
        bought = wide[(wide["cycle"] > 0) & (wide["strategy"] == "random")]
        errors = 1 - bought.groupby("width")["accuracy"].mean()
        assert errors[16] > 2 * errors[64]
        points, logs = (table[f"{one}_high"] - table[f"{one}_low"] for one in ("points", "logs"))
        assert points[16] > 2 * points[64]
        assert 1 < logs[16] / logs[64] < points[16] / points[64]
    assert min(slopes) < 0 < max(slopes)  # with another seed left out


def test_no_report_contradicts_both_of_two_opposite_claims():
    for seed in range(10):
        report = answered("ps8_verdicts", seed, "report")["report"]["state"].tolist()
        for margin, mlmoc in ((0, 3), (1, 4)):  # the same difference with both signs
            assert (report[margin], report[mlmoc]) != ("contradicted", "contradicted")
