"""Checks of the design without a browser: contrast, wording, size, no foreign content."""

import re
from pathlib import Path

import pytest

from config.branding import contrast

ROOT = Path(__file__).parents[3]
CSS = (ROOT / "static" / "app.css").read_text(encoding="utf-8")
LOOK_ALIKE_CSS = (ROOT / "simulator" / "static" / "look-alike.css").read_text(encoding="utf-8")
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
TEMPLATES += sorted((ROOT / "simulator" / "templates").rglob("*.html"))
STYLES = sorted((ROOT / "static").rglob("*.css")) + sorted((ROOT / "simulator").rglob("*.css"))
IMAGES = sorted((ROOT / "static").rglob("*.svg")) + sorted((ROOT / "simulator").rglob("*.svg"))

# Contrast (WCAG 2.2, 1.4.3 and 1.4.11): foreground, grounds.
TEXT = {
    "text": ("surface", "bg", "sunken", "info-bg", "warn-bg"),
    "muted": ("surface", "bg", "sunken"),
    "link": ("surface", "bg"),
    "on-accent": ("accent",),
    "danger": ("surface", "danger-bg"),
    "ok": ("ok-bg",),
    "warn": ("warn-bg",),
    "idp-text": ("idp",),
    "apple-text": ("apple",),
}
LINES = {
    "field": ("surface", "bg"),
    "accent": ("surface", "bg"),
    "focus": ("surface", "bg"),
    "danger": ("surface",),
    "idp-line": ("idp", "surface", "apple"),
}
LOOK_ALIKE_TEXT = {
    "text": ("surface", "bg"),
    "muted": ("surface", "bg"),
    "accent": ("bg",),
    "bg": ("accent",),
}
LOOK_ALIKE_LINES = {"line": ("surface", "bg"), "accent": ("surface", "bg")}


def themes(css: str) -> dict[str, dict[str, str]]:
    """The custom colours of a style sheet, for light and dark."""
    light, dark = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[:2]
    return {
        theme: dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
        for theme, block in (("light", light), ("dark", dark))
    }


def test_the_contrast_formula_matches_known_values():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("css", "pairs", "least"),
    [
        pytest.param(CSS, TEXT, 4.5, id="text"),
        pytest.param(CSS, LINES, 3, id="lines"),
        pytest.param(LOOK_ALIKE_CSS, LOOK_ALIKE_TEXT, 4.5, id="look-alike text"),
        pytest.param(LOOK_ALIKE_CSS, LOOK_ALIKE_LINES, 3, id="look-alike lines"),
    ],
)
def test_colours_have_enough_contrast(theme, css, pairs, least):
    colours = themes(css)[theme]
    measured = {
        f"{over} on {under}": contrast(colours[over], colours[under])
        for over, grounds in pairs.items()
        for under in grounds
    }
    assert {pair: ratio for pair, ratio in measured.items() if ratio < least} == {}


@pytest.mark.parametrize("css", [CSS, LOOK_ALIKE_CSS], ids=["site", "look-alike"])
def test_every_colour_is_a_token_and_every_token_is_used(css):
    light, dark = themes(css).values()
    assert light.keys() == dark.keys()
    used = set(re.findall(r"var\(--([a-z-]+)\)", css))
    assert light.keys() <= used
    rest = re.sub(r"--[a-z-]+: [^;]+;", "", css)
    # The one other colour is the background of the providers' marks.
    assert set(re.findall(r"#[0-9a-f]{3,8}\b", rest)) <= {"#fff"}


def test_styles_and_script_are_small():
    assert len(CSS.encode()) < 12288
    assert (ROOT / "static" / "app.js").stat().st_size < 2048


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", TEMPLATES, ids=short)
def test_templates_hold_no_inline_style_script_or_foreign_url(path):
    """The Content-Security-Policy would block them."""
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle\s*=", text)
    assert all("src=" in tag for tag in re.findall(r"<script\b[^>]*>", text))
    assert not re.search(r"\son[a-z]+\s*=", text)
    assert not re.search(r"""javascript:|https?:|["']//""", text)
    assert "|safe" not in text.replace(" ", "")


@pytest.mark.parametrize("path", STYLES, ids=short)
def test_stylesheets_load_nothing(path):
    assert not re.search(r"url\(|@import|https?:", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", IMAGES, ids=short)
def test_svg_images_hold_no_script_or_link(path):
    text = path.read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"<title|<script|<style|<image|href|\son[a-z]+=|https?:", text)
    is_inline = path.parent.name == "idp"
    assert ('aria-hidden="true"' in text) is is_inline
