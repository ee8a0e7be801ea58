"""The numbers of the explorable figures against ntkal; tests/book/test_explore_page.py operates them."""

import re

import chromium
import explore_reference as reference
import jax
import numpy as np
import pytest

import ntkal
from ntkal import acquisition
from ntkal.experiments import results

FIGURES = ("regression", "linearised", "pool")


@pytest.fixture(scope="module")
def js():
    """A function that evaluates JavaScript with the figures' scripts loaded."""
    with chromium.launch() as browser:
        page = browser.new_page()
        for name in ("core", "draw", *FIGURES):
            page.add_script_tag(path=reference.FOLDER / f"{name}.js")
        yield page.evaluate


def close(ours, theirs, rtol=1e-9):
    """Equal up to a fraction of the largest entry."""
    theirs = np.asarray(theirs)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=rtol * np.abs(theirs).max())


@pytest.mark.parametrize("seed", [0, 1, 12345, 2**31 + 7])
def test_random_numbers_are_the_same_in_both_languages(js, seed):
    ours = js("s => { const u = explore.uniform(s); return [...Array(50)].map(u); }", seed)
    draw = reference.uniform(seed)
    assert ours == [draw() for _ in range(50)]
    ours = js("s => { const z = explore.normal(explore.uniform(s)); return [...Array(50)].map(z); }", seed)
    draw = reference.normal(reference.uniform(seed))
    np.testing.assert_allclose(ours, [draw() for _ in range(50)], rtol=1e-12)


@pytest.mark.parametrize("d", [1, 2, 5])
def test_the_kernel_is_the_ntk_of_an_infinitely_wide_relu_layer(js, d):
    rng = np.random.default_rng(d)
    x, z = rng.normal(size=(7, d)), rng.normal(size=(9, d))
    close(js("([x, z]) => explore.ntk(x, z)", [x.tolist(), z.tolist()]), reference.ntk(x, z))
    square = np.array(js("x => explore.ntk(x, x)", x.tolist()))
    # The library loses half of its digits where the angle is zero; there the limit is known.
    np.testing.assert_allclose(np.diag(square), 6 + 4 * (x**2).sum(1) / d, rtol=1e-14)


@pytest.fixture(scope="module")
def problem(js):
    """Kernel blocks from the scripts, labels, and both look-aheads."""
    rng = np.random.default_rng(3)
    x_l, x_p, y = rng.normal(size=(9, 2)), rng.normal(size=(14, 2)), rng.normal(size=(9, 3))
    k_ll, k_lp, k_pp = (
        js("([x, z]) => explore.ntk(x, z)", [a.tolist(), b.tolist()])
        for a, b in ((x_l, x_l), (x_l, x_p), (x_p, x_p))
    )
    ours = js("blocks => explore.condition(...blocks)", [k_ll, k_lp, k_pp, y.tolist(), 0.3])
    blocks = np.array(k_ll), np.array(k_lp).T, np.array(k_pp)
    return ours, ntkal.Lookahead.fit(*blocks, 0 * y, np.zeros((14, 3)), y, ridge=0.3)


def test_mean_and_covariance_are_those_of_ntkal(problem):
    ours, post = problem
    close(ours["mean"], post.mean)
    close(ours["cov"], post.cov)


def test_a_reveal_is_that_of_ntkal(js, problem):
    ours, post = problem
    label = [0.0, 1.0, 0.0]
    ours = js("([post, y]) => explore.reveal(explore.reveal(post, 4, y), 11, y)", [ours, label])
    later = post.reveal(4, np.array(label)).reveal(11, np.array(label))
    close(ours["mean"], later.mean)
    close(ours["cov"], later.cov)


def test_the_scores_are_those_of_ntkal(js, problem):
    ours, post = problem
    flips = js("explore.mlmoc", ours)
    np.testing.assert_array_equal(np.floor(flips), np.floor(ntkal.mlmoc(post)))
    assert np.floor(flips).max() > 0
    close(flips, ntkal.mlmoc(post))
    close(js("explore.margin", ours["mean"]), acquisition.margin(acquisition.probabilities(post.mean)))


def test_a_singular_kernel_is_refused(js):
    assert "singular" in js("""() => {
        try { explore.cholesky([[1, 1], [1, 1]], 0); } catch (error) { return error.message; }
    }""")


@pytest.fixture(scope="module")
def seen(js):
    """What the regression figure shows at the start, and the look-ahead behind it."""
    points, places = reference.constant("regression", "START"), (np.arange(121)[:, None] - 60) / 20
    ours = js("points => explore.regression.look(points, 0.02)", points.tolist())
    kernel = js("([x, z]) => [explore.ntk(x, x), explore.ntk(x, z), explore.ntk(z, z)]",
                [points[:, :1].tolist(), places.tolist()])  # fmt: skip
    blocks = np.array(kernel[0]), np.array(kernel[1]).T, np.array(kernel[2])
    zeros = np.zeros((8, 1)), np.zeros((121, 1))
    return ours, ntkal.Lookahead.fit(*blocks, *zeros, points[:, 1:], ridge=0.02)


def test_the_expected_squared_change_is_the_variance_removed(seen):
    ours, post = seen
    close(ours["mean"], post.mean[:, 0])
    close(ours["variance"], np.diag(post.cov))
    close(ours["removed"], reference.removed(post))
    # The other side of the equation: the change is linear in the surprise, whose variance is S_cc + ridge.
    change = np.asarray(post.after(70, post.mean[70] + 1) - post.mean)
    close(ours["removed"][70], (change**2).sum() * (post.cov[70, 70] + post.ridge))


def test_what_the_text_says_of_the_regression(js, seen):
    ours, _ = seen
    places = (np.arange(121) - 60) / 20
    assert abs(places[ours["myopic"]]) == 3
    assert 0.9 < places[ours["ahead"]] < 2.4  # the widest gap between readings
    assert ours["removed"][ours["ahead"]] > ours["removed"][ours["myopic"]]
    other = js("""() => explore.regression.look(
        explore.regression.START.map(([x, y]) => [x, -2 * y]), 0.02)""")
    assert other["removed"] == ours["removed"]
    assert other["mean"] != ours["mean"]


def test_the_points_are_those_of_the_chapter(js):
    toy = ntkal.load("toy1d")
    close(js("explore.linearised.POINTS"), np.hstack([toy.x_train, toy.y_train]), rtol=5e-4)


@pytest.mark.parametrize(("width", "seed"), [(16, 1), (64, 3)])
def test_training_in_the_page_is_training_in_jax(js, width, seed):
    run = js(
        """([width, seed]) => {
            const run = new explore.linearised.Run(width, seed);
            while (run.step < 100) run.advance();
            return { inputs: explore.linearised.INPUTS, records: run.records };
        }""",
        [width, seed],
    )
    x, y = np.array(run["inputs"]), reference.constant("linearised", "POINTS")[:, 1:]
    start = reference.initialise(width, seed)
    end, network, tangent = reference.train(start, x, y, 100)
    for record in run["records"]:
        step = record["step"]
        close(record["network"], network[step, 20:])
        close(record["tangent"], tangent[step, 20:])
        np.testing.assert_allclose(
            record["gap"], np.abs(network - tangent)[step].max(), rtol=1e-9, atol=1e-12
        )
        np.testing.assert_allclose(record["rest"], np.linalg.norm(network[step, :20] - y[:, 0]), rtol=1e-9)
    assert record["step"] == 100
    k_start, k_end = (
        np.asarray(ntkal.empirical_ntk(reference.network, params, x, x[:20])) for params in (start, end)
    )
    moved = sum(float(((a - b) ** 2).sum()) for a, b in zip(*map(jax.tree.leaves, (start, end)), strict=True))
    np.testing.assert_allclose(record["moved"], np.sqrt(moved), rtol=1e-9)
    kernel = np.linalg.norm(k_end - k_start) / np.linalg.norm(k_start)
    np.testing.assert_allclose(record["kernel"], kernel, rtol=1e-8)
    # And the tangent has a closed form: exercise 5.2.
    values, vectors = np.linalg.eigh(k_start[:20])
    values = np.maximum(values, 1e-9)
    learned = (1 - (1 - 0.05 * values) ** 100) / values
    closed = network[0] + k_start @ (vectors @ (learned * (vectors.T @ (y[:, 0] - network[0, :20]))))
    close(record["tangent"], closed[20:], rtol=1e-8)


@pytest.mark.slow
def test_what_the_text_says_of_width_and_time(js):
    """Medians over ten starts: width closes the curves early on, time opens them again."""
    table = js("""() => [16, 512].map((width) => [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((seed) => {
        const run = new explore.linearised.Run(width, seed);
        while (run.step < 300) run.advance();
        const [early, late] = [10, 300].map((step) => run.records.find((record) => record.step === step));
        return [early.gap, late.gap / early.gap, late.kernel, late.moved];
    }))""")
    narrow, wide = np.median(table, axis=1)
    assert wide[0] < 0.4 * narrow[0]
    assert wide[1] > 3
    assert wide[2] < 0.5 * narrow[2]
    assert 0.6 < wide[3] / narrow[3] < 1.6


def test_the_moons_are_the_same_in_both_languages(js):
    ours = js("explore.pool.moons(5, 60)")
    x, label = reference.moons(5, 60)
    np.testing.assert_allclose([point["x"] for point in ours], x, rtol=1e-12, atol=1e-14)
    assert [point["label"] for point in ours] == label.tolist()


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["random", "margin", "mlmoc"])
def test_the_picks_are_those_of_ntkal(js, rule):
    ours = js(
        """rule => {
            const learner = new explore.pool.Learner(new explore.pool.Problem(1), rule);
            for (let q = 0; q < 10; q++) learner.step();
            return learner;
        }""",
        rule,
    )
    _, _, picks, accuracies = reference.race(1, rule, 10)
    assert ours["picks"] == picks
    np.testing.assert_allclose(ours["accuracies"], accuracies, rtol=1e-12)


@pytest.mark.slow
def test_what_the_text_says_of_fifty_pools(js):
    rows = js(
        "[...Array(50).keys()].map((i) => explore.pool.compare(1001 + i, explore.pool.AVERAGE.questions))"
    )
    random, margin, mlmoc = np.array(rows).T
    for ahead in (margin, mlmoc):
        mean, low, high = results.interval(ahead - random)
        assert low > 0
        ours = js("explore.pool.interval", (ahead - random).tolist())
        np.testing.assert_allclose(ours, [mean, (high - low) / 2], rtol=1e-3)
    _, low, high = results.interval(mlmoc - margin)
    assert low < 0 < high
    # MLMOC's first question is near the border that there is, and not the nearest.
    leads = js("""() => [...Array(50).keys()].map((i) => {
        const problem = new explore.pool.Problem(1001 + i);
        const doubt = explore.margin(problem.post.mean);
        return [-Math.max(...doubt), -doubt[explore.argmax(explore.mlmoc(problem.post))]];
    })""")
    nearest, asked = np.mean(leads, axis=0)
    assert 2 * nearest < asked < 0.15


def test_scripts_are_small_and_pictures_too():
    for name in ("core", "draw", *FIGURES):
        text = (reference.FOLDER / f"{name}.js").read_text()
        assert len(text.splitlines()) <= 250, name
        assert max(map(len, text.splitlines())) <= 120, name
        assert not re.search(r"https?://(?!www\.w3\.org)|fetch\(|import\(", text), name
    for name in FIGURES:
        assert (reference.FOLDER / f"{name}.png").stat().st_size < 100_000, name
