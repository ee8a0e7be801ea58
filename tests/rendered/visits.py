"""One visit of a page in a real browser, on a desk and on a phone, by day and by night, with no network."""

from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page

AXE = Path(__file__).with_name("axe") / "axe.min.js"
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 800}
PATIENCE = 120_000  # milliseconds to wait for anything: the machine may be busy
GRAVE = ("serious", "critical")
COLOURS = ["color-contrast", "link-in-text-block"]  # the rules that look at colours

READY = "async () => { if (window.MathJax) await MathJax.startup.promise; }"
LOADED = "() => performance.getEntriesByType('navigation')[0].loadEventEnd"

# TeX that a reader would see: in the text, or in an element made for it that MathJax has left alone.
RAW = r"""() => {
  const raw = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const { data, parentElement } = walk.currentNode;
    if (/\$\$|\\\(|\\\[|\\begin\{/.test(data)
        && !parentElement.closest("pre, code, script, style, noscript, mjx-container")) raw.push(data.trim());
  }
  const alone = [...document.querySelectorAll(".math:not(:has(mjx-container))")];
  const wrong = document.querySelectorAll("mjx-merror, [data-mjx-error], .MathJax_Error");
  return [...raw, ...[...alone, ...wrong].map((part) => part.textContent.trim())];
}"""

# What makes a page scroll sideways: outermost elements that end right of the window, in no box that scrolls.
WIDE = """() => {
  const boxed = (element) => {
    for (let box = element.parentElement; box && box !== document.body; box = box.parentElement)
      if (getComputedStyle(box).overflowX !== "visible" && box.clientWidth < box.scrollWidth
          && box.getBoundingClientRect().right <= innerWidth + 1) return true;
    return false;
  };
  const wide = [...document.querySelectorAll("article *")].filter((element) =>
    element.getBoundingClientRect().right > innerWidth + 1
    && element.checkVisibility({ visibilityProperty: true })
    && !element.closest("mjx-assistive-mml, .sr-only, .visually-hidden") && !boxed(element));
  const say = ({ tagName, className, textContent }) =>
    `${tagName} ${className} ${textContent.trim().slice(0, 60)}`;
  const found = wide.filter((element) => !wide.includes(element.parentElement)).map(say);
  const root = document.scrollingElement;
  return root.scrollWidth > innerWidth ? [`the page is ${root.scrollWidth} px wide`, ...found] : found;
}"""

# For axe, a thinner page that looks the same to it: it weighs each piece of text, and there are thousands,
# and most are code coloured like the piece before, or glyphs of formulas, which have the colour of their text
# and are hidden from readers' aids (these get the formula as MathML).
THIN = """() => {
  const seen = new Set();
  for (const piece of document.querySelectorAll(".highlight span[class]")) {
    const look = `${piece.className} in ${piece.parentElement.className}`;
    if (seen.has(look)) piece.replaceWith(...piece.childNodes);
    seen.add(look);
  }
  for (const glyphs of document.querySelectorAll("mjx-math")) glyphs.replaceChildren();
}"""

AUDIT = """async (options) => {
  const found = await axe.run(document, { preload: false, resultTypes: ["violations"], ...options });
  return found.violations;
}"""


@dataclass
class Visit:
    """What was found on a page."""

    said: list[str]  # by the console, warnings too, and errors of scripts
    failed: list[str]  # requests that failed or that wanted to leave the machine
    raw: list[str]  # mathematics not rendered
    wide: list[str]  # what does not fit a phone
    violations: list[str]  # of axe's rules, serious or critical


def watch(page: Page, base: str = "file:") -> tuple[list[str], list[str]]:
    """Lists that fill with what is said and what fails; `base` begins every address that may be asked for."""
    said, failed = [], []
    worse = ("warning", "error")
    page.on("console", lambda message: said.append(message.text) if message.type in worse else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    left = "net::ERR_ABORTED"  # the page was left while it still loaded its icon
    page.on("requestfailed", lambda asked: None if asked.failure == left else failed.append(asked.url))
    page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
    allowed = (base, "data:", "blob:")
    page.on(
        "request", lambda request: None if request.url.startswith(allowed) else failed.append(request.url)
    )
    return said, failed


def audit(page: Page, where: str, **options) -> list[str]:
    """The serious and critical violations that axe finds."""
    found = []
    for rule in page.evaluate(AUDIT, options):
        if rule["impact"] in GRAVE:
            places = [f"{node['target']} {node['html'][:120]}" for node in rule["nodes"][:3]]
            found.append(f"{where}: {rule['id']} ({len(rule['nodes'])}), {rule['help']}: {'; '.join(places)}")
    return found


def visit(browser: Browser, address: str) -> Visit:
    """Load a page once and look at it in every way."""
    context = browser.new_context(viewport=DESK, offline=True, reduced_motion="reduce", color_scheme="light")
    try:
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        said, failed = watch(page)
        page.goto(address)
        page.evaluate(READY)
        raw = page.evaluate(RAW)
        page.set_viewport_size(PHONE)
        wide = page.evaluate(WIDE)
        page.set_viewport_size(DESK)
        page.evaluate(THIN)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        violations = audit(page, "light")
        page.evaluate("document.documentElement.dataset.theme = 'dark'")
        violations += audit(page, "dark", runOnly=COLOURS)
        return Visit(said, failed, raw, wide, violations)
    finally:
        context.close()
