// A deck: typeset the mathematics, make each slide fit its box, then start reveal.js.
"use strict";

const [WIDTH, HEIGHT, FOOT] = [1280, 720, 52];
const SMALLEST = 0.66; // of the style sheet's font size: about 19 of 720 pixels, the least that a back row reads
const SMALLEST_PICTURE = 220;

function lowest(slide) {
  const top = slide.getBoundingClientRect().top;
  return Math.max(...[...slide.children].map((child) => child.getBoundingClientRect().bottom - top));
}

function excess(slide) {
  return Math.ceil(lowest(slide) - (HEIGHT - FOOT));
}

// Formulas and code do not wrap: those that are too wide get smaller letters.
function tooWide(box) {
  const right = box.parentElement.getBoundingClientRect().right + 1;
  return [box, ...box.querySelectorAll("*")].some((part) => part.getBoundingClientRect().right > right);
}

function narrow(slide) {
  for (const box of slide.querySelectorAll("mjx-container[display='true'], pre")) {
    box.style.fontSize = "";
    const size = parseFloat(getComputedStyle(box).fontSize);
    for (let scale = 0.96; tooWide(box) && scale > 0.5; scale -= 0.04) {
      box.style.fontSize = `${scale * size}px`;
    }
  }
}

// Too high: first a smaller picture, then smaller letters.
function fit(slide) {
  narrow(slide);
  for (const picture of slide.querySelectorAll("img")) {
    const height = picture.getBoundingClientRect().height;
    const over = excess(slide);
    if (over > 0) picture.style.maxHeight = `${Math.max(Math.min(height, SMALLEST_PICTURE), height - over)}px`;
  }
  for (let scale = 1; excess(slide) > 0 && scale >= SMALLEST; scale -= 0.02) {
    slide.style.fontSize = `${scale}em`;
    narrow(slide);
  }
  // And a picture that has room left takes it.
  for (const picture of slide.querySelectorAll("img")) {
    const height = picture.getBoundingClientRect().height;
    const room = -excess(slide);
    if (room > 0 && picture.style.maxHeight) picture.style.maxHeight = `${height + room}px`;
  }
}

async function start() {
  await MathJax.startup.promise;
  await MathJax.typesetPromise([document.querySelector(".slides")]);
  document.body.classList.add("measuring");
  document.querySelector(".slides").getBoundingClientRect(); // lays out, so that the formulas' letters are loaded
  await document.fonts.ready;
  await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
  document.querySelectorAll(".slides > section > section").forEach(fit);
  document.body.classList.remove("measuring");
  await Reveal.initialize({
    width: WIDTH, height: HEIGHT, margin: 0, center: false, hash: true, transition: "none",
    slideNumber: "c/t", showSlideNumber: "all", pdfSeparateFragments: false, controlsTutorial: false,
  });
  document.documentElement.dataset.deck = "ready";
}

window.addEventListener("load", start);
