"""Every response has security headers, and a retry time where one applies."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import requests
from flask import request

from tests.site import Site

FENCE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
JSON = "application/problem+json"
HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"


def ask(site: Site, path: str, method: str = "GET", **more: Any) -> requests.Response:
    return requests.request(method, site.url + path, allow_redirects=False, timeout=30, **more)


def broken(site: Site, path: str) -> requests.Response:
    def view() -> str:
        raise RuntimeError("not foreseen")

    endpoint = site.app.url_map.bind("").match(path)[0]
    site.app.view_functions[endpoint] = view
    return ask(site, path)


def without_tables(site: Site, path: str) -> requests.Response:
    site.execute("DROP TABLE flows")
    site.execute("DROP TABLE sessions")
    site.execute("DROP TABLE alembic_version")
    return ask(site, path, headers={"Cookie": "session=x"})


def too_often(site: Site, path: str, **more: Any) -> requests.Response:
    while (answer := ask(site, path, **more)).status_code != 429:
        assert answer.status_code in (400, 401, 403)
    return answer


def other_name(site: Site) -> requests.Response:
    port = site.url.rpartition(":")[2]
    return ask(site, "/login", headers={"Host": f"127.0.0.1:{port}"})


JWT = {"Content-Type": "application/jwt"}
# Request, status and kind of response.
ANSWERS: dict[str, tuple[Callable[[Site], requests.Response], int, str | None]] = {
    "page": (lambda site: ask(site, "/login"), 200, HTML),
    "HEAD": (lambda site: ask(site, "/login", "HEAD"), 200, HTML),
    "OPTIONS": (lambda site: ask(site, "/login", "OPTIONS"), 200, None),
    "redirect": (lambda site: ask(site, "/"), 302, HTML),
    "redirect to a provider": (lambda site: ask(site, "/login/google"), 302, HTML),
    "redirect to the one name": (other_name, 307, HTML),
    "health": (lambda site: ask(site, "/livez"), 200, TEXT),
    "ready": (lambda site: ask(site, "/readyz"), 200, TEXT),
    "metrics": (lambda site: ask(site, "/metrics"), 200, None),
    "API document": (lambda site: ask(site, "/openapi.json"), 200, "application/json"),
    "refused sign-in": (lambda site: ask(site, "/login/google/authorized"), 400, HTML),
    "old form": (lambda site: ask(site, "/logout", "POST"), 400, HTML),
    "API 401": (lambda site: ask(site, "/api/v1/me"), 401, JSON),
    "404": (lambda site: ask(site, "/nowhere"), 404, HTML),
    "static 404": (lambda site: ask(site, "/static/nothing"), 404, HTML),
    "API 404": (lambda site: ask(site, "/api/v1/nowhere"), 404, JSON),
    "405": (lambda site: ask(site, "/login", "DELETE"), 405, HTML),
    "API 405": (lambda site: ask(site, "/auth/sign-in"), 405, JSON),
    "413": (lambda site: ask(site, "/logout", "POST", data={"a": "x" * 70_000}), 413, HTML),
    "API 413": (
        lambda site: ask(site, "/auth/sign-in", "POST", data="x" * 20_000, headers=JWT),
        413,
        JSON,
    ),
    "415": (lambda site: ask(site, "/auth/sign-in", "POST", data="x"), 415, JSON),
    "429": (lambda site: too_often(site, "/login/google/authorized"), 429, HTML),
    "API 429": (
        lambda site: too_often(site, "/auth/sign-in", method="POST", data="x", headers=JWT),
        429,
        JSON,
    ),
    "500": (lambda site: broken(site, "/login"), 500, HTML),
    "API 500": (lambda site: broken(site, "/openapi.json"), 500, JSON),
    "503": (lambda site: without_tables(site, "/login/google"), 503, HTML),
    "API 503": (lambda site: without_tables(site, "/api/v1/me"), 503, JSON),
    "not ready": (lambda site: without_tables(site, "/readyz"), 503, TEXT),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_every_kind_of_response_has_its_security_headers(make_site, kind):
    site = make_site(REFUSALS_PER_MINUTE="2")
    act, status, content = ANSWERS[kind]
    answer = act(site)
    assert answer.status_code == status
    assert content in (None, answer.headers["Content-Type"])
    assert {name: answer.headers.get(name) for name in FENCE} == FENCE
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["Referrer-Policy"] in ("same-origin", "no-referrer")
    assert "Strict-Transport-Security" not in answer.headers  # it has no meaning over http
    assert answer.text == "" or not answer.is_redirect  # values from a URL appear nowhere else
    wait = answer.headers.get("Retry-After")
    assert (wait is not None) is (status in (429, 503))
    assert wait is None or 0 < int(wait) <= 60


@pytest.mark.parametrize("kind", ["page", "404", "API 401", "500", "health", "redirect"])
def test_over_https_every_response_has_hsts(make_site, kind):
    site = make_site(PUBLIC_URL="https://login.example.org", SECRET_KEY="k" * 40)
    answer = ANSWERS[kind][0](site)
    assert re.match(r"max-age=\d{8}", answer.headers["Strict-Transport-Security"])


def test_a_static_file_has_security_headers_and_may_be_cached(site):
    answer = ask(site, "/static/app.css")
    kept = answer.headers.pop("Cache-Control")
    assert "max-age=86400" in kept
    assert {name: answer.headers.get(name) for name in FENCE} == FENCE | {"Cache-Control": None}


@pytest.mark.parametrize(("proxies", "believed"), [("0", False), ("1", True)])
def test_forwarded_scheme_and_host_count_only_behind_declared_proxies(make_site, proxies, believed):
    """They never appear in a generated URL, either: those come from PUBLIC_URL."""
    site = make_site(TRUSTED_PROXIES=proxies)
    forged = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Port": "444",
        "X-Forwarded-Prefix": "/evil",
        "Forwarded": "for=203.0.113.9;host=evil.example;proto=https",
        "X-Real-IP": "203.0.113.9",
        "X-Request-ID": "evil-request-id",
    }
    seen: dict[str, str] = {}

    def view() -> str:
        seen.update(host=request.host, scheme=request.scheme, root=request.script_root)
        return ""

    site.app.view_functions["login.choose"] = view
    ask(site, "/login", headers=forged)
    assert (seen["host"] == "evil.example") is believed
    assert (seen["scheme"] == "https") is believed
    assert seen["root"] == ""
    begun = ask(site, "/login/google", headers=forged)
    assert "evil" not in str(begun.headers)
    problem = ask(site, "/api/v1/me", headers=forged).json()
    assert re.fullmatch(r"[2-9A-Z]{4}-[2-9A-Z]{4}", problem["request_id"])


# The log line of a request.


def test_at_debug_level_each_request_has_a_log_line_without_its_query(make_site, capfd):
    site = make_site(LOG_LEVEL="DEBUG", LOG_FORMAT="json")
    problem = ask(site, "/api/v1/sessions/some-id?code=never-logged", "DELETE").json()
    ask(site, "/static/app.css")
    ask(site, "/nowhere/never-logged")
    log = capfd.readouterr().err
    lines = [line for line in log.splitlines() if '"event": "request"' in line]
    assert len(lines) == 2
    assert '"route": "/api/v1/sessions/<session_id>"' in lines[0]
    assert '"method": "DELETE"' in lines[0]
    assert f'"ref": "{problem["request_id"]}"' in lines[0]
    assert '"route": null' in lines[1]
    assert "never-logged" not in log


def test_at_info_level_the_log_holds_decisions_only(make_site, capfd):
    site = make_site()
    ask(site, "/login")
    ask(site, "/nowhere")
    assert capfd.readouterr().err == ""
