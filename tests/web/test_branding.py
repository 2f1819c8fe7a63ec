"""The operator's branding: name, logo, icon, accent and the providers' own marks."""

import re
from pathlib import Path

import pytest

from config import Settings, load
from config.branding import THEMES, contrast, text_on
from errors import SettingsError
from providers import PROVIDERS
from tests.views.sign_in.test_looks import CSS, themes

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 0h8v8H0z"/></svg>'
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


def settings(**variables: str) -> Settings:
    return load(PROVIDERS.values(), variables, None)


def faults_of(**variables: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        settings(**variables)
    return list(caught.value.faults)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder of an operator's."""
    marks = tmp_path / "marks"
    marks.mkdir()
    for name in ("logo.svg", "logo.dark.svg", "marks/linkedin.svg", "marks/google.dark.svg"):
        (tmp_path / name).write_text(SVG)
    (tmp_path / "icon.png").write_bytes(PNG)
    (marks / "google.png").write_bytes(PNG)
    return tmp_path


@pytest.fixture
def branded(make_site, files):
    return make_site(
        BRAND_NAME="Acme ID",
        BRAND_LOGO=str(files / "logo.svg"),
        BRAND_ICON=str(files / "icon.png"),
        BRAND_ACCENT="#0B6E4F,#4fc3a1",
        BRAND_ASSETS_DIR=str(files / "marks"),
    )


def test_the_name_has_an_older_name_too():
    assert settings(APP_NAME="Acme").brand_name == "Acme"
    assert settings(BRAND_NAME="Acme").brand_name == "Acme"
    assert settings(APP_NAME="Acme", BRAND_NAME="Acme").brand_name == "Acme"
    (fault,) = faults_of(APP_NAME="Acme", BRAND_NAME="Other")
    assert fault == "BRAND_NAME: contradicts its alias APP_NAME"


def test_pages_show_the_operators_name_logo_icon_and_marks(branded):
    browser = branded.browser()
    page = browser.get("/login")
    assert page.heading == "Sign in to Acme ID"
    assert 'alt="Acme ID"' in page.html
    pattern = r'(?:src|srcset|href)="(/_quickstep/static/brand/[^"]+)"'
    addresses = set(re.findall(pattern, page.html))
    by_name = {re.sub(r"^/_quickstep/static/brand/|\?.*", "", each): each for each in addresses}
    assert sorted(by_name) == [
        "google",
        "google.dark",
        "own-icon",
        "own-logo",
        "own-logo.dark",
        "theme.css",
    ]
    for name, address in by_name.items():
        answer = browser.fetch(address)
        assert answer.status == 200
        assert "max-age" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        kind = {"google": "image/png", "own-icon": "image/png", "theme.css": "text/css"}
        assert answer.headers["Content-Type"].startswith(kind.get(name, "image/svg+xml"))


def test_the_accent_reaches_both_themes(branded):
    css = branded.browser().fetch("/static/brand/theme.css").html
    assert ":root{--accent:#0b6e4f;--on-accent:#ffffff}" in css
    assert "dark){:root{--accent:#4fc3a1;--on-accent:#0b1220}}" in css


def test_without_branding_there_is_none(browser):
    assert "/static/brand/" not in browser.get("/login").html
    for name in ("theme.css", "own-logo", "google", "../app.css", "..%2f..%2fapp.py"):
        assert browser.fetch(f"/static/brand/{name}").status in (200, 404)
    assert browser.fetch("/static/brand/theme.css").status == 404
    assert browser.fetch("/static/brand/own-logo").status == 404


def test_the_grounds_that_an_accent_is_checked_against_are_those_of_the_pages():
    for theme in THEMES:
        colours = themes(CSS)[theme.name]
        assert theme.grounds == (colours["surface"], colours["bg"])


@pytest.mark.parametrize(
    ("accent", "fault"),
    [
        ("#1d2b7a", "#1d2b7a has a contrast of 1.4 to the dark theme, which needs 3"),
        ("#ffe000", "#ffe000 has a contrast of 1.2 to the light theme, which needs 3"),
        ("#2f5bd7,#101010", "#101010 has a contrast of 1.0 to the dark theme, which needs 3"),
        ("red", "must be a colour such as #2f5bd7, or two: light theme, dark theme"),
        ("#12345", "must be a colour such as #2f5bd7, or two: light theme, dark theme"),
        ("#fff;}body{display:none", "must be a colour such as"),
        ("#111111,#eeeeee,#cccccc", "must be a colour such as"),
    ],
)
def test_an_accent_that_cannot_be_seen_is_refused_at_the_start(accent, fault):
    (line,) = faults_of(BRAND_ACCENT=accent)
    assert line.startswith(f"BRAND_ACCENT: {fault}"), line
    if "would do" in line:
        (better,) = re.findall(r"; (\S+) would do", line)
        assert settings(BRAND_ACCENT=better).brand_accent == better


@pytest.mark.parametrize(
    "accent", [f"#{red:02x}{green:02x}77" for red in (0, 120, 255) for green in (0, 90, 180, 255)]
)
def test_text_on_every_accent_can_be_read(accent):
    assert contrast(text_on(accent), accent) >= 4.5


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("absent.svg", None, "absent.svg cannot be read (FileNotFoundError)"),
        ("page.svg", b"<html><script>alert(1)</script></html>", "page.svg is no SVG, PNG, WebP"),
        ("photo.png", b"GIF89a, a GIF", "photo.png is no SVG, PNG, WebP or JPEG image"),
        ("large.png", PNG + bytes(300_000), "large.png is larger than 256 KiB"),
    ],
)
@pytest.mark.parametrize("variable", ["BRAND_LOGO", "BRAND_ICON", "BRAND_ASSETS_DIR"])
def test_an_image_that_is_none_is_refused_at_the_start(tmp_path, variable, name, content, fault):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    elif variable == "BRAND_ASSETS_DIR":
        assert faults_of(BRAND_ASSETS_DIR=str(tmp_path / "no")) == [
            "BRAND_ASSETS_DIR: must be a folder"
        ]
        return
    value = tmp_path if variable == "BRAND_ASSETS_DIR" else tmp_path / name
    line, *_ = faults_of(**{variable: str(value)})
    assert line.startswith(f"{variable}: {fault}"), line


def test_a_mark_that_no_provider_has_the_name_of_is_named(files):
    (files / "marks" / "gogle.svg").write_text(SVG)
    (files / "marks" / "README.txt").write_text("where they come from")
    warnings = settings(BRAND_ASSETS_DIR=str(files / "marks")).warnings
    assert warnings == ("BRAND_ASSETS_DIR: gogle.svg has the name of no provider",)


def test_a_provider_whose_mark_may_not_be_passed_on_has_a_letter(make_site, files):
    site = make_site(look_alikes=("linkedin", "amazon"))
    page = site.browser().get("/login").html
    assert re.findall(r'class="chip letter" data-letter="(.)"', page) == ["L", "A"]
    site.restart(BRAND_ASSETS_DIR=str(files / "marks"))
    page = site.browser().get("/login").html
    assert re.findall(r'class="chip letter" data-letter="(.)"', page) == ["A"]
    assert "/static/brand/linkedin?" in page
