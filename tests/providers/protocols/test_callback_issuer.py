"""RFC 9207: a callback must come from the issuer that was asked."""

from urllib.parse import urlencode, urlsplit

import pytest

from tests.browser import query_of
from tests.providers.protocols.id_tokens import assert_refused


def with_iss(callback: str, *values: str) -> str:
    """The callback with these values for its iss parameter."""
    query = {name: value for name, value in query_of(callback).items() if name != "iss"}
    pairs = [*query.items(), *(("iss", value) for value in values)]
    return urlsplit(callback)._replace(query=urlencode(pairs)).geturl()


@pytest.mark.parametrize(
    "values",
    [
        *([], [""], ["https://accounts.evil.example"], ["{}/"], ["{}", "https://evil.example"]),
        *(["https://accounts.google.com"], ["accounts.google.com"], ["{}", "{}"], ["{}\0"]),
    ],
    ids=str,
)
def test_a_callback_of_another_issuer_is_refused_before_its_code_is_sent(browser, site, values):
    """Mix-up attack: a code of one issuer must not be sent to another's token endpoint."""
    google = site.simulator.google
    callback = browser.choose(browser.begin("google"), "ada")
    moved = with_iss(callback, *[value.format(google.url) for value in values])
    assert_refused(browser.get(moved), 400, "We couldn't match that sign-in")
    assert "token" not in google.seen
    assert browser.me() is None
    assert browser.sign_in("google", "ada").path == "/account"


@pytest.mark.parametrize("announced", [False, None, "true", 1])
def test_an_issuer_that_announces_no_iss_may_omit_it_but_not_send_another(browser, site, announced):
    google = site.simulator.google
    google.metadata_changes = {"authorization_response_iss_parameter_supported": announced}
    callback = browser.choose(browser.begin("google"), "ada")
    assert browser.get(with_iss(callback)).path == "/account"
    callback = browser.choose(browser.begin("google"), "ada")
    page = browser.get(with_iss(callback, "https://accounts.evil.example"))
    assert_refused(page, 400, "We couldn't match that sign-in")


def test_an_error_response_of_another_issuer_is_refused(browser):
    callback = browser.choose(browser.begin("google"), "", cancel="1")
    page = browser.get(with_iss(callback, "https://accounts.evil.example"))
    assert_refused(page, 400, "We couldn't match that sign-in")


def test_the_log_names_the_issuer_that_a_callback_came_from(capfd, browser, site):
    callback = browser.choose(browser.begin("google"), "ada")
    browser.get(with_iss(callback, "https://accounts.evil.example/\nforged"))
    said = "the callback's iss is another issuer: 'https://accounts.evil.example/\\nforged'"
    assert f"{said} instead of {site.simulator.google.url}" in capfd.readouterr().err
