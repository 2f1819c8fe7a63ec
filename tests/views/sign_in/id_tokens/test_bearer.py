"""Bearer tokens for the API (RFC 6750)."""

import time

import pytest

from tests.browser import Browser, Page
from tests.views.sign_in.id_tokens.test_refusals import FIREBASE_FLAWS, assert_problem


def ask(
    browser: Browser,
    authorization: str | bytes,
    path: str = "/api/v1/me",
    method: str = "GET",
    **body: object,
) -> Page:
    return browser.fetch(path, method, headers={"Authorization": authorization}, **body)


@pytest.fixture
def token(site, browser) -> str:
    """A token of Grace, who signed in with her app once and kept no cookie."""
    made: str = site.simulator.firebase.mint("grace")
    site.browser().bring(made)
    return made


def test_a_bearer_token_identifies_its_user(browser, token):
    for scheme in ("Bearer", "bearer", "BEARER", "Bearer "):
        page = ask(browser, f"{scheme} {token}")
        assert page.status == 200
        assert page.response.json()["name"] == "Grace Hopper"
        assert "Set-Cookie" not in page.headers


def test_a_bearer_token_of_an_unknown_user_is_refused(site, browser):
    token = site.simulator.firebase.mint("grace")
    page = ask(browser, f"Bearer {token}")
    assert_problem(page, 401, "unknown_account")
    assert page.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert site.user_count() == 0
    browser.bring(token)
    assert ask(site.browser(), f"Bearer {token}").status == 200


@pytest.mark.parametrize("flaw", FIREBASE_FLAWS)
def test_a_flawed_bearer_token_is_refused(site, browser, token, flaw):
    page = ask(browser, f"Bearer {site.simulator.firebase.mint('grace', flaw=flaw)}")
    assert_problem(page, 401, "invalid_token")
    assert page.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize(
    "header",
    [
        *(
            "Bearer",
            "Bearer  ",
            "Bearer {0} {0}",
            "Bearer {0},Bearer {0}",
            "Bearer {0};",
            "Bearer =",
        ),
        *('Bearer "{0}"', "Bearer token={0}", "Bearer {0}\u00e9", "Bearer x", "bearer {0}\t"),
    ],
)
def test_a_malformed_authorization_header_is_refused(browser, token, header):
    """Any malformed token is a 4xx (allauth headless: 500)."""
    page = ask(browser, header.format(token).encode("latin-1"))
    assert_problem(page, 401, "invalid_token")


@pytest.mark.parametrize("header", ["Basic {0}", "Token {0}", "{0}", "Bearer\t{0}", "Bearer:{0}"])
def test_another_authorization_scheme_is_ignored(browser, token, header):
    page = ask(browser, header.format(token))
    assert_problem(page, 401, "unauthorized")
    assert page.headers["WWW-Authenticate"].startswith('Bearer realm="api", resource_metadata="')


def test_a_bearer_token_counts_in_the_authorization_header_only(browser, token):
    for where in ("access_token", "token", "id_token"):
        assert browser.fetch("/api/v1/me", params={where: token}).status == 401
        assert browser.fetch("/api/v1/me", headers={"Cookie": f"{where}={token}"}).status == 401
    assert browser.fetch("/api/v1/me", headers={"Cookie": f"session={token}"}).status == 401


def test_a_bearer_token_wins_over_a_cookie_and_never_falls_back_to_it(site, browser, token):
    browser.sign_in("google", "ada")
    assert ask(browser, f"Bearer {token}").response.json()["name"] == "Grace Hopper"
    assert_problem(ask(browser, "Bearer spoilt"), 401, "invalid_token")
    assert browser.me()["name"] == "Ada Lovelace"


def test_pages_accept_no_bearer_token(browser, token):
    page = ask(browser, f"Bearer {token}", "/account")
    assert (page.status, page.location.partition("?")[0]) == (302, "/login")


def test_only_firebase_tokens_are_bearer_tokens(site, browser):
    native = site.simulator.google.native_token("grace")
    browser.bring(native)
    assert_problem(ask(site.browser(), f"Bearer {native}"), 401, "invalid_token")


def test_a_bearer_token_of_a_disabled_user_is_refused_immediately(site, browser, token):
    site.execute("UPDATE users SET disabled_at = :now", now="2026-01-01 00:00:00")
    assert_problem(ask(browser, f"Bearer {token}"), 401, "unknown_account")


def test_a_bearer_token_of_a_removed_identity_is_refused(site, browser, token):
    browser.bring(token)
    browser.link("github", "grace")
    browser.unlink(browser.identity("google"))
    assert_problem(ask(site.browser(), f"Bearer {token}"), 401, "unknown_account")


def test_refused_bearer_tokens_do_not_lock_out_a_whole_network(make_site):
    """Thousands of phones behind one address send tokens that have just expired."""
    site = make_site(REFUSALS_PER_MINUTE="2")
    browser = site.browser()
    for _ in range(4):
        assert_problem(ask(browser, "Bearer x"), 401, "invalid_token")
    assert browser.bring(site.simulator.firebase.mint("grace")).status == 200


def test_an_unknown_path_is_a_404_with_a_bearer_token_too(browser, token):
    assert_problem(ask(browser, f"Bearer {token}", "/api/v1/nothing"), 404, "not_found")


# Changes.


def test_a_change_by_bearer_token_needs_no_csrf_token(browser, token):
    """A page of another site cannot make a browser send this header."""
    page = ask(browser, f"Bearer {token}", "/api/v1/me", "PATCH", json={"name": "Amazing Grace"})
    assert page.status == 200
    assert page.response.json()["name"] == "Amazing Grace"
    assert "X-CSRF-Token" not in page.headers


def test_a_bad_bearer_token_does_not_exempt_a_cookie_from_csrf(browser, token):
    browser.sign_in("google", "ada")
    page = ask(browser, "Bearer x", "/api/v1/me", "PATCH", json={"name": "Mallory"})
    assert_problem(page, 401, "invalid_token")
    page = browser.fetch("/api/v1/me", "PATCH", json={"name": "Mallory"})
    assert (page.status, page.response.json()["code"]) == (403, "csrf")
    assert browser.me()["name"] == "Ada Lovelace"


def test_sensitive_changes_need_a_recent_auth_time_in_the_bearer_token(site, browser, token):
    browser.bring(token)
    browser.link("github", "grace")
    place = f"/api/v1/identities/{browser.identity('github')}"
    old = site.simulator.firebase.mint("grace", auth_time=int(time.time()) - 3600)
    page = ask(site.browser(), f"Bearer {old}", place, "DELETE")
    assert_problem(page, 403, "reauth_required")
    assert ask(site.browser(), f"Bearer {token}", place, "DELETE").status == 204
    assert browser.providers() == ["google"]


def test_with_a_bearer_token_no_session_is_the_current_one(browser, token):
    page = ask(browser, f"Bearer {token}", "/api/v1/sessions")
    (session,) = page.response.json()["items"]
    assert session["current"] is False
    ended = ask(browser, f"Bearer {token}", f"/api/v1/sessions/{session['id']}", "DELETE")
    assert ended.status == 204
