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
    faults: list[str] = []
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            faults += [f"{width} px, {theme}: {each}" for each in page.evaluate(RUN_AXE)]
        faults += [f"{width} px, too low: {each}" for each in page.evaluate(SMALL_CONTROLS)]
        reach = page.evaluate("document.documentElement.scrollWidth")
        faults += [f"{width} px, overflows to {reach}"] if reach > width else []
    page.emulate_media(color_scheme="light")
    assert not faults, "\n".join([f"{heading}, at {visitor.path}", *faults])


def inspect_failure(visitor: Visitor, title: str, heading: str = "Sign in to Quickstep") -> None:
    """The page that tells of a failure: of sign-in, or of what somebody had begun there."""
    expect(visitor.page.get_by_role("alert").get_by_role("heading")).to_have_text(title)
    inspect(visitor, heading)
