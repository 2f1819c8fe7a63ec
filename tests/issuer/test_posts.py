"""Requests by POST, and what is long in them: nothing of it becomes a long address."""

import re
from urllib.parse import quote_plus, urlsplit

import pytest

from tests.browser import Browser, Page
from tests.issuer.relying_party import CALLBACK, App, allow, query_of
from tests.site import Site

AFTER = "https://notes.example/bye"
LONGEST = 8192


@pytest.fixture
def app(site: Site) -> App:
    return App(site, "Notes", "--post-logout-redirect-uri", AFTER)


def post(browser: Browser, path: str, form: object, *, cookies: bool = False) -> Page:
    """POST from the page of another site: it comes without our cookies (SameSite=Lax)."""
    kept = browser.http.cookies.copy()
    if not cookies:
        browser.http.cookies.clear()
    page = browser.fetch(path, "POST", data=form)
    for cookie in kept:
        if cookie.name not in browser.http.cookies:
            browser.http.cookies.set_cookie(cookie)
    assert len(page.location) <= LONGEST
    return page


# Sign-out.


def test_a_sign_out_by_post_goes_on_with_our_cookies(app, grace):
    hint = app.tokens(grace).document["id_token"]
    form = {"id_token_hint": hint, "post_logout_redirect_uri": AFTER, "state": "s 1"}
    page = post(grace, "/oauth2/logout", form)
    assert page.status == 303
    assert "?" not in page.location
    assert grace.get(page.location).location == f"{AFTER}?state=s+1"
    assert grace.me() is None
    assert grace.fetch(page.location).status == 400


def test_nothing_of_the_hint_is_in_an_address_of_ours(app, grace):
    hint = app.tokens(grace).document["id_token"]
    claims = app.claims(hint)
    page = post(grace, "/oauth2/logout", {"id_token_hint": hint})
    secrets = (*hint.split("."), claims["sub"], claims["sid"])
    for _ in range(3):
        assert not any(secret in page.location for secret in secrets)
        if not page.location:
            break
        page = grace.fetch(page.location)
    assert grace.me() is None


def test_a_sign_out_by_post_belongs_to_its_browser(app, grace, site):
    hint = app.tokens(grace).document["id_token"]
    other = site.browser()
    page = post(other, "/oauth2/logout", {"id_token_hint": hint})
    assert grace.get(page.location).status == 400
    assert grace.me() is not None


def test_a_sign_out_by_post_without_a_hint_asks(app, grace):
    for form in ({}, {"state": "x"}, {"client_id": app.client_id}):
        page = grace.get(post(grace, "/oauth2/logout", form).location)
        assert page.heading.startswith("Sign out of Quickstep?"), form
    assert grace.me() is not None


def test_a_sign_out_by_post_with_a_repeated_parameter_is_refused(app, grace):
    hint = app.tokens(grace).document["id_token"]
    values = {"id_token_hint": hint, "client_id": app.client_id, "state": "s", "extra": "x"}
    for again in values.items():
        page = post(grace, "/oauth2/logout", [*values.items(), again])
        assert (page.status, page.location) == (400, ""), again


def test_a_long_sign_out_by_post_is_refused_on_a_page(app, grace):
    usual = {"client_id": app.client_id, "post_logout_redirect_uri": AFTER}
    for name in ("id_token_hint", "client_id", "state", "extra"):
        page = post(grace, "/oauth2/logout", usual | {name: "x" * 60_000})
        assert (page.status, page.location) == (400, ""), name
        assert len(page.html) < 20_000


# Authorization requests.


@pytest.mark.parametrize("more", [{}, {"response_mode": "frog"}, {"prompt": "none"}])
def test_a_state_that_is_too_long_is_refused_and_not_repeated(app, grace, more):
    for state in ("x" * 4097, "x" * 60_000, "💥" * 1100, '{"' * 2000):
        page = post(grace, "/oauth2/authorize", app.authorization(state=state, **more))
        answer = query_of(page.location)
        assert page.location.startswith(CALLBACK)
        assert answer["error"] == "invalid_request"
        assert "state" not in answer
        assert answer["iss"] == app.site.url


def test_a_state_of_four_kilobytes_comes_back(app, grace):
    app.sign_in(grace)
    for state in ("x" * 4096, "ü" * 900):
        page = post(grace, "/oauth2/authorize", app.authorization(state=state))
        page = grace.get(page.location)
        assert query_of(page.location)["state"] == state
        assert len(page.location) <= LONGEST
        assert quote_plus(state) in page.location


@pytest.mark.parametrize("value", ["ü" * 4096, "x" * 60_000], ids=len)
def test_no_long_value_becomes_a_long_address(app, grace, value):
    for name in ("nonce", "login_hint", "claims", "scope", "resource", "extra"):
        page = post(grace, "/oauth2/authorize", app.authorization(**{name: value}))
        for _ in range(5):
            assert len(page.location) <= LONGEST, name
            if not page.location or page.location.startswith(CALLBACK):
                break
            page = grace.fetch(page.location)


def test_a_pushed_request_may_be_used_by_post(app, grace, site):
    """RFC 9126 4, OpenID Connect Core 3.1.2.1."""
    request_uri = app.post("par", app.authorization()).json()["request_uri"]
    form = {"client_id": app.client_id, "request_uri": request_uri}
    page = post(grace, "/oauth2/authorize", form)
    assert (page.status, urlsplit(page.location).query) == (303, "")
    page = allow(grace, grace.get(page.location))
    assert app.exchange(query_of(page.location)["code"]).status == 200
    assert post(grace, "/oauth2/authorize", form).status == 400


def test_a_pushed_request_by_post_is_for_its_client_alone(app, grace, site):
    other = App(site, "Other")
    request_uri = app.post("par", app.authorization()).json()["request_uri"]
    form = {"client_id": other.client_id, "request_uri": request_uri}
    assert post(grace, "/oauth2/authorize", form).status == 400
    twice = [("client_id", other.client_id), ("client_id", app.client_id)]
    page = post(grace, "/oauth2/authorize", [*twice, ("request_uri", request_uri)])
    assert (page.status, page.location) == (400, "")
    form = {"client_id": app.client_id, "request_uri": request_uri}
    assert post(grace, "/oauth2/authorize", form).status == 303


def test_a_pushed_state_that_is_too_long_is_refused_to_the_client(app):
    refused = app.post("par", app.authorization(state="x" * 5000))
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    assert not re.search("x{100}", refused.text)
