"""The refusals of /auth/sign-in, and their problem documents."""

import time
from typing import Any

import pytest
import requests

from providers.http.cache import FAILURE_SECONDS
from simulator.firebase import SPOILT_FIREBASE
from simulator.signing import SPOILT_CLAIMS, SPOILT_SUBJECTS, SPOILT_TOKENS
from tests.browser import Page

# Flaws only of tokens from a web flow, or from a provider with several clients.
OF_A_FLOW = {"other_azp", "other_nonce", "nonce_as_list", "no_nonce", "other_at_hash"}
FIREBASE_FLAWS = sorted({*SPOILT_CLAIMS, *SPOILT_TOKENS, *SPOILT_FIREBASE} - OF_A_FLOW)
NATIVE_FLAWS = sorted({*SPOILT_CLAIMS, *SPOILT_SUBJECTS, *SPOILT_TOKENS} - OF_A_FLOW)
# An app's token is for one client only; a web flow's may list others.
NATIVE_FLAWS.append("no_azp")
# The logged reason for each flaw.
REASONS = {
    "other_issuer": "of no issuer that apps may use",
    "no_iss": "of no issuer that apps may use",
    "other_project": "of no issuer that apps may use",
    "issuer_of_google": "of no issuer that apps may use",
    "expired": "it has expired",
    "from_the_future": "it is from the future",
    "valid_later": "not valid yet",
    "nbf_as_text": "nbf is not a number",
    "encrypted": "is encrypted",
    "twice": "two members of an object have one name",
    "alg_none": "alg is not allowed",
    "alg_none_signed_by_nobody": "alg is not allowed",
    "hs256_with_public_key": "alg is not allowed",
    "other_key_same_kid": "signature is not of the issuer's key",
    "embedded_key": "signature is not of the issuer's key",
    "jku": "signature is not of the issuer's key",
    "unknown_kid": "a key the issuer does not publish",
    "other_audience": "aud is",
    "two_audiences": "aud is",
    "no_azp": "aud is",
    "audience_list": "aud is another project",
    "sub_of_129": "sub has over 128 characters",
    "auth_time_to_come": "auth_time is in the future",
    "auth_time_as_text": "auth_time is not a number",
    "no_auth_time": "auth_time is not a number",
    "anonymous": "anonymous users are nobody",
    "a_tenant": "another tenant",
    "no_identity": "not exactly one identity of google.com",
    "two_identities": "not exactly one identity of google.com",
}


def assert_problem(page: Page, status: int, code: str) -> dict[str, Any]:
    """An RFC 9457 document with our two members, and no cookie."""
    assert page.status == status, page
    assert page.headers["Content-Type"] == "application/problem+json"
    problem = dict(page.response.json())
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["title"]
    assert "{" not in str(problem)[1:]
    assert problem["request_id"]
    assert "session=" not in page.headers.get("Set-Cookie", "")
    return problem


# The token.


@pytest.mark.parametrize("flaw", FIREBASE_FLAWS)
def test_a_flawed_firebase_token_signs_nobody_in(browser, site, caplog, flaw):
    page = browser.bring(site.simulator.firebase.mint("grace", flaw=flaw))
    assert_problem(page, 401, "invalid_token")
    assert page.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert browser.me() is None
    assert site.user_count() == 0
    assert REASONS.get(flaw, "") in caplog.text


@pytest.mark.parametrize("flaw", NATIVE_FLAWS)
def test_a_flawed_native_token_signs_nobody_in(browser, site, caplog, flaw):
    page = browser.bring(site.simulator.google.native_token("grace", flaw=flaw))
    assert_problem(page, 401, "invalid_token")
    assert browser.me() is None
    assert site.user_count() == 0
    assert REASONS.get(flaw, "") in caplog.text


@pytest.mark.parametrize("body", ["", " ", "x", "a.b.c", "..", "null", "{}", "\xff.\xfe.", "é" * 9])
def test_a_value_that_is_not_a_token_is_a_401(browser, body):
    assert_problem(browser.bring(body.encode("latin-1")), 401, "invalid_token")


@pytest.mark.parametrize("algorithm", ["RS384", "PS256", "PS512"])
def test_firebase_tokens_are_accepted_with_rs256_only(site, algorithm):
    """The key fits others, and a certificate names no algorithm; Firebase's rules allow one."""
    site.restart(FIREBASE_JWKS_URL=f"{site.simulator.url}/firebase/x509")
    firebase, browser = site.simulator.firebase, site.browser()
    token = firebase.sign(firebase.claims_of(firebase.mint("grace")), alg=algorithm)
    assert_problem(browser.bring(token), 401, "invalid_token")
    assert browser.bring(firebase.mint("grace")).status == 200


def test_a_token_of_one_issuer_is_refused_as_anothers(browser, site):
    """The token's own claim chooses its verifier, and does not make it valid."""
    google, firebase = site.simulator.google, site.simulator.firebase
    of_google = firebase.claims_of(google.native_token("grace"))
    of_firebase = firebase.claims_of(firebase.mint("grace"))
    assert_problem(browser.bring(firebase.sign(of_google)), 401, "invalid_token")
    assert_problem(browser.bring(google.sign(of_firebase)), 401, "invalid_token")
    assert browser.bring(google.sign(of_google)).status == 200
    assert browser.bring(firebase.sign(of_firebase)).status == 200


def test_firebase_tokens_are_refused_without_a_project(make_site):
    site = make_site(FIREBASE_PROJECT_ID="", FIREBASE_JWKS_URL="")
    page = site.browser().bring(site.simulator.firebase.mint("grace"))
    assert_problem(page, 401, "invalid_token")


def test_a_firebase_token_of_another_tenant_is_refused(make_site):
    site = make_site(FIREBASE_TENANT_ID="tenant-1")
    firebase, browser = site.simulator.firebase, site.browser()
    assert browser.bring(firebase.mint("grace", flaw="a_tenant")).status == 200
    assert_problem(browser.bring(firebase.mint("grace")), 401, "invalid_token")


def test_a_refused_token_is_neither_logged_nor_shown(capfd, make_site):
    site = make_site(LOG_LEVEL="DEBUG")
    firebase, browser = site.simulator.firebase, site.browser()
    tokens = [firebase.mint("grace"), firebase.mint("grace", flaw="expired")]
    said = "".join(browser.bring(token).html for token in tokens)
    headers = {"Authorization": f"Bearer {tokens[1]}"}
    said += browser.fetch("/api/v1/me", headers=headers).html + browser.get("/account").html
    said += browser.one_tap(tokens[1]).html
    said += capfd.readouterr().err
    assert "invalid_token" in said
    for token in tokens:
        assert not [part for part in token.split(".") if part in said]


# The request.


@pytest.mark.parametrize(
    "kind",
    ["application/json", "text/plain", "application/x-www-form-urlencoded", "application/jwt2", ""],
)
def test_an_app_sign_in_with_another_content_type_is_a_415(browser, site, kind):
    """A form on another site can send three types without a preflight; this is another."""
    page = browser.bring(site.simulator.firebase.mint("grace"), content_type=kind)
    assert_problem(page, 415, "unsupported_media_type")


def test_the_content_type_of_an_app_sign_in_is_parsed_as_http_says(browser, site):
    for kind in ("application/jwt; charset=utf-8", "Application/JWT"):
        token = site.simulator.firebase.mint("grace")
        assert browser.bring(token + "\n", content_type=kind).status == 200


@pytest.mark.parametrize("size", [16 * 1024 + 1, 64 * 1024 + 1, 1024 * 1024])
def test_an_oversized_app_sign_in_is_a_413(browser, size):
    assert_problem(browser.bring("x" * size), 413, "request_entity_too_large")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_an_app_sign_in_needs_a_post(browser, method):
    assert browser.fetch("/auth/sign-in", method).status == 405


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost.evil.example"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
    ids=str,
)
def test_an_app_sign_in_from_another_sites_page_is_refused(browser, site, headers):
    """Login CSRF: the victim would go on in the attacker's account."""
    page = browser.bring(site.simulator.firebase.mint("mallory"), **headers)
    assert_problem(page, 403, "cross_site")
    assert browser.me() is None
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    preflight = browser.fetch("/auth/sign-in", "OPTIONS", headers=asked)
    assert not [name for name in preflight.headers if name.startswith("Access-Control")]


def test_an_app_sign_in_from_this_sites_page_is_accepted(browser, site):
    headers = {"origin": site.url, "sec_fetch_site": "same-origin"}
    assert browser.bring(site.simulator.firebase.mint("grace"), **headers).status == 200


def test_refused_tokens_count_as_refusals(make_site):
    site = make_site(REFUSALS_PER_MINUTE="2")
    browser, good = site.browser(), site.simulator.firebase.mint("grace")
    for _ in range(2):
        assert_problem(browser.bring("a.b.c"), 401, "invalid_token")
    page = browser.bring(good)
    assert_problem(page, 429, "rate")
    assert int(page.headers["Retry-After"]) > 0
    assert browser.get("/login/google").status == 429


# The issuer.


@pytest.fixture
def firebase(site, monkeypatch):
    """The fake Firebase, of a server with short time limits."""
    monkeypatch.setattr("providers.http.connections.READ_SECONDS", 1.2)
    return site.simulator.firebase


@pytest.mark.parametrize(
    "case",
    [
        *(("hang_up", 502, "provider_down"), ("html", 502, "provider_error")),
        *(("status_500", 502, "provider_down"), ("empty_object", 502, "provider_error")),
        *(("list", 502, "provider_error"), ("slow", 504, "provider_down")),
    ],
)
def test_unreadable_keys_are_reported_as_the_providers_fault(browser, firebase, clock, case):
    answer, status, code = case
    firebase.keys_answer = answer
    page = browser.bring(firebase.mint("grace"))
    assert_problem(page, status, code)
    assert "WWW-Authenticate" not in page.headers
    headers = {"Authorization": f"Bearer {firebase.mint('grace')}"}
    assert browser.fetch("/api/v1/me", headers=headers).status == status
    firebase.keys_answer = ""
    clock.later(FAILURE_SECONDS)
    assert browser.bring(firebase.mint("grace")).status == 200


# Its age.


def test_a_firebase_token_older_than_an_hour_is_refused(site, browser):
    """Apple's native tokens claim to be valid for a day."""
    google, now = site.simulator.google, int(time.time())
    old = google.native_token("grace", iat=now - 3700, exp=now + 80000)
    assert_problem(browser.bring(old), 401, "invalid_token")
    young = google.native_token("grace", iat=now - 3500, exp=now + 80000)
    assert browser.bring(young).status == 200


def test_an_app_needs_no_cookie_jar(site):
    """As the curl example: the cookie of one response authenticates the next request."""
    token = site.simulator.firebase.mint("grace")
    headers = {"Content-Type": "application/jwt"}
    answer = requests.post(f"{site.url}/auth/sign-in", data=token, headers=headers, timeout=5)
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    me = requests.get(f"{site.url}/api/v1/me", headers={"Cookie": cookie}, timeout=5)
    assert me.json()["name"] == "Grace Hopper"
