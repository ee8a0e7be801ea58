"""Draw the pictures of the explorable figures: what their scripts show, asked of them in a browser."""

import sys

import matplotlib.pyplot as plt
import numpy as np
from project import ROOT

from ntkal import plots

sys.path.append(str(ROOT / "tests"))

from chromium import launch

FOLDER = ROOT / "book" / "_static" / "explore"
PLANE = {"across": np.linspace(-1.6, 2.6, 120), "down": np.linspace(-1.1, 1.6, 80)}
ASKED = {
    "regression": """() => {
        const { START, look } = explore.regression;
        return { points: START, ...look(START, 0.02) };
    }""",
    "linearised": """() => {
        const run = new explore.linearised.Run(16, 1), gaps = [], first = run.record();
        const apart = (f, k) => Math.abs(f - run.tangent[k]);
        while (run.step < 300) { run.advance(); gaps.push(Math.max(...run.forward(81).map(apart))); }
        return { points: explore.linearised.POINTS, first, last: run.record(), gaps };
    }""",
    "pool": """places => ["random", "margin", "mlmoc"].map((rule) => {
        const learner = new explore.pool.Learner(new explore.pool.Problem(1), rule);
        for (let q = 0; q < 10; q++) learner.step();
        const { labelled, problem: { candidates } } = learner;
        return { labelled, candidates, lead: learner.lead(places), accuracy: learner.accuracies.at(-1) };
    })""",
}


def draw_regression(shown: dict) -> plt.Figure:
    """The fit, its band, and what the two rules would ask."""
    u, points = np.linspace(-3, 3, 121), np.array(shown["points"])
    mean, variance, gain = (np.array(shown[name]) for name in ("mean", "variance", "removed"))
    deviation = np.sqrt(variance)
    size = {"figsize": (6.4, 5.2), "height_ratios": [2, 1], "layout": "constrained"}
    fig, (top, bottom) = plt.subplots(2, 1, sharex=True, **size)
    top.fill_between(u, mean - deviation, mean + deviation, color="C0", alpha=0.2, linewidth=0)
    top.plot(u, mean, "-", color="C0")
    top.plot(*points.T, "o", color="0.15")
    top.set(ylabel="value", ylim=(-2.5, 2.5))
    for name, score, colour, dash, shape in (
        ("look-ahead: variance removed", gain, "C0", "-", "^"),
        ("variance rule", variance, "C1", "--", "D"),
    ):
        bottom.plot(u, score / score.max(), dash, color=colour, label=name)
        bottom.plot(u[score.argmax()], 1, shape, color=colour, markersize=9, clip_on=False)
    bottom.set(xlabel="input", ylabel="score / largest", xlim=(-3, 3), ylim=(0, 1.15))
    bottom.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize="small")
    return fig


def draw_linearised(shown: dict) -> plt.Figure:
    """Network and tangent of width 16 after 300 steps, and their distance over the steps."""
    places, gaps = np.linspace(-3, 3, 61), shown["gaps"]
    fig, (top, bottom) = plt.subplots(2, 1, figsize=(6.4, 5.2), height_ratios=[3, 2], layout="constrained")
    top.plot(places, shown["first"]["network"], ":", color="0.45", label="both at the start")
    top.plot(places, shown["last"]["tangent"], "--", color="C1", label="tangent")
    top.plot(places, shown["last"]["network"], "-", color="C0", label="network")
    top.plot(*np.array(shown["points"]).T, "o", color="0.15", markersize=4)
    top.set(xlabel="input", ylabel="output", ylim=(-2.5, 2.5))
    top.legend(ncols=3, loc="upper center", fontsize="small")
    bottom.loglog(np.arange(1, len(gaps) + 1), gaps, "-s", color="C0", markevery=[-1])
    bottom.set(xlabel="steps of gradient descent", ylabel="largest distance", xlim=(1, 1000))
    return fig


def draw_pool(shown: list[dict]) -> plt.Figure:
    """Three rules after ten questions on the first pool."""
    fig, axes = plt.subplots(1, 3, figsize=(9, 2.7), layout="constrained")
    for ax, title, learner in zip(axes, ("Random", "Margin", "MLMOC"), shown, strict=True):
        lead = np.reshape(learner["lead"], (80, 120))
        ax.contourf(*PLANE.values(), lead, levels=[0, np.inf], colors=["C0"], alpha=0.2)
        everything = learner["candidates"] + learner["labelled"][:4]
        ax.plot(*np.transpose([point["x"] for point in everything]), ".", color="0.45", markersize=3)
        for k, shape in ((0, "o"), (1, "D")):
            x = [point["x"] for point in learner["labelled"] if point["label"] == k]
            ax.plot(*np.transpose(x), shape, color="0.1", markeredgecolor="white", markersize=7)
        last = learner["labelled"][-1]["x"]
        ax.plot(*last, "o", color="C1", fillstyle="none", markersize=14, markeredgewidth=2)
        ax.set(title=f"{title}: {100 * learner['accuracy']:.1f}%", xticks=[], yticks=[])
    return fig


def main() -> None:
    """Draw the three pictures."""
    plots.use_style()
    places = [[x, y] for y in PLANE["down"].tolist() for x in PLANE["across"].tolist()]
    draw = {"regression": draw_regression, "linearised": draw_linearised, "pool": draw_pool}
    with launch() as browser:
        page = browser.new_page()
        for name in ("core", "draw", *ASKED):
            page.add_script_tag(path=FOLDER / f"{name}.js")
        for name, asked in ASKED.items():
            figure = draw[name](page.evaluate(asked, places))
            figure.savefig(FOLDER / f"{name}.png", dpi=110, metadata={"Software": None})
            print(f"wrote {name}.png")


if __name__ == "__main__":
    main()
