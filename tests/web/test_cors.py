"""Pages of other origins can read the API only if the settings list them."""

from typing import Any

import pytest

from tests.browser import Browser

APP = "https://app.example.org"
PREFLIGHT = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "x"}


@pytest.fixture
def grace(make_site):
    """Grace, signed in at a site with a listed origin."""
    browser = make_site(CORS_ORIGINS=f"{APP}, https://b.example").browser()
    browser.sign_in("google", "grace")
    return browser


def from_origin(
    browser: Browser, origin: str, path: str = "/api/v1/me", method: str = "GET", **headers: str
) -> Any:
    return browser.fetch(path, method, headers={"Origin": origin, **headers}).headers


def allowed(headers) -> list[str]:
    return [name for name in headers if name.startswith("Access-Control-")]


def test_a_listed_origin_reads_the_api_with_its_cookies(grace):
    headers = from_origin(grace, APP)
    assert headers["Access-Control-Allow-Origin"] == APP
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert "X-CSRF-Token" in headers["Access-Control-Expose-Headers"]
    assert "Origin" in headers["Vary"]


def test_a_preflight_needs_no_session(grace):
    stranger = grace.site.browser()
    page = stranger.fetch("/api/v1/me", "OPTIONS", headers={"Origin": APP, **PREFLIGHT})
    assert page.status == 200
    assert page.headers["Access-Control-Allow-Origin"] == APP
    assert "PATCH" in page.headers["Access-Control-Allow-Methods"]
    may_send = page.headers["Access-Control-Allow-Headers"]
    assert {"Content-Type", "X-CSRF-Token", "Authorization"} <= set(may_send.split(", "))


@pytest.mark.parametrize(
    ("path", "method"),
    [
        *(("providers", "GET"), ("me", "DELETE"), ("identities/x", "DELETE"), ("activity", "GET")),
        *(("export", "POST"), ("sessions", "GET"), ("sessions/current", "DELETE")),
    ],
)
def test_a_preflight_allows_each_operation_and_the_request_can_be_read(grace, path, method):
    stranger = grace.site.browser()
    headers = from_origin(stranger, APP, f"/api/v1/{path}", "OPTIONS", **PREFLIGHT)
    assert headers["Access-Control-Allow-Origin"] == APP
    assert method in headers["Access-Control-Allow-Methods"].split(", ")
    assert (
        from_origin(stranger, APP, f"/api/v1/{path}", method)["Access-Control-Allow-Origin"] == APP
    )


@pytest.mark.parametrize(
    "origin",
    [
        *("https://evil.example", "null", "*", f"{APP}.evil.example", f"{APP}:8443", ""),
        *("http://app.example.org", "https://APP.example.org", f"{APP}, https://evil.example"),
    ],
)
def test_an_origin_that_is_not_listed_gets_no_cors_headers(grace, origin):
    for method in ("GET", "OPTIONS"):
        headers = from_origin(grace, origin, method=method, **PREFLIGHT)
        assert not allowed(headers)
        assert "Origin" in headers["Vary"]


def test_a_listed_origin_can_read_errors(grace):
    for path, method in (("/api/v1/me", "PATCH"), ("/api/v1/nothing", "GET")):
        assert from_origin(grace, APP, path, method)["Access-Control-Allow-Origin"] == APP


def test_pages_get_no_cors_headers(grace):
    for path in ("/account", "/login", "/docs", "/auth/sign-in"):
        assert not allowed(from_origin(grace, APP, path))


def test_without_the_setting_no_origin_gets_cors_headers(browser):
    assert not allowed(from_origin(browser, APP))


def test_a_listed_origin_still_needs_the_csrf_header(grace):
    page = grace.fetch("/api/v1/me", "PATCH", headers={"Origin": APP}, json={"name": "x"})
    assert (page.status, page.response.json()["code"]) == (403, "csrf")
