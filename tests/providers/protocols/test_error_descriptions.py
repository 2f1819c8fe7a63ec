"""Descriptions of errors (RFC 6749 4.1.2.1, 5.2): in the log, cleaned; never on a page."""

from urllib.parse import urlencode

import pytest

from providers.protocols.error_codes import with_description
from tests.browser import Browser, Page, query_of

NO_TEXT: list[object] = ["", " \n", None, 5, ["text"], {}]
SAID = "AADSTS50105: not assigned to the application"


def refused(browser: Browser, provider: str, **parameters: str) -> Page:
    state = query_of(browser.begin(provider))["state"]
    query = urlencode({"state": state, **parameters})
    return browser.get(f"/login/{provider}/authorized?{query}")


@pytest.mark.parametrize("error", ["access_denied", "server_error", "invalid_scope"])
def test_the_description_of_a_callbacks_error_is_logged_and_not_shown(capfd, site, error):
    site.restart()
    page = refused(site.browser(), "google", error=error, error_description=SAID)
    assert f'the callback says {error} ("{SAID}")' in capfd.readouterr().err
    assert "AADSTS" not in page.html


def test_facebooks_own_error_format_is_logged_with_its_message(capfd, site):
    site.restart()
    refused(site.browser(), "facebook", error_code="1349126", error_message="App not active")
    assert "1349126" in (log := capfd.readouterr().err)
    assert "App not active" in log


def test_a_description_that_comes_by_post_is_logged(capfd, make_site):
    site = make_site(look_alikes=("apple",))
    browser = site.browser()
    state = query_of(browser.begin("apple"))["state"]
    form = {"state": state, "error": "server_error", "error_description": SAID + "x" * 999}
    answer = browser.fetch("/login/apple/authorized", "POST", data=form)
    assert len(answer.location) < 1000
    site.restart()
    browser.get(answer.location)
    assert SAID in capfd.readouterr().err


def test_the_description_of_a_refused_code_is_logged(capfd, site):
    site.restart()
    refused(site.browser(), "google", code="made-up", iss=site.simulator.google.url)
    assert "The code is unknown, used or expired." in capfd.readouterr().err


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("no\r\nforged=line\x1b[2J\u202e", 'x ("no forged=line [2J")'),
        ("code s3cret-code of s3cret is wrong", 'x ("code … of … is wrong")'),
        ("Größe ungültig", 'x ("Größe ungültig")'),
        ("y" * 5000, f'x ("{"y" * 300}")'),
        *[(odd, "x") for odd in NO_TEXT],
    ],
)
def test_a_description_is_one_short_line_without_secrets(said, logged):
    assert with_description("x", said, ["s3cret", "", "s3cret-code"]) == logged
