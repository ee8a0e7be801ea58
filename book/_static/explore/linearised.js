// Chapter 5: a network with one hidden layer and its tangent at the start, trained alike, in the browser.
"use strict";

explore.linearised = (() => {
  // The twenty points of ntkal.load("toy1d"), to three decimals.
  const POINTS = [
    [-2.984, 0.298], [-2.901, 0.6], [-2.798, 0.567], [-2.754, 0.735], [-1.946, 0.772],
    [-1.381, -0.361], [-1.202, -0.747], [-0.464, -0.892], [0.249, 0.431], [0.262, 0.522],
    [0.64, 0.857], [0.822, 0.976], [1.377, 0.362], [1.378, 0.43], [1.88, -0.558],
    [1.895, -0.569], [2.144, -0.977], [2.179, -0.951], [2.477, -0.893], [2.61, -0.724],
  ];
  const n = POINTS.length;
  const PLACES = Array.from({ length: 61 }, (_, i) => (i - 30) / 10);
  const INPUTS = [...POINTS.map(([x]) => x), ...PLACES].map((x) => [1.5 * x, 1]); // labelled ones first
  const RATE = 0.05;
  const WIDTHS = [4, 8, 16, 32, 64, 128, 256, 512];
  const STEPS = [0, 1, 2, 3, 5, 7, 10, 14, 20, 30, 40, 50, 70, 100, 140, 200, 300, 400, 500, 700, 1000];

  /** f(x) = N^(-1/2) sum_j a_j tanh(u_j x_0 + v_j x_1) and its tangent, after some steps of gradient descent. */
  class Run {
    constructor(width, seed) {
      const draw = explore.normal(explore.uniform(1000 * seed + width));
      this.width = width;
      this.step = 0;
      this.weights = Array.from({ length: 3 }, () => Float64Array.from({ length: width }, draw)); // a, u, v
      this.start = this.weights.map((w) => w.slice());
      this.hidden = Array.from({ length: n }, () => new Float64Array(width));
      this.outputs = this.forward(n);
      this.kernel0 = this.kernel();
      this.tangent = this.forward(INPUTS.length);
      this.records = [this.record()];
    }

    /** The network's outputs at the first `count` inputs; hidden units at labelled inputs are kept for `advance`. */
    forward(count) {
      const [a, u, v] = this.weights;
      return INPUTS.slice(0, count).map(([x0, x1], i) => {
        const hidden = this.hidden[i];
        let sum = 0;
        for (let j = 0; j < this.width; j++) {
          const h = Math.tanh(u[j] * x0 + v[j] * x1);
          if (hidden) hidden[j] = h;
          sum += a[j] * h;
        }
        return sum / Math.sqrt(this.width);
      });
    }

    /** One step of full-batch gradient descent on half the squared error, for both. */
    advance() {
      const [a, u, v] = this.weights;
      const rate = RATE / Math.sqrt(this.width);
      const residual = POINTS.map(([, y], i) => this.outputs[i] - y);
      for (let j = 0; j < this.width; j++) {
        let toA = 0;
        let toU = 0;
        let toV = 0;
        for (let i = 0; i < n; i++) {
          const h = this.hidden[i][j];
          const back = residual[i] * (1 - h * h);
          toA += residual[i] * h;
          toU += back * INPUTS[i][0];
          toV += back * INPUTS[i][1];
        }
        u[j] -= rate * a[j] * toU;
        v[j] -= rate * a[j] * toV;
        a[j] -= rate * toA;
      }
      this.outputs = this.forward(n);
      const left = POINTS.map(([, y], i) => this.tangent[i] - y);
      this.tangent = this.tangent.map((f, k) => f - RATE * left.reduce((sum, r, i) => sum + this.kernel0[k][i] * r, 0));
      this.step++;
      if (STEPS.includes(this.step)) this.records.push(this.record());
    }

    /** The empirical NTK between all inputs and the labelled ones, at the present weights. */
    kernel() {
      const [a, u, v] = this.weights;
      const h = INPUTS.map(([x0, x1]) => a.map((_, j) => Math.tanh(u[j] * x0 + v[j] * x1)));
      return explore.matrix(INPUTS.length, n, (k, i) => {
        const dot = INPUTS[k][0] * INPUTS[i][0] + INPUTS[k][1] * INPUTS[i][1];
        let sum = 0;
        for (let j = 0; j < this.width; j++) {
          sum += h[k][j] * h[i][j] + a[j] * a[j] * (1 - h[k][j] ** 2) * (1 - h[i][j] ** 2) * dot;
        }
        return sum / this.width;
      });
    }

    /** What the figure shows of this moment; the kernel's movement is relative to its size at the start. */
    record() {
      const network = this.forward(INPUTS.length);
      const norm = (values) => Math.hypot(...values);
      const rest = (outputs) => norm(POINTS.map(([, y], i) => outputs[i] - y));
      return {
        step: this.step,
        network: network.slice(n), tangent: this.tangent.slice(n),
        rest: rest(network), restTangent: rest(this.tangent),
        gap: Math.max(...network.map((f, k) => Math.abs(f - this.tangent[k]))),
        kernel: norm(this.kernel().flatMap((row, k) => row.map((value, i) => value - this.kernel0[k][i])))
          / norm(this.kernel0.flat()),
        moved: norm(this.weights.flatMap((w, q) => Array.from(w, (value, j) => value - this.start[q][j]))),
      };
    }
  }

  function build(place) {
    const runs = new Map(); // of this start, by width
    let width = 16;
    let time = STEPS.indexOf(300);
    let seed = 1;
    let waiting = false;

    const { number } = explore;
    const steps = (count) => `${number(count, 0)} step${count === 1 ? "" : "s"}`;
    const ticks = [-3, -2, -1, 0, 1, 2, 3].map((x) => [x, number(x, 0)]);
    const curves = new explore.Panel(place, {
      label: "Outputs of the network and of its tangent", x: [-3, 3], y: [-2.5, 2.5], height: 250,
      xticks: ticks, yticks: [-2, -1, 0, 1, 2].map((y) => [y, number(y, 0)]), xlabel: "input",
    });
    const path = (style) => explore.add(curves.plot, "path", { class: style });
    const [before, tangent, network] = ["line thin", "line s2", "line s1"].map(path);
    const gaps = new explore.Panel(place, {
      label: "Largest distance of the two curves against training time, one line for each width",
      x: [0, 3.05], y: [-3.5, 1], height: 190, right: 40,
      xticks: [[0, "1"], [1, "10"], [2, "100"], [3, "1,000"]], xlabel: "steps of gradient descent",
      yticks: [[-3, "0.001"], [-2, "0.01"], [-1, "0.1"], [0, "1"], [1, "10"]],
    });
    explore.legend(place, [
      ["ink", "labels", "dot"],
      ["line s1", "network"],
      ["line s2", "tangent at the start"],
      ["line thin", "both at the start; in the lower panel the widths seen before"],
      ["s1", "largest distance of the two curves, lower panel", "square"],
    ]);
    const row = explore.controls(place);
    explore.slider(row, "Width", WIDTHS, WIDTHS.indexOf(width), (value) => `${value} units`, (position) => {
      width = WIDTHS[position];
      train();
    });
    explore.slider(row, "Training time", STEPS, time, steps, (position) => {
      time = position;
      train();
    });
    explore.button(row, "Other random weights", () => {
      seed++;
      runs.clear();
      train();
    });
    const say = explore.status(place);

    const present = () => runs.get(width) ?? runs.set(width, new Run(width, seed)).get(width);

    /** Train as far as the slider asks, in slices of some milliseconds, so that the page stays responsive. */
    function train() {
      const begin = performance.now();
      const run = present();
      while (run.step < STEPS[time] && performance.now() - begin < 20) run.advance();
      draw();
      if (run.step < STEPS[time] && !waiting) {
        waiting = true;
        setTimeout(() => {
          waiting = false;
          train();
        });
      }
    }

    function draw() {
      if (!curves.width) return;
      const { records } = present();
      const now = records[Math.min(time, records.length - 1)];
      const along = (values) => PLACES.map((x, k) => [x, values[k]]);
      before.setAttribute("d", curves.line(along(records[0].network)));
      tangent.setAttribute("d", curves.line(along(now.tangent)));
      network.setAttribute("d", curves.line(along(now.network)));
      curves.front.replaceChildren();
      for (const [x, y] of POINTS) explore.marker(curves.front, "dot", curves.sx(x), curves.sy(y), { class: "ink" });

      gaps.plot.replaceChildren();
      gaps.front.replaceChildren();
      const height = (gap) => Math.log10(Math.max(gap, 1e-9));
      for (const [other, run] of runs) {
        const trace = run.records.slice(1).map(({ step, gap }) => [Math.log10(step), height(gap)]);
        if (!trace.length) continue;
        explore.add(gaps.plot, "path", { d: gaps.line(trace), class: other === width ? "line s1" : "line thin" });
        const [x, y] = trace.at(-1);
        explore.add(gaps.front, "text", { x: gaps.sx(x) + 6, y: gaps.sy(y) + 4 }, String(other));
      }
      if (now.step) {
        const [x, y] = [gaps.sx(Math.log10(now.step)), gaps.sy(height(now.gap))];
        explore.marker(gaps.front, "square", x, y, { class: "s1" });
      }
      say(`Width ${width}, ${steps(now.step)}. Largest distance of the curves ${number(now.gap)}. ` +
        `Residual of the network ${number(now.rest)}, of the tangent ${number(now.restTangent)}. ` +
        `The kernel has moved by ${number(100 * now.kernel, 1)}% of its size, ` +
        `the parameters by ${number(now.moved)} together.`);
      Object.assign(place.dataset, { width, step: now.step, gap: now.gap });
    }

    train();
    return { panels: [curves, gaps], draw };
  }

  explore.start("linearised", build);
  return { POINTS, INPUTS, RATE, STEPS, Run };
})();
