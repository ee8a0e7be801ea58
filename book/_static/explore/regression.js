// Chapter 9: regression with an infinitely wide network, and the question that looking ahead would ask.
"use strict";

explore.regression = (() => {
  const START = [
    [-2.6, 0.93], [-2.1, 0.86], [-1.2, -0.62], [-0.9, -1.04], [0.1, 0.15], [0.4, 0.77], [0.9, 1.02], [2.5, -0.98],
  ];
  const RIDGES = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
  const RIDGE = 4; // the position at the start
  const MOST = 24; // readings
  const LIMIT = { x: 3, y: 2.5 };
  const POOL = Array.from({ length: 121 }, (_, i) => [(i - 60) / 20]);
  const PRIOR = explore.ntk(POOL, POOL);

  /** Mean and variance over the pool, and for each candidate the variance that its label would remove there. */
  function look(points, ridge) {
    const X = points.map(([x]) => [x]);
    const Y = points.map(([, y]) => [y]);
    const { mean, cov } = explore.condition(explore.ntk(X, X), explore.ntk(X, POOL), PRIOR, Y, ridge);
    const variance = cov.map((row, c) => row[c]);
    const removed = cov.map((row, c) => row.reduce((sum, s) => sum + s * s, 0) / (variance[c] + ridge));
    return {
      mean: mean.map(([value]) => value), variance, removed,
      total: variance.reduce((a, b) => a + b, 0),
      ahead: explore.argmax(removed), myopic: explore.argmax(variance),
    };
  }

  const { number } = explore;
  const clamp = (value, limit) => Math.round(100 * Math.min(limit, Math.max(-limit, value))) / 100;

  function build(place) {
    let points = START.map((point) => point.slice());
    let ridge = RIDGES[RIDGE];
    let chosen = 0; // the reading that "Remove" removes
    let handles = [];
    let found;

    const ticks = [-3, -2, -1, 0, 1, 2, 3].map((x) => [x, number(x, 0)]);
    const x = [-LIMIT.x, LIMIT.x];
    const fit = new explore.Panel(place, {
      label: "Readings, fit and band", role: "group", x, y: [-LIMIT.y, LIMIT.y], height: 270, bottom: 26,
      xticks: ticks, yticks: [-2, -1, 0, 1, 2].map((y) => [y, number(y, 0)]),
    });
    const band = explore.add(fit.plot, "path", { class: "area s1" });
    const curve = explore.add(fit.plot, "path", { class: "line s1" });
    const score = new explore.Panel(place, {
      label: "Scores of the candidates", x, y: [0, 1.12], height: 150,
      xticks: ticks, yticks: [[0, "0"], [1, "1"]], xlabel: "input",
    });
    const scores = ["line s1", "line s2"].map((style) => explore.add(score.plot, "path", { class: style }));
    explore.legend(place, [
      ["ink", "readings", "dot"],
      ["line s1", "fit M, and in the lower panel the variance that a label would remove from the pool"],
      ["area s1", "one standard deviation, √S, either side"],
      ["line s2", "variance S of the candidate itself"],
      ["s1", "look-ahead would ask here", "triangle"],
      ["s2", "the variance rule would ask here", "diamond"],
    ]);
    const row = explore.controls(place);
    explore.button(row, "Ask as look-ahead would", () => ask("ahead"));
    explore.button(row, "Ask as the variance rule would", () => ask("myopic"));
    explore.button(row, "Add a reading", () => addReading(0, 0));
    explore.button(row, "Remove the chosen one", () => remove(chosen));
    explore.button(row, "Start again", () => {
      points = START.map((point) => point.slice());
      chosen = 0;
      rebuild();
    });
    explore.slider(row, "Ridge λ", RIDGES, RIDGE, String, (position) => {
      ridge = RIDGES[position];
      draw();
    });
    const say = explore.status(place);
    explore.add(place, "p", { class: "explore-hint" },
      "Drag a reading, or click in the upper panel to add one. By keyboard: Tab to a reading, " +
      "move it with the arrow keys (with Shift in larger steps), remove it with Delete.");

    /** A reading of sin(2x), without noise, where a rule asks. */
    function ask(rule) {
      const [input] = POOL[found[rule]];
      addReading(input, Math.sin(2 * input), false);
    }
    function addReading(input, value, focus = true) {
      if (points.length === MOST) return say(`There is room for ${MOST} readings: remove one first.`);
      points.push([clamp(input, LIMIT.x), clamp(value, LIMIT.y)]);
      chosen = points.length - 1;
      rebuild();
      if (focus) handles[chosen].focus();
    }
    function remove(index) {
      if (points.length === 1) return say("The last reading stays.");
      points.splice(index, 1);
      chosen = Math.min(index, points.length - 1);
      rebuild();
      if (document.activeElement === document.body) handles[chosen].focus();
    }
    function move(index, input, value) {
      points[index] = [clamp(input, LIMIT.x), clamp(value, LIMIT.y)];
      draw();
    }

    function pressed(event, index) {
      const step = event.shiftKey ? 0.5 : 0.05;
      const [input, value] = points[index];
      const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
      if (moves[event.key]) move(index, input + moves[event.key][0], value + moves[event.key][1]);
      else if (event.key === "Delete" || event.key === "Backspace") remove(index);
      else return;
      event.preventDefault();
    }

    /** One handle for each reading: a large invisible disc to grip, the dot, and the ring that shows the focus. */
    function rebuild() {
      fit.front.replaceChildren();
      handles = points.map((_, index) => {
        const handle = explore.add(fit.front, "g", {
          class: "explore-handle", tabindex: 0, role: "slider", "aria-valuemin": -LIMIT.y, "aria-valuemax": LIMIT.y,
          keydown: (event) => pressed(event, index),
          focus: () => { chosen = index; draw(); },
          touchstart: (event) => event.preventDefault(), // a finger here drags; elsewhere it scrolls the page
          pointerdown: (event) => {
            handle.setPointerCapture(event.pointerId);
            handle.focus({ preventScroll: true });
          },
          pointermove: (event) => { if (handle.hasPointerCapture(event.pointerId)) move(index, ...fit.at(event)); },
          click: (event) => event.stopPropagation(),
        });
        explore.add(handle, "circle", { r: 16, class: "grip" });
        explore.add(handle, "circle", { r: 9, class: "ring" });
        explore.marker(handle, "dot", 0, 0, { class: "ink" });
        return handle;
      });
      draw();
    }
    fit.svg.addEventListener("click", (event) => {
      const [input, value] = fit.at(event);
      if (Math.abs(input) <= LIMIT.x && Math.abs(value) <= LIMIT.y) addReading(input, value);
    });

    function draw() {
      found = look(points, ridge);
      if (!fit.width) return; // not laid out yet
      const spread = found.variance.map((s) => Math.sqrt(Math.max(s, 0)));
      const along = (values) => POOL.map(([input], u) => [input, values[u]]);
      const upper = along(found.mean.map((m, u) => m + spread[u]));
      const lower = along(found.mean.map((m, u) => m - spread[u])).reverse();
      band.setAttribute("d", `${fit.line([...upper, ...lower])}Z`);
      curve.setAttribute("d", fit.line(along(found.mean)));
      handles.forEach((handle, index) => {
        const [input, value] = points[index];
        explore.set(handle, {
          transform: `translate(${fit.sx(input)},${fit.sy(value)})`,
          class: index === chosen ? "explore-handle chosen" : "explore-handle",
          "aria-label": `Reading ${index + 1} of ${points.length}`, "aria-valuenow": value,
          "aria-valuetext": `input ${number(input)}, value ${number(value)}`,
        });
      });
      score.front.replaceChildren();
      const rules = [
        [found.removed, found.ahead, "triangle", "s1"],
        [found.variance, found.myopic, "diamond", "s2"],
      ];
      rules.forEach(([values, best, shape, style], i) => {
        scores[i].setAttribute("d", score.line(along(values.map((value) => value / values[best]))));
        explore.marker(score.front, shape, score.sx(POOL[best][0]), score.sy(1), { class: style });
      });
      const share = (best) => `${Math.round((100 * found.removed[best]) / found.total)}%`;
      say(`${points.length} readings. Look-ahead asks at ${number(POOL[found.ahead][0])}: ` +
        `a label there removes ${share(found.ahead)} of the variance in the pool. ` +
        `The variance rule asks at ${number(POOL[found.myopic][0])}: ${share(found.myopic)}.`);
      place.dataset.asks = `${POOL[found.ahead][0]} ${POOL[found.myopic][0]}`;
    }

    rebuild();
    return { panels: [fit, score], draw };
  }

  explore.start("regression", build);
  return { START, POOL, RIDGES, look };
})();
