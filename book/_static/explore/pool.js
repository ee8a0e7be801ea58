// Chapter 11: one pool in the plane, questioned by three rules side by side, one label at a time.
"use strict";

explore.pool = (() => {
  const SIZE = { pool: 150, test: 400, start: 2 }; // start: labels of each class
  const NOISE = 0.15;
  const RIDGE = 0.1;
  const MOST = 24; // questions
  const AVERAGE = { pools: 50, questions: 10, t: 2.01 }; // t: Student's, 95%, 49 degrees of freedom
  const RULES = [
    { name: "random", title: "Random", style: "line s0", shape: "dot" },
    { name: "margin", title: "Margin", style: "line s2", shape: "triangle" },
    { name: "mlmoc", title: "MLMOC", style: "line s1", shape: "square" },
  ];

  /** Two half moons with noise: label 0 is the upper one. */
  function moons(seed, count) {
    const draw = explore.uniform(seed);
    const noise = explore.normal(draw);
    return Array.from({ length: count }, () => {
      const label = draw() < 0.5 ? 0 : 1;
      const angle = Math.PI * draw();
      const [x, y] = label ? [1 - Math.cos(angle), 0.5 - Math.sin(angle)] : [Math.cos(angle), Math.sin(angle)];
      return { x: [x + NOISE * noise(), y + NOISE * noise()], label };
    });
  }

  /** A pool whose first points of each class are labelled, and the look-ahead over all the others. */
  class Problem {
    constructor(seed) {
      this.seed = seed;
      const points = moons(seed, SIZE.pool + SIZE.test);
      const pool = points.slice(0, SIZE.pool);
      const seen = [0, 0];
      const first = pool.map(({ label }) => seen[label]++ < SIZE.start);
      this.labelled = pool.filter((_, i) => first[i]);
      this.candidates = pool.filter((_, i) => !first[i]);
      this.test = points.slice(SIZE.pool);
      const [L, C] = [this.labelled, this.candidates].map((part) => part.map(({ x }) => x));
      const Y = this.labelled.map(({ label }) => explore.oneHot(label, 2));
      this.post = explore.condition(explore.ntk(L, L), explore.ntk(L, C), explore.ntk(C, C), Y, RIDGE);
    }
  }

  /** One rule at work: it asks, the true label is revealed to the look-ahead, and it asks again. */
  class Learner {
    constructor(problem, rule) {
      Object.assign(this, { problem, rule, post: problem.post, labelled: problem.labelled.slice(), picks: [] });
      this.draw = explore.uniform(problem.seed + 500000);
      this.accuracies = [this.accuracy()];
    }

    scores() {
      if (this.rule === "random") return this.problem.candidates.map(() => this.draw());
      return this.rule === "margin" ? explore.margin(this.post.mean) : explore.mlmoc(this.post);
    }

    step() {
      const scores = this.scores();
      for (const taken of this.picks) scores[taken] = -Infinity;
      const c = explore.argmax(scores);
      const asked = this.problem.candidates[c];
      this.post = explore.reveal(this.post, c, explore.oneHot(asked.label, 2));
      this.picks.push(c);
      this.labelled.push(asked);
      this.accuracies.push(this.accuracy());
    }

    /** The output for the lower moon minus that for the upper one, at any inputs. */
    lead(inputs) {
      const X = this.labelled.map(({ x }) => x);
      const Y = this.labelled.map(({ label }) => explore.oneHot(label, 2));
      const alpha = explore.weights(explore.ntk(X, X), Y, RIDGE).map(([upper, lower]) => [lower - upper]);
      return explore.cross(explore.ntk(X, inputs), alpha).map(([value]) => value);
    }

    accuracy() {
      const { test } = this.problem;
      const lead = this.lead(test.map(({ x }) => x));
      return lead.filter((value, i) => (value > 0 ? 1 : 0) === test[i].label).length / test.length;
    }
  }

  /** Accuracies of the three rules on one pool after some questions. */
  function compare(seed, questions) {
    const problem = new Problem(seed);
    return RULES.map(({ name }) => {
      const learner = new Learner(problem, name);
      for (let q = 0; q < questions; q++) learner.step();
      return learner.accuracies.at(-1);
    });
  }

  /** Mean of values and half the length of its 95% interval. */
  function interval(values) {
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return [mean, AVERAGE.t * Math.sqrt(squares / (values.length - 1) / values.length)];
  }

  const X = [-1.6, 2.6];
  const Y = [-1.1, 1.6];
  const GRID = { across: 41, down: 61 };
  const between = ([low, high], i, count) => low + ((high - low) * i) / (count - 1);
  const PLACES = Array.from({ length: GRID.across * GRID.down }, (_, i) =>
    [between(X, i % GRID.across, GRID.across), between(Y, Math.floor(i / GRID.across), GRID.down)]);

  /** The `d` of the part of the plane where the lead is positive: a strip for each row of the grid. */
  function region(panel, lead) {
    const half = (Y[1] - Y[0]) / (GRID.down - 1) / 2;
    let d = "";
    for (let row = 0; row < GRID.down; row++) {
      const at = (q) => lead[row * GRID.across + q];
      const y = between(Y, row, GRID.down);
      const edges = at(0) > 0 ? [X[0]] : [];
      for (let q = 1; q < GRID.across; q++) {
        if (at(q - 1) > 0 !== at(q) > 0) edges.push(between(X, q - 1 + at(q - 1) / (at(q - 1) - at(q)), GRID.across));
      }
      if (edges.length % 2) edges.push(X[1]);
      for (let e = 0; e < edges.length; e += 2) {
        const [left, right] = [edges[e], edges[e + 1]];
        d += `${panel.line([[left, y - half], [right, y - half], [right, y + half], [left, y + half]])}Z`;
      }
    }
    return d;
  }

  function build(place) {
    let seed = 1;
    let learners;
    let timer = null;
    const percent = (share) => `${(100 * share).toFixed(1)}%`;

    const trio = explore.add(place, "div", { class: "explore-trio" });
    const views = RULES.map(({ title }) => {
      const box = explore.add(trio, "div");
      const heading = explore.add(box, "p", { class: "explore-title" });
      const aspect = (Y[1] - Y[0]) / (X[1] - X[0]);
      const panel = new explore.Panel(box, { label: title, x: X, y: Y, aspect, left: 2, right: 2, top: 2, bottom: 2 });
      return { heading, panel, area: explore.add(panel.plot, "path", { class: "area s1" }) };
    });
    const labels = [0, 1].map((end) => 2 * SIZE.start + end * MOST);
    const chart = new explore.Panel(place, {
      label: "Accuracy against the number of labels", x: [labels[0], labels[1] + 0.5], y: [0.5, 1], height: 190,
      xticks: [4, 8, 12, 16, 20, 24, 28].map((x) => [x, String(x)]), xlabel: "labels",
      yticks: [0.5, 0.6, 0.7, 0.8, 0.9, 1].map((y) => [y, `${Math.round(100 * y)}%`]),
    });
    explore.legend(place, [
      ["ink", "labelled, upper moon", "dot"],
      ["ink", "labelled, lower moon", "diamond"],
      ["area s1", "predicted: lower moon"],
      ["ring", "asked last", "dot"],
      ...RULES.map(({ title, style }) => [style, title]),
    ]);
    const row = explore.controls(place);
    explore.button(row, "Step", () => { pause(); step(); });
    const play = explore.button(row, "Play", () => (timer ? pause() : resume()));
    explore.button(row, "Start again", () => begin(seed));
    explore.button(row, "Another pool", () => begin(seed + 1));
    const many = explore.button(row, `Average over ${AVERAGE.pools} pools`, average);
    const say = explore.status(place);
    const sum = explore.status(place);

    function begin(next) {
      pause();
      seed = next;
      const problem = new Problem(seed);
      learners = RULES.map(({ name }) => new Learner(problem, name));
      draw();
    }
    function step() {
      if (learners[0].picks.length === MOST) return pause();
      for (const learner of learners) learner.step();
      draw();
    }
    function resume() {
      if (learners[0].picks.length === MOST) begin(seed);
      if (explore.still()) {
        while (learners[0].picks.length < MOST) for (const learner of learners) learner.step();
        return draw();
      }
      play.textContent = "Pause";
      timer = setInterval(step, 700);
    }
    function pause() {
      clearInterval(timer);
      timer = null;
      play.textContent = "Play";
    }

    /** Pools 1001, 1002, ...: none of those that "Another pool" shows first. */
    function average() {
      const rows = [];
      many.disabled = true;
      const next = () => {
        rows.push(compare(1001 + rows.length, AVERAGE.questions));
        if (rows.length < AVERAGE.pools) {
          many.textContent = `${rows.length} of ${AVERAGE.pools} pools`;
          return setTimeout(next);
        }
        many.disabled = false;
        many.textContent = `Average over ${AVERAGE.pools} pools`;
        const minus = (a, b) => interval(rows.map((r) => 100 * (r[a] - r[b])))
          .map((value) => explore.number(value, 1)).join(" ± ");
        sum(`${AVERAGE.pools} other pools, ${AVERAGE.questions} questions each: differences in percentage points ` +
          `with 95% intervals. Margin minus random ${minus(1, 0)}, ` +
          `MLMOC minus random ${minus(2, 0)}, MLMOC minus margin ${minus(2, 1)}.`);
      };
      next();
    }

    function draw() {
      if (!chart.width) return;
      const n = learners[0].labelled.length;
      chart.front.replaceChildren();
      learners.forEach((learner, i) => {
        const { title, style, shape } = RULES[i];
        const { panel, heading, area } = views[i];
        const now = learner.accuracies.at(-1);
        heading.textContent = `${title}: ${percent(now)}`;
        panel.svg.setAttribute("aria-label", `${title}: the pool, ${n} labels, and the predicted classes`);
        area.setAttribute("d", region(panel, learner.lead(PLACES)));
        panel.front.replaceChildren();
        for (const { x } of learner.problem.candidates) {
          explore.add(panel.front, "circle", { r: 1.8, cx: panel.sx(x[0]), cy: panel.sy(x[1]), class: "dust" });
        }
        learner.labelled.forEach(({ x, label }, at) => {
          const [across, down] = [panel.sx(x[0]), panel.sy(x[1])];
          explore.marker(panel.front, label ? "diamond" : "dot", across, down, { class: "ink" });
          const last = learner.picks.length && at === n - 1;
          if (last) explore.add(panel.front, "circle", { r: 9, cx: across, cy: down, class: "ring" });
        });
        const trace = learner.accuracies.map((value, q) => [labels[0] + q, value]);
        explore.add(chart.front, "path", { d: chart.line(trace), class: style });
        explore.marker(chart.front, shape, chart.sx(n), chart.sy(now), { class: style.replace("line ", "") });
      });
      say(`Pool ${seed}, ${n} labels. Accuracy on ${SIZE.test} further points: ` +
        `${RULES.map(({ title }, i) => `${title} ${percent(learners[i].accuracies.at(-1))}`).join(", ")}.`);
      Object.assign(place.dataset, { seed, labels: n });
    }

    begin(seed);
    return { panels: [...views.map(({ panel }) => panel), chart], draw };
  }

  explore.start("pool", build);
  return { moons, Problem, Learner, compare, interval, AVERAGE, RIDGE };
})();
