"""What every page must be: accessible to axe and to us, narrow and wide, light and dark."""

from pathlib import Path

from playwright.sync_api import expect

from tests.system.browser.visitor import Visitor

WIDTHS = {320: 640, 1280: 900}
THEMES = ("light", "dark")
AXE = (Path(__file__).parents[2] / "vendor" / "axe.min.js").read_text(encoding="utf-8")
# All rules of axe but its experimental ones; target-size is WCAG 2.2 AA and off by default.
RUN_AXE = """
axe.run({resultTypes: ["violations"], rules: {"target-size": {enabled: true}}}).then((found) =>
  found.violations.flatMap(({id, nodes}) =>
    nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`)))
"""
# Every control is 44 px high, or a link within a line of text; of a box to tick, its label counts.
SMALL_CONTROLS = """
() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
  .filter((control) => control.checkVisibility() && control.type !== "hidden")
  .filter((control) => {
    const words = [...control.parentNode.childNodes].filter((node) => node.nodeType === 3);
    const isInText = getComputedStyle(control).display === "inline"
      && words.some((node) => node.data.trim());
    const isTicked = ["checkbox", "radio"].includes(control.type);
    const touched = (isTicked && control.labels[0]) || control;
    return !isInText && touched.getBoundingClientRect().height < 44;
  })
  .map((control) => control.outerHTML)
"""
# Controls of one name that do different things cannot be told apart by somebody who hears them.
SAME_NAMES = """
() => {
  const does = (control, index) => {
    if (control.href) return control.href;
    if (control.type !== "submit" || !control.form) return index;
    const form = new FormData(control.form, control);
    form.delete("csrf_token");
    return [control.form.action, ...[...form].flat()].join(" ");
  };
  const nameOf = (control) => (control.getAttribute("aria-label")
    || [...(control.labels || [])].map((label) => label.textContent).join(" ")
    || control.textContent).trim().replace(/\\s+/g, " ");
  const known = new Map();
  return [...document.querySelectorAll("a[href], button, input, summary, [tabindex='0']")]
    .filter((control) => control.type !== "hidden" && control.checkVisibility())
    .filter((control, index) => {
      const [name, act] = [nameOf(control), does(control, index)];
      const isOther = known.has(name) && known.get(name) !== act;
      known.set(name, act);
      return isOther;
    })
    .map((control) => control.outerHTML);
}
"""
# Text that the ring of a focused control lies on.
COVERED_TEXT = """
() => {
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    const isSeen = parent.checkVisibility() && !parent.closest(".visually-hidden, .skip");
    if (!node.data.trim() || !isSeen) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    texts.push(...[...range.getClientRects()].map((box) => [parent, box]));
  }
  const faults = [];
  for (const control of document.querySelectorAll("a[href]:not(.skip), button, input, summary")) {
    if (control.type === "hidden" || !control.checkVisibility()) continue;
    control.focus({preventScroll: true, focusVisible: true});
    const {display, outlineOffset, outlineWidth} = getComputedStyle(control);
    const reach = parseFloat(outlineOffset) + parseFloat(outlineWidth) - 0.5;
    for (const ring of control.getClientRects()) for (const [parent, box] of texts) {
      // Letters fill about 1.2 em of their line.
      const middle = (box.top + box.bottom) / 2;
      const ink = parseFloat(getComputedStyle(parent).fontSize) * 0.6;
      const isSameLine = display === "inline" && middle > ring.top && middle < ring.bottom;
      if (control.contains(parent) || isSameLine) continue;
      const isClear = box.right <= ring.left - reach || box.left >= ring.right + reach
        || middle + ink <= ring.top - reach || middle - ink >= ring.bottom + reach;
      const text = parent.textContent.trim().slice(0, 60);
      if (!isClear) faults.push(`${control.outerHTML} covers ${text}`);
    }
    control.blur();
  }
  return faults;
}
"""
# With text twice as large, as people set it in their browser: what does not grow, or sticks out.
TOO_SMALL_WHEN_LARGE = """
() => {
  const boxes = [...document.querySelectorAll("svg, img, .initials, .letter, input[type=radio]")]
    .filter((image) => image.checkVisibility());
  const before = boxes.map((image) => image.getBoundingClientRect().height);
  document.documentElement.style.fontSize = "200%";
  const small = boxes.filter((image, index) =>
    image.getBoundingClientRect().height < before[index] * 1.9);
  const reach = document.documentElement.scrollWidth;
  const faults = small.map((image) => `${image.outerHTML.slice(0, 80)} does not grow`);
  if (reach > innerWidth) faults.push(`overflows to ${reach} with large text`);
  document.documentElement.style.fontSize = "";
  return faults;
}
"""
# What people may set for themselves (WCAG 2.2, 1.4.12).
OVERFLOW_WITH_WIDE_TEXT = """
() => {
  const style = document.documentElement.style;
  Object.assign(style, {letterSpacing: "0.12em", wordSpacing: "0.16em", lineHeight: "1.5"});
  const reach = document.documentElement.scrollWidth;
  style.cssText = "";
  return reach > innerWidth ? [`overflows to ${reach} with wide letters`] : [];
}
"""
FACTS = """
() => ({
  headings: document.querySelectorAll("h1").length,
  lang: document.documentElement.lang,
  alerts: document.querySelectorAll("[role=alert]").length,
  title: document.title,
})
"""


def inspect(visitor: Visitor, heading: str) -> None:
    """The page with this heading, as everybody may come to see it. Leaves it wide and light."""
    visitor.sees(heading)
    page = visitor.page
    page.wait_for_load_state()
    facts = page.evaluate(FACTS)
    assert facts["headings"] == 1
    assert facts["lang"] == "en"
    tells_of_failure = visitor.status >= 400 or facts["alerts"] > 0
    assert facts["title"].startswith("Error: ") is tells_of_failure, facts["title"]
    page.evaluate(AXE)
    faults = [f"named as another: {each}" for each in page.evaluate(SAME_NAMES)]
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            faults += [f"{width} px, {theme}: {each}" for each in page.evaluate(RUN_AXE)]
        faults += [f"{width} px, too low: {each}" for each in page.evaluate(SMALL_CONTROLS)]
        faults += [f"{width} px, ring: {each}" for each in page.evaluate(COVERED_TEXT)]
        faults += [f"{width} px, 200 %: {each}" for each in page.evaluate(TOO_SMALL_WHEN_LARGE)]
        faults += [f"{width} px: {each}" for each in page.evaluate(OVERFLOW_WITH_WIDE_TEXT)]
        reach = page.evaluate("document.documentElement.scrollWidth")
        faults += [f"{width} px, overflows to {reach}"] if reach > width else []
    page.emulate_media(color_scheme="light")
    assert not faults, "\n".join([f"{heading}, at {visitor.path}", *faults])


def inspect_failure(visitor: Visitor, title: str, heading: str = "Sign in to Quickstep") -> None:
    """The page that tells of a failure: of sign-in, or of what somebody had begun there."""
    expect(visitor.page.get_by_role("alert").get_by_role("heading")).to_have_text(title)
    inspect(visitor, heading)
