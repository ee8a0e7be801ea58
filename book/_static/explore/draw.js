// What the explorable figures draw with: a panel with axes, a legend, buttons, sliders, a line that is read out.
"use strict";

Object.assign(explore, (() => {
  const SVG = "http://www.w3.org/2000/svg";

  /** Set attributes; those that are functions become listeners. */
  function set(node, attributes) {
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") node.addEventListener(name, value);
      else node.setAttribute(name, value);
    }
    return node;
  }

  /** A new element at the end of `parent`. */
  function add(parent, name, attributes = {}, text = "") {
    const inside = name === "svg" || parent.namespaceURI === SVG;
    const node = inside ? document.createElementNS(SVG, name) : document.createElement(name);
    if (text) node.textContent = text;
    parent.append(set(node, attributes));
    return node;
  }

  /** An SVG plot that is as wide as the page allows; `options` are the properties set in the constructor. */
  class Panel {
    constructor(parent, options) {
      const defaults = { height: 220, left: 44, right: 10, top: 8, bottom: 42, xticks: [], yticks: [], xlabel: "" };
      Object.assign(this, defaults, options);
      this.svg = add(parent, "svg", { class: "explore-panel", role: this.role ?? "img", "aria-label": this.label });
      this.frame = add(this.svg, "g", { class: "explore-frame", "aria-hidden": "true" });
      this.plot = add(this.svg, "svg", { class: "explore-plot" }); // clips what leaves the axes
      this.front = add(this.svg, "g");
    }

    /** Take the width that there is now, and draw the axes for it. */
    layout() {
      this.width = this.svg.getBoundingClientRect().width || 640;
      if (this.aspect) this.height = this.top + this.bottom + (this.width - this.left - this.right) * this.aspect;
      const { left, top, width, height } = this;
      const w = width - left - this.right;
      const h = height - top - this.bottom;
      set(this.svg, { viewBox: `0 0 ${width} ${height}`, height });
      set(this.plot, { x: left, y: top, width: w, height: h, viewBox: `${left} ${top} ${w} ${h}` });
      this.frame.replaceChildren();
      add(this.frame, "rect", { x: left, y: top, width: w, height: h });
      for (const [value, text] of this.xticks) {
        add(this.frame, "line", { x1: this.sx(value), x2: this.sx(value), y1: top, y2: top + h });
        add(this.frame, "text", { x: this.sx(value), y: top + h + 16, "text-anchor": "middle" }, text);
      }
      for (const [value, text] of this.yticks) {
        add(this.frame, "line", { x1: left, x2: left + w, y1: this.sy(value), y2: this.sy(value) });
        add(this.frame, "text", { x: left - 6, y: this.sy(value) + 4, "text-anchor": "end" }, text);
      }
      add(this.frame, "text", { x: left + w / 2, y: height - 6, "text-anchor": "middle" }, this.xlabel);
    }

    /** Horizontal and vertical place of a value, and the value at a place. */
    sx(x) {
      return this.left + ((x - this.x[0]) / (this.x[1] - this.x[0])) * (this.width - this.left - this.right);
    }
    sy(y) {
      return this.top + ((this.y[1] - y) / (this.y[1] - this.y[0])) * (this.height - this.top - this.bottom);
    }
    at(event) {
      const box = this.svg.getBoundingClientRect();
      const across = (event.clientX - box.left - this.left) / (this.width - this.left - this.right);
      const down = (event.clientY - box.top - this.top) / (this.height - this.top - this.bottom);
      return [this.x[0] + across * (this.x[1] - this.x[0]), this.y[1] - down * (this.y[1] - this.y[0])];
    }

    /** The `d` of a path through points. */
    line(points) {
      return points.map(([x, y], i) => `${i ? "L" : "M"}${this.sx(x).toFixed(1)},${this.sy(y).toFixed(1)}`).join("");
    }
  }

  // Markers of about ten pixels: a different shape for each series, so that grey is enough.
  const MARKERS = {
    dot: "M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0",
    square: "M-4.5,-4.5h9v9h-9z",
    triangle: "M0,-6L5.5,5H-5.5z",
    diamond: "M0,-6.5L6.5,0L0,6.5L-6.5,0z",
  };

  /** A marker at a place given in pixels. */
  function marker(parent, shape, x, y, attributes = {}) {
    return add(parent, "path", { d: MARKERS[shape], transform: `translate(${x},${y})`, ...attributes });
  }

  /** What the lines and markers mean: rows of [class of the swatch, words, shape of the marker if it is one]. */
  function legend(parent, rows) {
    const list = add(parent, "ul", { class: "explore-legend" });
    for (const [style, words, shape] of rows) {
      const item = add(list, "li");
      const swatch = add(item, "svg", { width: 30, height: 14, "aria-hidden": "true" });
      if (shape) marker(swatch, shape, 15, 7, { class: style });
      else if (style.includes("area")) add(swatch, "rect", { x: 2, y: 2, width: 26, height: 10, class: style });
      else add(swatch, "path", { d: "M1,7H29", class: style });
      item.append(words);
    }
  }

  /** A row for buttons and sliders. */
  function controls(parent) {
    return add(parent, "div", { class: "explore-controls" });
  }

  function button(parent, text, click) {
    return add(parent, "button", { type: "button", click }, text);
  }

  /** A slider over the positions of `values`; `show` puts a value into words, `input` receives the position. */
  function slider(parent, text, values, position, show, input) {
    const label = add(parent, "label", { class: "explore-slider" });
    add(label, "span", {}, text);
    const range = add(label, "input", { type: "range", min: 0, max: values.length - 1, step: 1 });
    const words = add(label, "span", { class: "explore-value", "aria-hidden": "true" });
    const tell = () => {
      words.textContent = show(values[range.value]);
      range.setAttribute("aria-valuetext", words.textContent);
    };
    range.value = position;
    range.addEventListener("input", () => {
      tell();
      input(Number(range.value));
    });
    tell();
    return range;
  }

  /** The key numbers, read out politely when they change. */
  function status(parent) {
    const node = add(parent, "p", { class: "explore-status", role: "status" });
    return (text) => {
      if (node.textContent !== text) node.textContent = text;
    };
  }

  /**
   * Bring every figure of that name on the page to life. `build(place)` returns `{ panels, draw }`: the panels
   * are laid out anew, and all is drawn again, whenever the width changes. Until then the picture stays.
   */
  function start(name, build) {
    for (const figure of document.querySelectorAll(`figure.explorable-${name}`)) {
      const place = document.createElement("div");
      place.className = "explore-live";
      figure.prepend(place);
      const { panels, draw } = build(place);
      figure.classList.add("explorable-started"); // hides the picture on the screen, not in print
      let width = 0;
      new ResizeObserver(() => {
        if (place.clientWidth === width || !place.clientWidth) return;
        width = place.clientWidth;
        for (const panel of panels) panel.layout();
        draw();
      }).observe(place);
    }
  }

  /** A number in words, with a true minus sign and no minus before zero. */
  function number(value, digits = 2) {
    return (Math.abs(value) < 0.5 * 10 ** -digits ? 0 : value).toFixed(digits).replace("-", "−");
  }

  /** Whether the reader has asked for pages without motion. */
  function still() {
    return matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  return { set, add, Panel, marker, legend, controls, button, slider, status, start, number, still };
})());
