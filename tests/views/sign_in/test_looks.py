"""What can be said of the looks without a browser: contrast, wording, size, nothing foreign."""

import re
from pathlib import Path

import pytest

import errors
from web.error_handlers import PAGES

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

# The reference of a failure stands below its text where the text does not hold it.
FAILURES = {
    "grant_ended": (
        "Sign in again with {provider}",
        "{provider} doesn't tell us about you any more. Sign in with it again to change that.",
    ),
    "cancelled": (
        "Sign-in wasn't completed",
        "You closed or declined the {provider} screen. Nothing was shared.",
    ),
    "expired": (
        "That sign-in took too long",
        "For your safety a sign-in attempt lasts 10 minutes. Start again.",
    ),
    "state_mismatch": (
        "We couldn't match that sign-in",
        "It was started in another tab or browser, or used twice. Start again here.",
    ),
    "cookies": (
        "Your browser is blocking cookies",
        "Sign-in needs one cookie from this site. Allow cookies for {host}, then try again.",
    ),
    "provider_down": (
        "{provider} isn't answering",
        (
            "This is on {provider}'s side or the network between us. "
            "Try again in a minute or choose another way."
        ),
    ),
    "provider_error": (
        "{provider} couldn't complete the sign-in",
        "It answered with a problem we can't fix from here. Reference {ref}.",
    ),
    "misconfigured": (
        "{provider} sign-in isn't working on this site",
        (
            "The settings for it were refused. The site's owner has been told. "
            "Choose another way. Reference {ref}."
        ),
    ),
    "no_email": (
        "{provider} didn't share an email address",
        "{product} needs one. Allow email access when {provider} asks, or choose another way.",
    ),
    "email_unverified": (
        "Your {provider} email isn't verified",
        "Verify it with {provider}, then sign in again.",
    ),
    "not_allowed": (
        "This account can't sign in here",
        "{email} isn't on the list for this site. Ask {support} if you think it should be.",
    ),
    "signups_closed": (
        "New accounts are closed",
        (
            "No account here uses this {provider} sign-in. "
            "If you already have one, sign in the way you did before."
        ),
    ),
    "disabled": ("This account is switched off", "Contact {support}."),
    "wrong_account": ("That's a different account", "Sign in as {email} to continue."),
    "invalid_token": (
        "That sign-in is no longer good",
        "It may be too old, or meant for another site. Sign in again.",
    ),
    "unknown_account": (
        "Nobody here signs in with that yet",
        "Sign in at /auth/sign-in first: it opens the account, or says why not.",
    ),
    "cross_site": ("That came from another site", "Sign in on this site."),
    "not_fresh": (
        "{provider} didn't ask you to sign in again",
        "To continue, sign in there once more when it asks. Nothing was changed.",
    ),
    "form_old": (
        "That page was out of date",
        "We've refreshed it. Please choose again.",
    ),
    "rate": ("Too many attempts", "Please wait {minutes}, then try again."),
    "last_way_in": (
        "This is your only way to sign in",
        "Add another before removing it.",
    ),
    "not_found": ("Page not found", "Check the address, or start from your account."),
}
ERROR_PAGES = {
    400: (
        "That request didn't make sense to us",
        "The link or form may be incomplete or too old.",
    ),
    403: (
        "You can't open this page",
        "You're signed in as {email}, which doesn't have access.",
    ),
    404: ("Page not found", "Check the address, or start from your account."),
    405: (
        "That action isn't possible here",
        "Use the buttons on the page instead of the address bar.",
    ),
    500: (
        "Something went wrong on our side",
        "We've recorded it. Reference {ref}. You are not signed out.",
    ),
    503: ("Back soon", "{product} is being updated or is short of resources."),
}


def themes(css: str) -> dict[str, dict[str, str]]:
    """The custom colours of a style sheet, light and dark."""
    light, dark = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[:2]
    return {
        theme: dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
        for theme, block in (("light", light), ("dark", dark))
    }


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_measure_of_contrast_is_right():
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
def test_colours_can_be_told_apart(theme, css, pairs, least):
    colours = themes(css)[theme]
    measured = {
        f"{over} on {under}": contrast(colours[over], colours[under])
        for over, grounds in pairs.items()
        for under in grounds
    }
    assert {pair: ratio for pair, ratio in measured.items() if ratio < least} == {}


@pytest.mark.parametrize("css", [CSS, LOOK_ALIKE_CSS], ids=["site", "look-alike"])
def test_colours_are_tokens_and_tokens_are_used(css):
    light, dark = themes(css).values()
    assert light.keys() == dark.keys()
    used = set(re.findall(r"var\(--([a-z-]+)\)", css))
    assert light.keys() <= used
    rest = re.sub(r"--[a-z-]+: [^;]+;", "", css)
    # The one colour beside them: what stands behind the marks of others.
    assert set(re.findall(r"#[0-9a-f]{3,8}\b", rest)) <= {"#fff"}


def test_each_failure_says_what_was_agreed():
    said: dict[str, set[tuple[str, str]]] = {}
    waiting = [errors.Problem]
    while waiting:
        error = waiting.pop()
        waiting += error.__subclasses__()
        if error.title:
            said.setdefault(error.code, set()).add((error.title, error.body))
    agreed = {code: {words} for code, words in FAILURES.items()}
    # One reason, two ways out: whose provider never vouches can only choose another.
    agreed["email_unverified"].add(
        (
            "{provider} doesn't vouch for email addresses",
            "This site needs an address that is verified. Choose another way to sign in.",
        )
    )
    assert said == agreed


def test_each_error_page_says_what_was_agreed():
    assert {status: page[:2] for status, page in PAGES.items()} == ERROR_PAGES


@pytest.mark.parametrize("words", [*FAILURES.values(), *ERROR_PAGES.values()])
def test_the_wording_keeps_its_voice(words):
    text = " ".join(words)
    assert "!" not in text
    assert not re.search(
        r"\b(oops|sorry|login|idp|oauth|token|scope|invalid)\b", text, re.IGNORECASE
    )


def test_styles_and_script_are_small():
    assert len(CSS.encode()) < 10240
    assert (ROOT / "static" / "app.js").stat().st_size < 2048


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", TEMPLATES, ids=short)
def test_templates_hold_no_style_script_or_foreign_address(path):
    """The Content-Security-Policy would drop them; better not to write them."""
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle\s*=", text)
    assert all("src=" in tag for tag in re.findall(r"<script\b[^>]*>", text))
    assert not re.search(r"\son[a-z]+\s*=", text)
    assert not re.search(r"""javascript:|https?:|["']//""", text)
    assert "|safe" not in text.replace(" ", "")


@pytest.mark.parametrize("path", STYLES, ids=short)
def test_styles_fetch_nothing(path):
    assert not re.search(r"url\(|@import|https?:", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", IMAGES, ids=short)
def test_images_are_drawings_only(path):
    text = path.read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"<title|<script|<style|<image|href|\son[a-z]+=|https?:", text)
    is_inline = path.parent.name == "idp"
    assert ('aria-hidden="true"' in text) is is_inline
